//! The benchmark modules compute what other engines compute: a check of code generation by
//! programs that loop, multiply, convert, hash, sort and call through tables.
//!
//! Requires the corpus (`bench.json`). What is expected stands in `benchmarks.toml`. With the full
//! arguments on linux/amd64; with smaller ones on the other targets, which are emulated. Code that
//! is not optimized must compute the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{corpus, expect, kiln, trial};
use libtest_mimic::Failed;
use serde::Deserialize;

/// An entry of `bench.json`.
#[derive(Debug, Deserialize)]
struct Benchmark {
    name: String,
    wasm: PathBuf,
    args: Vec<String>,
}

/// A table of `benchmarks.toml`.
#[derive(Debug, Deserialize)]
struct Expected {
    /// Standard output with the arguments of `bench.json`.
    full: String,
    small: Option<Run>,
}

/// Arguments, and what the module then prints.
#[derive(Debug, Clone, Deserialize)]
struct Run {
    args: Vec<String>,
    stdout: String,
}

fn execute(
    wasm: &PathBuf,
    run: &Run,
    target: &'static Target,
    flags: &[String],
) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let program = kiln::build(scratch.path(), &corpus::folder().join(wasm), target, flags)?;
    let execution = Execution {
        target,
        program: &program,
        args: &run.args,
        folder: scratch.path(),
        environment: &[],
        stdin: &[],
    };
    let executed = execution.run()?;
    if executed.code != 0 {
        let said = String::from_utf8_lossy(&executed.stderr);
        return Err(format!("exit code {}\n{said}", executed.code).into());
    }
    expect::same("stdout", run.stdout.as_bytes(), &executed.stdout)
}

fn main() {
    let mut expected: BTreeMap<String, Expected> =
        toml::from_str(include_str!("../benchmarks.toml")).expect("benchmarks.toml");
    let mut trials = Vec::new();
    for benchmark in corpus::list::<Benchmark>("bench.json") {
        let name = format!("benchmarks::{}", benchmark.name);
        let Some(expected) = expected.remove(&benchmark.name) else {
            panic!("benchmarks.toml does not say what {} prints", benchmark.name);
        };
        let full = Run { args: benchmark.args, stdout: expected.full };
        for target in target::ALL {
            let run = if target.name == target::LINUX_AMD64.name {
                full.clone()
            } else if let Some(small) = &expected.small {
                small.clone()
            } else {
                continue;
            };
            let wasm = benchmark.wasm.clone();
            let on_host = target.name == target::LINUX_AMD64.name;
            if let Some(run) = expected.small.clone().filter(|_| on_host) {
                let (name, wasm) = (format!("{name}::unoptimized"), wasm.clone());
                let flags = ["--opt=none".to_owned()];
                trials.push(trial::on_target(&name, target, move || {
                    execute(&wasm, &run, target, &flags)
                }));
            }
            trials.push(trial::on_target(&name, target, move || execute(&wasm, &run, target, &[])));
        }
    }
    assert!(expected.is_empty(), "benchmarks.toml names modules that are not in bench.json");
    trial::conclude(trials)
}
