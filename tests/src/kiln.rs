//! Builds modules with the `kiln` under test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use kiln_targets::Target;
use libtest_mimic::Failed;

/// The `kiln` under test: where `KILN` says, or beside the tests of the same profile.
///
/// # Panics
/// There is none.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let binary = std::env::var_os("KILN").map_or_else(beside_tests, PathBuf::from);
        assert!(
            binary.is_file(),
            "there is no kiln at {}; build it first, in the profile of the tests",
            binary.display()
        );
        binary
    })
}

/// Tests lie in `deps` of the folder that holds the profile's binaries.
fn beside_tests() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.parent().and_then(Path::parent).expect("tests lie in a profile's `deps`");
    folder.join(format!("kiln{}", std::env::consts::EXE_SUFFIX))
}

/// Runs `kiln` with those arguments in a folder.
///
/// # Errors
/// It could not be started.
pub fn run<S: AsRef<OsStr>>(folder: &Path, args: &[S]) -> Result<Output, Failed> {
    let output = Command::new(binary()).args(args).current_dir(folder).output();
    output.map_err(|error| format!("kiln could not be started: {error}").into())
}

/// Builds an executable of `module` in `folder` and returns its path.
///
/// # Errors
/// `kiln` refused; what it said.
pub fn build(
    folder: &Path,
    module: &Path,
    target: &Target,
    flags: &[String],
) -> Result<PathBuf, Failed> {
    let program = folder.join(format!("program{}", target.executable_suffix));
    let mut args = vec![OsStr::new("build"), OsStr::new("--quiet"), module.as_os_str()];
    args.extend([OsStr::new("--target"), OsStr::new(target.name)]);
    args.extend([OsStr::new("--output"), program.as_os_str()]);
    args.extend(flags.iter().map(OsStr::new));
    let output = run(folder, &args)?;
    if output.status.success() {
        return Ok(program);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("kiln build: {}\n{said}", output.status).into())
}

/// Checks that building `module` is refused as bad input, with a message that holds `text`.
///
/// # Errors
/// It is built, or refused otherwise.
pub fn must_refuse(folder: &Path, module: &Path, text: &str) -> Result<(), Failed> {
    const BAD_INPUT: i32 = 65;
    let [build, quiet, output] = ["build", "--quiet", "--output=out"].map(OsStr::new);
    let output = run(folder, &[build, quiet, module.as_os_str(), output])?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Err("it is built now: take it off the list of what is not supported".into());
    }
    if output.status.code() != Some(BAD_INPUT) || !said.contains(text) {
        let status = output.status;
        return Err(format!("refused otherwise than with {text:?}: {status}\n{said}").into());
    }
    Ok(())
}
