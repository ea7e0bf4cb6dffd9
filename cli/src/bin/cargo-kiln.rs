//! `cargo kiln`: builds a crate for WASI with cargo, then fires the program with `kiln`.
//!
//!     cargo kiln build [OPTIONS OF CARGO] [-- OPTIONS OF KILN]
//!
//! The verb is `build`, `run` or `dist`. `dist` takes the version from the crate. Exit codes are
//! those of the command that failed.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

/// The only target of Rust whose programs are modules for WASI preview 1.
const TARGET: &str = "wasm32-wasip1";
const USAGE: &str = "usage: cargo kiln build|run|dist [OPTIONS OF CARGO] [-- OPTIONS OF KILN]";
const VERBS: [&str; 3] = ["build", "run", "dist"];
/// The exit codes of the README's table.
const WRONG_USAGE: u8 = 2;
const CANNOT_EXECUTE: u8 = 71;

/// A program that cargo built.
#[derive(Debug)]
struct Program {
    module: PathBuf,
    version: String,
}

/// Why nothing was fired.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{USAGE}")]
    Usage,
    #[error(
        "the Rust target {TARGET} is not installed\nhint: `rustup target add {TARGET}` installs it"
    )]
    NoTarget,
    #[error("cannot run `{}`: {source}", .program.to_string_lossy())]
    Start { program: OsString, source: std::io::Error },
    #[error("cargo built no program\nhint: the crate needs a `main`; libraries are not fired")]
    NoProgram,
    #[error("cargo built several programs\nhint: name one with `--bin`")]
    SeveralPrograms,
    /// It has said why.
    #[error("")]
    Failed(u8),
}

fn main() -> ExitCode {
    // cargo repeats the subcommand's name as the first argument.
    let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "kiln") {
        arguments.remove(0);
    }
    match fire(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Failed(code)) => ExitCode::from(code),
        Err(error) => {
            anstream::eprintln!("error: {error}");
            ExitCode::from(match error {
                Error::Start { .. } => CANNOT_EXECUTE,
                _ => WRONG_USAGE,
            })
        }
    }
}

fn fire(arguments: &[OsString]) -> Result<(), Error> {
    let (verb, rest) = arguments.split_first().ok_or(Error::Usage)?;
    let verb = VERBS.into_iter().find(|known| verb == known).ok_or(Error::Usage)?;
    let end = rest.iter().position(|argument| argument == "--").unwrap_or(rest.len());
    let (cargo_options, kiln_options) = rest.split_at(end);
    let kiln_options = kiln_options.get(1..).unwrap_or_default();
    if !is_target_installed()? {
        return Err(Error::NoTarget);
    }
    let program = build(cargo_options)?;

    let mut kiln = Command::new(kiln());
    kiln.arg(verb).arg(&program.module);
    if verb == "dist" && !kiln_options.iter().any(|option| option == "--version") {
        kiln.args(["--version", &program.version]);
    }
    finish(kiln.args(kiln_options))
}

/// Asks rustc where the target's library is, and looks whether it is there.
fn is_target_installed() -> Result<bool, Error> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&program)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|source| Error::Start { program, source })?;
    let folder = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
}

/// Builds the crate and finds its program among what cargo says it made.
fn build(options: &[OsString]) -> Result<Program, Error> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(&program);
    cargo.args(["build", "--release", "--target", TARGET]);
    cargo.arg("--message-format=json-render-diagnostics").args(options);
    let start = |source| Error::Start { program: program.clone(), source };
    let mut running = cargo.stdout(Stdio::piped()).spawn().map_err(start)?;
    let output = running.stdout.take().map(BufReader::new);
    let mut programs: Vec<Program> = output
        .into_iter()
        .flat_map(|output| output.lines().map_while(Result::ok))
        .filter_map(|line| self::program(&serde_json::from_str(&line).ok()?))
        .collect();
    let status = running.wait().map_err(start)?;
    if !status.success() {
        return Err(Error::Failed(exit_code(status)));
    }
    match programs.pop() {
        Some(_) if !programs.is_empty() => Err(Error::SeveralPrograms),
        found => found.ok_or(Error::NoProgram),
    }
}

/// The program that a message of cargo tells of.
fn program(message: &Value) -> Option<Program> {
    // `path+file:///folder#name@1.0.0`, or without the name when it is the folder's.
    let package = message["package_id"].as_str()?;
    let version = package.rsplit(['#', '@']).next()?.to_owned();
    let module = PathBuf::from(message["executable"].as_str()?);
    Some(Program { module, version })
}

/// `kiln` beside this program, or whichever is found by its name.
fn kiln() -> PathBuf {
    let name = format!("kiln{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok().and_then(|own| Some(own.parent()?.join(&name)));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}

fn finish(command: &mut Command) -> Result<(), Error> {
    let program = command.get_program().to_owned();
    let status = command.status().map_err(|source| Error::Start { program, source })?;
    if status.success() { Ok(()) } else { Err(Error::Failed(exit_code(status))) }
}

fn exit_code(status: std::process::ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(CANNOT_EXECUTE)
}
