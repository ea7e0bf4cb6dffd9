//! The conformance tests of WASI preview 1, `wasi-testsuite`, as executables of every target.
//!
//! Each test is a module and, of the same name, an optional `.json` that says its arguments,
//! environment, root folder, exit code (0 if not given) and output (any if not given). The grants
//! are built in, the root folder is a fresh copy. Requires the corpus (`suites/wasi-testsuite`).
//!
//! `wasi-testsuite.toml` lists what cannot pass where, with the reason, which is never ours. A
//! listed test is executed all the same, and must fail in the way that is listed.
//!
//! On this machine's own Linux each test is executed once more with both of the kernel's layers in
//! force (`--harden`): they must not take away what is granted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{corpus, expect, kiln, trial};
use libtest_mimic::Failed;
use serde::Deserialize;

/// Folders that tests expect in their root and that no archive keeps, because they are empty.
const EMPTY_FOLDERS: [&str; 1] = ["writeable"];

/// Flags that put both layers in force. A kernel that lacks one cannot show what is tested, so a
/// program without them does not begin.
const HARDENED: [&str; 2] = ["--harden", "landlock=required,seccomp=required"];

/// A test's `.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Specification {
    args: Vec<String>,
    env: BTreeMap<String, String>,
    /// A folder beside the test that is the program's `/`.
    root: Option<PathBuf>,
    exit_code: i32,
    stdout: Option<String>,
    stderr: Option<String>,
}

#[derive(Debug)]
struct Test {
    /// Toolchain and name, such as `c/lseek`.
    name: String,
    module: PathBuf,
    specification: Specification,
}

impl Test {
    /// The test of a module of the suite, which lies at `toolchain/testsuite/version/name.wasm`.
    fn new(suite: &Path, module: &Path) -> Self {
        let relative = module.strip_prefix(suite).expect("a test lies in the suite");
        let toolchain = relative.iter().next().expect("a test lies in a folder").display();
        let name = module.file_stem().expect("a test has a name").display();
        let specification = match fs::read(module.with_extension("json")) {
            Ok(text) => serde_json::from_slice(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", module.display())),
            Err(_) => Specification::default(),
        };
        Self { name: format!("{toolchain}/{name}"), module: module.to_owned(), specification }
    }

    fn run(&self, target: &'static Target, flags: &[&str]) -> Result<(), Failed> {
        let scratch = kiln_tests::scratch()?;
        let folder = scratch.path();
        let specification = &self.specification;
        let mut flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        for (name, value) in &specification.env {
            flags.extend(["--env".to_owned(), format!("{name}={value}")]);
        }
        if let Some(root) = &specification.root {
            let copy = folder.join("root");
            corpus::copy_folder(&self.module.with_file_name(root), &copy)?;
            for name in EMPTY_FOLDERS {
                fs::create_dir_all(copy.join(name))?;
            }
            flags.extend(["--dir", "root::/"].map(str::to_owned));
        }
        let program = kiln::build(folder, &self.module, target, &flags)?;
        let execution = Execution {
            target,
            program: &program,
            args: &specification.args,
            folder,
            environment: &[],
            stdin: &[],
        };
        let executed = execution.run()?;
        if executed.code != specification.exit_code {
            let said = String::from_utf8_lossy(&executed.stderr);
            let wanted = specification.exit_code;
            return Err(format!("exit code {}, not {wanted}\n{said}", executed.code).into());
        }
        for (what, wanted, found) in [
            ("stdout", &specification.stdout, executed.stdout),
            ("stderr", &specification.stderr, executed.stderr),
        ] {
            wanted.as_ref().map_or(Ok(()), |text| expect::same(what, text.as_bytes(), &found))?;
        }
        Ok(())
    }
}

/// What keeps a test from passing on a target that a runner executes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    tests: Vec<String>,
    targets: Vec<String>,
    reason: String,
    /// A text of the failure.
    says: String,
}

impl Exception {
    /// Turns the failure that is expected into success.
    fn judge(&self, result: Result<(), Failed>) -> Result<(), Failed> {
        let Err(failure) = result else {
            return Err("it passes: take it out of wasi-testsuite.toml".into());
        };
        let message = failure.message().unwrap_or_default();
        if message.contains(&self.says) {
            return Ok(());
        }
        Err(format!("fails otherwise than with {:?}: {message}", self.says).into())
    }
}

/// `wasi-testsuite.toml`, by test and target.
fn exceptions() -> BTreeMap<(String, String), Exception> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        exceptions: Vec<Exception>,
    }
    let list: List =
        toml::from_str(include_str!("../wasi-testsuite.toml")).expect("wasi-testsuite.toml");
    let mut exceptions = BTreeMap::new();
    for exception in list.exceptions {
        assert!(!exception.reason.trim().is_empty(), "{exception:?} has no reason");
        for test in &exception.tests {
            for name in &exception.targets {
                let target: &Target = name.parse().expect("exceptions name targets");
                if Target::host().is_some_and(|host| host.name == target.name) {
                    continue;
                }
                exceptions.insert((test.clone(), target.name.to_owned()), exception.clone());
            }
        }
    }
    exceptions
}

fn main() {
    let suite = corpus::folder().join("suites/wasi-testsuite");
    let mut exceptions = exceptions();
    let mut trials = Vec::new();
    for module in kiln_tests::files(&suite, "wasm") {
        let test = Arc::new(Test::new(&suite, &module));
        for target in target::ALL {
            let run = Arc::clone(&test);
            let exception = exceptions.remove(&(test.name.clone(), target.name.to_owned()));
            let name = format!("wasi-testsuite::{}", test.name);
            trials.push(trial::on_target(&name, target, move || {
                let result = run.run(target, &[]);
                match exception {
                    Some(exception) => exception.judge(result),
                    None => result,
                }
            }));
        }
        if cfg!(target_os = "linux") {
            let host = Target::host().expect("tests run on a target");
            let name = format!("wasi-testsuite-hardened::{}", test.name);
            trials.push(trial::on_target(&name, host, move || test.run(host, &HARDENED)));
        }
    }
    assert!(exceptions.is_empty(), "exceptions of tests that there are not: {exceptions:?}");
    trial::conclude(trials)
}
