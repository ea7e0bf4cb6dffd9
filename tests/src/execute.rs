//! Executes a program of any target on this machine.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use kiln_targets::Target;

/// Seconds after which a program is ended, with exit code 124. Generous: arm64 is emulated, and
/// other tests run beside this one.
const TIME_LIMIT: &str = "180";

/// One run of a program.
#[derive(Debug, Clone, Copy)]
pub struct Execution<'a> {
    /// What the program was built for.
    pub target: &'static Target,
    /// The executable.
    pub program: &'a Path,
    /// Its arguments, without its own name.
    pub args: &'a [String],
    /// The working folder.
    pub folder: &'a Path,
    /// Variables to add to the environment.
    pub environment: &'a [(String, String)],
    /// What it reads from standard input.
    pub stdin: &'a [u8],
}

/// What a run did.
#[derive(Debug)]
pub struct Executed {
    /// Exit code; as a shell reports it where a signal ended the program.
    pub code: i32,
    /// Bytes written to standard output.
    pub stdout: Vec<u8>,
    /// Bytes written to standard error.
    pub stderr: Vec<u8>,
}

impl<'a> Execution<'a> {
    /// A run without arguments, variables and input.
    #[must_use]
    pub fn plain(target: &'static Target, program: &'a Path, folder: &'a Path) -> Self {
        Self { target, program, args: &[], folder, environment: &[], stdin: &[] }
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// It could not be started.
    pub fn run(&self) -> io::Result<Executed> {
        if cfg!(unix) {
            self.start(Command::new(runner()).arg(self.target.name).arg(self.program))
        } else {
            self.start(&mut Command::new(self.program))
        }
    }

    /// Has a line of bash start the program, as `"$@"`, and runs that to its end.
    ///
    /// # Errors
    /// It could not be started.
    pub fn run_by(&self, line: &str) -> io::Result<Executed> {
        let mut command = Command::new("bash");
        command.args(["-c", line, "bash"]).arg(runner()).arg(self.target.name).arg(self.program);
        self.start(&mut command)
    }

    fn start(&self, command: &mut Command) -> io::Result<Executed> {
        let stdin = if self.stdin.is_empty() {
            Stdio::null()
        } else {
            let path = self.folder.join(".stdin");
            fs::write(&path, self.stdin)?;
            let file = File::open(&path)?;
            // The open file is all that is needed; the program shall not see a name.
            fs::remove_file(&path)?;
            file.into()
        };
        let output = command
            .args(self.args)
            .current_dir(self.folder)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("KILN_RUN_TIMEOUT", TIME_LIMIT)
            .stdin(stdin)
            .output()?;
        let code = output.status.code().unwrap_or_else(|| signal_code(output.status));
        Ok(Executed { code, stdout: output.stdout, stderr: output.stderr })
    }
}

/// The script that executes a program of any target on this machine.
fn runner() -> PathBuf {
    crate::project().join("scripts/run-target")
}

#[cfg(unix)]
fn signal_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    128 + status.signal().unwrap_or(0)
}

#[cfg(not(unix))]
fn signal_code(_: std::process::ExitStatus) -> i32 {
    -1
}

/// Whether programs of a target can be executed here.
///
/// # Errors
/// They cannot: the reason.
pub fn readiness(target: &Target) -> Result<(), String> {
    if Target::host().is_some_and(|host| host.name == target.name) {
        return Ok(());
    }
    installed(target.name)
}

/// Whether scripts/install-runners has installed something.
///
/// # Errors
/// It has not: the reason.
pub fn installed(name: &str) -> Result<(), String> {
    static STATES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let states = STATES.get_or_init(|| {
        let script = crate::project().join("scripts/install-runners");
        let output = Command::new(script).arg("--check").stderr(Stdio::inherit()).output();
        let text = output.map_or_else(|_| Vec::new(), |output| output.stdout);
        String::from_utf8_lossy(&text)
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, state)| (name.to_owned(), state.to_owned()))
            .collect()
    });
    match states.get(name).map(String::as_str) {
        Some("ready") => Ok(()),
        Some(reason) => Err(reason.to_owned()),
        None => Err("scripts/install-runners does not work here".to_owned()),
    }
}
