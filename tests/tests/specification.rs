//! The specification's test suite, as native executables.
//!
//! Requires the corpus (`suites/spec-testsuite`). What is left out stands in `specification.toml`
//! with exact counts: a directive too many or too few is a failure.
//!
//! Ends with a table of the directives that held, by part of the specification and target.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use kiln_targets::{Target, target};
use kiln_tests::wast::{self, Program, Script};
use kiln_tests::{corpus, trial};
use libtest_mimic::{Arguments, Failed};
use serde::Deserialize;

/// Failures that one test reports at most.
const SHOWN: usize = 10;

/// What is special about scripts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    /// Parts of the specification, each with the patterns of its scripts' names; the first that
    /// matches counts.
    parts: Vec<Part>,
    /// For each script and proposal that is not supported, how many directives concern it.
    left_out: BTreeMap<String, BTreeMap<String, usize>>,
    /// For each script, the lines of modules that were to be refused before a later proposal
    /// admitted them.
    overtaken: BTreeMap<String, Vec<usize>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    name: String,
    /// Names of scripts, or their beginnings if they end in `*`.
    scripts: Vec<String>,
}

impl Part {
    fn has(&self, script: &str) -> bool {
        self.scripts.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => script.starts_with(start),
            None => script == pattern,
        })
    }
}

/// Directives of a part of the specification on a target.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    held: usize,
    all: usize,
}

/// What was counted, by the position of the part.
static COUNTS: LazyLock<Mutex<BTreeMap<(usize, &'static str), Count>>> =
    LazyLock::new(Mutex::default);

fn main() {
    let suite = Arc::new(suite());
    let mut trials = Vec::new();
    for path in scripts() {
        let name = script_name(&path);
        let script = Arc::new(LazyLock::new({
            let (path, name) = (path.clone(), name.clone());
            move || read(&path, &name)
        }));
        for target in target::ALL {
            let (suite, script, name) = (Arc::clone(&suite), Arc::clone(&script), name.clone());
            trials.push(trial::on_target(&format!("specification::{name}"), target, move || {
                execute(&suite, &name, (**script).as_ref()?, target)
            }));
        }
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    print_table(&suite);
    conclusion.exit()
}

fn suite() -> Suite {
    let path = kiln_tests::project().join("tests/specification.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn folder() -> PathBuf {
    corpus::folder().join("suites/spec-testsuite")
}

/// The path below the suite's folder, without its ending.
fn script_name(path: &Path) -> String {
    let name = path.strip_prefix(folder()).unwrap_or(path).with_extension("");
    name.to_string_lossy().replace('\\', "/")
}

/// Every script of the merged specification, of threads, and of the legacy exceptions.
fn scripts() -> Vec<PathBuf> {
    let mut scripts = Vec::new();
    for folder in [folder(), folder().join("legacy"), folder().join("proposals/threads")] {
        let entries = fs::read_dir(&folder);
        let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let paths = entries.map(|entry| entry.expect("a readable folder").path());
        scripts.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "wast")));
    }
    scripts.sort();
    assert!(!scripts.is_empty(), "there are no scripts in {}", folder().display());
    scripts
}

fn read(path: &Path, name: &str) -> Result<Script, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    wast::read(&format!("{name}.wast"), &text)
}

/// Executes a script on a target; what is left out must be just what is expected.
fn execute(
    suite: &Suite,
    name: &str,
    script: &Script,
    target: &'static Target,
) -> Result<(), Failed> {
    let mut failures = Vec::new();
    let mut count = Count { held: 0, all: script.directives() - script.left_out.len() };
    let overtaken = suite.overtaken.get(name).map_or(&[][..], Vec::as_slice);
    for refusal in &script.refusals {
        let line = refusal.line;
        match (refusal.error.is_some(), overtaken.contains(&line)) {
            (true, false) => count.held += 1,
            (false, true) => count.all -= 1,
            (false, false) => failures.push(format!("line {line}: must be refused")),
            (true, true) => failures.push(format!("line {line}: is refused after all")),
        }
    }
    for program in &script.programs {
        match run(program, target) {
            Ok(()) => count.held += program.directives(),
            Err(failure) => {
                let reason = failure.message().unwrap_or("no reason").to_owned();
                failures.push(format!("program of line {}: {reason}", program.line()));
            }
        }
    }
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    for directive in &script.left_out {
        *left_out.entry(directive.proposal.clone()).or_default() += 1;
        note(suite, &directive.proposal, target, Count { held: 0, all: 1 });
    }
    let expected = suite.left_out.get(name).cloned().unwrap_or_default();
    if left_out != expected {
        failures.push(format!("left out: {left_out:?}, expected {expected:?}"));
    }
    note(suite, name, target, count);
    if failures.is_empty() {
        return Ok(());
    }
    let shown = failures.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
    Err(format!("{} failures\n{shown}", failures.len()).into())
}

fn run(program: &Program, target: &'static Target) -> Result<(), Failed> {
    let executed = program.execute(target)?;
    match executed.code {
        0 => Ok(()),
        code => {
            let said = String::from_utf8_lossy(&executed.stderr);
            Err(format!("exit code {code}\n{said}").into())
        }
    }
}

/// Counts directives of a script, or of a proposal.
fn note(suite: &Suite, name: &str, target: &'static Target, count: Count) {
    let part = suite.parts.iter().position(|part| part.has(name)).unwrap_or(suite.parts.len());
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let sum = counts.entry((part, target.name)).or_default();
    sum.held += count.held;
    sum.all += count.all;
}

/// Prints, for every part and target, how many directives held of how many.
fn print_table(suite: &Suite) {
    let counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    if counts.is_empty() {
        return;
    }
    print!("\n| part |");
    for target in target::ALL {
        print!(" {} |", target.name);
    }
    print!("\n|---|");
    for _ in target::ALL {
        print!("---|");
    }
    println!();
    let names = suite.parts.iter().map(|part| part.name.as_str()).chain(["core"]);
    for (part, name) in names.enumerate() {
        print!("| {name} |");
        for target in target::ALL {
            match counts.get(&(part, target.name)) {
                Some(Count { held, all }) => {
                    let percent = *held as f64 * 100.0 / *all as f64;
                    print!(" {percent:.1} % of {all} |");
                }
                None => print!(" |"),
            }
        }
        println!();
    }
}
