//! `kiln run`: compile for this machine into a temporary file and execute it.
//!
//! The program gets the module's file name as its first argument, and its exit code becomes
//! Kiln's. Nothing stays on the disk but, of an audit, the policy that was asked for.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use kiln_compiler::{Module, Program};
use tempfile::TempPath;

use crate::args::Emit;
use crate::audit::Audit;
use crate::error::Error;
use crate::options::{Run, Settings};
use crate::output::Output;
use crate::pipeline::{self, Pipeline};
use crate::product::Product;
use crate::progress::Display;
use crate::{embed, exit_code, output, policy_file, report};

/// Compiles and executes the module of `options`; the result is the exit code to pass on.
pub(crate) fn run(options: &Run) -> Result<i32, Error> {
    let files = pipeline::read(&options.input, &options.libraries)?;
    pipeline::set_threads(options.settings.jobs, &files, &[Product::Single(options.host)])?;
    let modules = pipeline::parse(&files)?;
    let program = pipeline::link(&files, &modules, Emit::Exe)?;
    let embedded = embed::section(&options.embeds, options.time)?;
    match &options.audit {
        None => {
            let executable = compile(options, &program, &options.settings, &embedded)?;
            execute(executable, name(options), &options.arguments).map_err(Error::Execute)
        }
        Some(file) => audit(options, &modules, &program, &embedded, file.as_ref()),
    }
}

/// Executes the program with all that the user may do, and tells what it needs to be granted.
fn audit(
    options: &Run,
    modules: &[Module<'_>],
    program: &Program<'_>,
    embedded: &[u8],
    file: Option<&PathBuf>,
) -> Result<i32, Error> {
    let audit = Audit::begin(&options.settings.policy)?;
    let settings = Settings { policy: audit.policy().clone(), ..options.settings.clone() };
    let executable = compile(options, program, &settings, embedded)?;
    let mut command = command(&executable, name(options), &options.arguments);
    let code = wait_for(&mut command).map_err(Error::Execute)?;
    let findings = audit.finish(modules, &options.arguments)?;
    report::note(findings.to_string().trim_end());
    if let Some(path) = file {
        let bytes = policy_file::write(&findings.policy).into_bytes();
        output::write(&[Output { path: path.clone(), bytes, executable: false }])?;
    }
    Ok(code)
}

/// What the program is called.
fn name(options: &Run) -> &OsStr {
    options.input.file_name().unwrap_or(options.input.as_os_str())
}

/// Compiles into a temporary file, which is closed: a file open for writing cannot be executed.
fn compile(
    options: &Run,
    program: &Program<'_>,
    settings: &Settings,
    embedded: &[u8],
) -> Result<TempPath, Error> {
    let path = &options.input;
    let display = Display::transient(options.settings.quiet);
    let pipeline = Pipeline {
        path,
        name: &options.name,
        program,
        settings,
        resources: &[],
        embedded,
        emit: Emit::Exe,
    };
    let executable = pipeline.outputs(&[options.host], &display)?.concat();

    let directory = std::env::temp_dir();
    let mut file = output::create_temporary(&directory, options.host.executable_suffix, true)
        .map_err(|source| Error::Create { path: directory.clone(), source })?;
    file.write_all(&executable)
        .map_err(|source| Error::Write { path: file.path().to_owned(), source })?;
    Ok(file.into_temp_path())
}

/// Becomes the program where a removed file can be executed by its descriptor, so that signals and
/// the process id are the program's own. Elsewhere waits for it.
#[cfg(unix)]
fn execute(executable: TempPath, name: &OsStr, arguments: &[OsString]) -> io::Result<i32> {
    use std::fs::File;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::process::CommandExt as _;

    let file = File::open(&executable)?;
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    if Path::new(&descriptor).exists() {
        executable.close()?;
        return Err(Command::new(descriptor).arg0(name).args(arguments).exec());
    }
    wait_for(&mut command(&executable, name, arguments))
}

#[cfg(not(unix))]
fn execute(executable: TempPath, name: &OsStr, arguments: &[OsString]) -> io::Result<i32> {
    wait_for(&mut command(&executable, name, arguments))
}

#[cfg(unix)]
fn command(executable: &Path, name: &OsStr, arguments: &[OsString]) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(executable);
    command.arg0(name).args(arguments);
    command
}

/// Where the system has no first argument apart from the path, the program sees the path.
#[cfg(not(unix))]
fn command(executable: &Path, _name: &OsStr, arguments: &[OsString]) -> Command {
    let mut command = Command::new(executable);
    command.args(arguments);
    command
}

fn wait_for(command: &mut Command) -> io::Result<i32> {
    let mut program = command.spawn()?;
    output::leave_interrupts_to_program();
    program.wait().map(exit_code_of)
}

#[cfg(unix)]
fn exit_code_of(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    let by_signal = || exit_code::SIGNAL_BASE + status.signal().unwrap_or(0);
    status.code().unwrap_or_else(by_signal)
}

#[cfg(not(unix))]
fn exit_code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or(exit_code::INTERNAL.into())
}
