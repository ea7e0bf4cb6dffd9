//! The specification's test suite, as native executables.
//!
//! Requires the corpus (`suites/spec-testsuite`). Programs are executed on one target of each
//! architecture, since compiled code differs by nothing else; those of vectors are also compiled
//! for all. What the suite holds beyond that stands in `specification.toml`, with exact counts: a
//! program that is refused no longer, or a directive left out unnoticed, is a failure.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::wast::{self, Program, Script};
use kiln_tests::{corpus, kiln, trial};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

/// Targets to execute on.
const EXECUTED: [&Target; 2] = [&target::LINUX_AMD64, &target::LINUX_ARM64];

/// Failures that one test reports at most.
const SHOWN: usize = 10;

/// What a refusal says of a proposal.
const REFUSAL: &str = "is not supported yet";

/// What is not executed of a script.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Exception {
    /// Directives that need several modules, or values from outside.
    left_out: usize,
    /// Programs that are refused for a proposal.
    refused: usize,
}

fn main() {
    let exceptions = exceptions();
    let mut trials = Vec::new();
    for path in scripts() {
        let file = file(&path);
        let exception = exceptions.get(&file).copied().unwrap_or_default();
        let name = format!("specification::{}", file.trim_end_matches(".wast"));
        let script = Arc::new(read(&path));
        if is_of_vectors(&file) {
            let script = Arc::clone(&script);
            trials.push(Trial::test(format!("{name}::compiled"), move || compile(&script)));
        }
        for target in EXECUTED {
            let script = Arc::clone(&script);
            trials
                .push(trial::on_target(&name, target, move || execute(&script, target, exception)));
        }
    }
    trial::conclude(trials)
}

fn exceptions() -> BTreeMap<String, Exception> {
    let path = kiln_tests::project().join("tests/specification.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// Folders of scripts: the merged specification, and supported proposals that are not part of it.
const FOLDERS: [&str; 2] = ["", "proposals/threads"];

fn suite() -> PathBuf {
    corpus::folder().join("suites/spec-testsuite")
}

/// Every script of these folders.
fn scripts() -> Vec<PathBuf> {
    let mut scripts = Vec::new();
    for folder in FOLDERS.map(|folder| suite().join(folder)) {
        let before = scripts.len();
        scripts.extend(
            fs::read_dir(&folder)
                .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
                .map(|entry| entry.expect("a readable folder").path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "wast")),
        );
        assert!(scripts.len() > before, "there are no scripts in {}", folder.display());
    }
    scripts.sort();
    scripts
}

/// What a script is known by: its path in the suite.
fn file(path: &Path) -> String {
    path.strip_prefix(suite()).unwrap_or(path).display().to_string().replace('\\', "/")
}

fn is_of_vectors(file: &str) -> bool {
    file.starts_with("simd_") || file.contains("relaxed")
}

fn read(path: &Path) -> Script {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    wast::read(&name, &text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compiles every program for every target.
fn compile(script: &Script) -> Result<(), Failed> {
    report(script, |program| {
        let scratch = kiln_tests::scratch()?;
        let module = scratch.path().join("module.wasm");
        fs::write(&module, &program.wasm)?;
        let arguments = ["build", "--quiet", "--emit", "obj", "--target", "all", "-o", "objects"];
        let arguments = arguments.iter().map(AsRef::as_ref).chain([module.as_os_str()]);
        let output = kiln::run(scratch.path(), &arguments.collect::<Vec<_>>())?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
        }
    })
}

/// Executes every program on a target; what is not executed must be just what is expected.
fn execute(script: &Script, target: &'static Target, expected: Exception) -> Result<(), Failed> {
    let mut found = Exception { left_out: script.left_out.len(), refused: 0 };
    report(script, |program| match run(program, target) {
        Err(failure) if failure.message().is_some_and(|text| text.contains(REFUSAL)) => {
            found.refused += 1;
            Ok(())
        }
        result => result,
    })?;
    match found == expected {
        true => Ok(()),
        false => Err(format!("found {found:?}, expected {expected:?}").into()),
    }
}

fn run(program: &Program, target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let module = scratch.path().join("module.wasm");
    fs::write(&module, &program.wasm)?;
    let execution = Execution {
        target,
        program: &kiln::build(scratch.path(), &module, target, &[])?,
        args: &[],
        folder: scratch.path(),
        environment: &[],
        stdin: &[],
    };
    Ok(program.expected.compare(&execution.run()?)?)
}

/// Checks every program of a script and reports the first failures.
fn report(
    script: &Script,
    mut check: impl FnMut(&Program) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let failures: Vec<String> = script
        .programs
        .iter()
        .filter_map(|program| Some((program.line, check(program).err()?)))
        .map(|(line, failure)| format!("line {line}: {}", failure.message().unwrap_or("no reason")))
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    let shown = failures.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
    Err(format!("{} of {} programs\n{shown}", failures.len(), script.programs.len()).into())
}
