//! The specification's scripts of 128-bit SIMD and relaxed SIMD.
//!
//! Requires the corpus (`suites/spec-testsuite`). Programs are executed on one target of each
//! architecture, since compiled code differs by nothing else; they are compiled for all.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::wast::{self, Program, Script};
use kiln_tests::{corpus, kiln, trial};
use libtest_mimic::{Failed, Trial};

/// Scripts of which some directives need several modules, and how many such directives they have.
const LEFT_OUT: &[(&str, usize)] = &[("simd_linking.wast", 2)];

/// Targets to execute on.
const EXECUTED: [&Target; 2] = [&target::LINUX_AMD64, &target::LINUX_ARM64];

/// Failures that one test reports at most.
const SHOWN: usize = 10;

fn main() {
    let mut trials = Vec::new();
    for path in scripts() {
        let script = Arc::new(read(&path));
        let name = path.file_stem().expect("a script has a name").to_string_lossy().into_owned();
        let compiled = Arc::clone(&script);
        trials.push(Trial::test(format!("simd::{name}::compiled"), move || compile(&compiled)));
        for target in EXECUTED {
            let script = Arc::clone(&script);
            trials.push(trial::on_target(&format!("simd::{name}"), target, move || {
                execute(&script, target)
            }));
        }
    }
    trial::conclude(trials)
}

/// Every script of the two proposals.
fn scripts() -> Vec<PathBuf> {
    let folder = corpus::folder().join("suites/spec-testsuite");
    let mut scripts: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".wast") && (name.starts_with("simd_") || name.contains("relaxed"))
        })
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "there are no scripts in {}", folder.display());
    scripts
}

/// Reads a script and sees to it that nothing of it is left out unnoticed.
fn read(path: &Path) -> Script {
    let name = path.file_name().expect("a script has a name").to_string_lossy();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let script = wast::read(&name, &text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let known = LEFT_OUT.iter().find(|(script, _)| *script == name).map_or(0, |(_, count)| *count);
    assert!(script.left_out.len() == known, "{name} leaves out {:?}", script.left_out);
    script
}

/// Compiles every program for every target.
fn compile(script: &Script) -> Result<(), Failed> {
    each(script, |program| {
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

/// Executes every program on a target.
fn execute(script: &Script, target: &'static Target) -> Result<(), Failed> {
    each(script, |program| {
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
    })
}

/// Checks every program of a script and reports the first failures.
fn each(script: &Script, check: impl Fn(&Program) -> Result<(), Failed>) -> Result<(), Failed> {
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
