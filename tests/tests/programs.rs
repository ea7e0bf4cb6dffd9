//! Real programs of many toolchains: output, exit code and files must be what they are elsewhere.
//!
//! Requires the corpus (`programs.json`). Programs that are not supported yet stand in
//! `unsupported.toml`; building them must be refused with the reason that stands there.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use kiln_targets::Target;
use kiln_tests::corpus::{self, Grant};
use kiln_tests::execute::Execution;
use kiln_tests::trial::{self, Targets};
use kiln_tests::{expect, kiln};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

/// Modules up to this size are executed on every target; larger ones only on the reference.
const SMALL: u64 = 1 << 20;

/// An entry of `programs.json`.
#[derive(Debug, Deserialize)]
struct Program {
    name: String,
    wasm: PathBuf,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    dirs: Vec<Grant>,
    stdin: Option<PathBuf>,
    expected_stdout: PathBuf,
    exit_code: i32,
    /// For each of `dirs`, the files that must be there afterwards, with their SHA-256.
    expected_files: Vec<BTreeMap<String, String>>,
    check_stderr: bool,
}

impl Program {
    fn targets(&self) -> Targets {
        let size = fs::metadata(corpus::folder().join(&self.wasm)).map_or(0, |file| file.len());
        if size <= SMALL { Targets::All } else { Targets::Reference }
    }

    fn run(&self, target: &'static Target) -> Result<(), Failed> {
        let corpus = corpus::folder();
        let scratch = kiln_tests::scratch()?;
        let mut flags = Vec::new();
        for (name, value) in &self.env {
            flags.extend(["--env".to_owned(), format!("{name}={value}")]);
        }
        // Granted folders are found relative to the working folder, on every system alike.
        for (index, grant) in self.dirs.iter().enumerate() {
            let copy = format!("granted-{index}");
            corpus::copy_folder(&corpus.join(&grant.host), &scratch.path().join(&copy))?;
            flags.extend(["--dir".to_owned(), format!("{copy}::{}", grant.guest)]);
        }
        let program = kiln::build(scratch.path(), &corpus.join(&self.wasm), target, &flags)?;
        let stdin = match &self.stdin {
            Some(path) => fs::read(corpus.join(path))?,
            None => Vec::new(),
        };
        let execution = Execution {
            target,
            program: &program,
            args: &self.args,
            folder: scratch.path(),
            environment: &[],
            stdin: &stdin,
        };
        let executed = execution.run()?;

        let said = String::from_utf8_lossy(&executed.stderr);
        if executed.code != self.exit_code {
            return Err(format!("exit code {}\n{said}", executed.code).into());
        }
        expect::same("stdout", &fs::read(corpus.join(&self.expected_stdout))?, &executed.stdout)?;
        if self.check_stderr {
            let expected = corpus.join(self.expected_stdout.with_extension("stderr"));
            expect::same("stderr", &fs::read(expected)?, &executed.stderr)?;
        }
        for (index, files) in self.expected_files.iter().enumerate() {
            for (name, hash) in files {
                let path = scratch.path().join(format!("granted-{index}")).join(name);
                let bytes = fs::read(&path).map_err(|error| format!("file {name}: {error}"))?;
                expect::same(name, hash.as_bytes(), expect::sha256(&bytes).as_bytes())?;
            }
        }
        Ok(())
    }
}

/// `unsupported.toml`: for each program, a text of the message that refuses it.
fn unsupported() -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct List {
        programs: BTreeMap<String, String>,
    }
    let list: List = toml::from_str(include_str!("../unsupported.toml")).expect("unsupported.toml");
    list.programs
}

fn main() {
    let mut unsupported = unsupported();
    let mut trials = Vec::new();
    for program in corpus::list::<Program>("programs.json") {
        let program = Arc::new(program);
        if let Some(text) = unsupported.remove(&program.name) {
            let name = format!("programs::{}::refused", program.name);
            trials.push(Trial::test(name, move || {
                let scratch = kiln_tests::scratch()?;
                kiln::must_refuse(scratch.path(), &corpus::folder().join(&program.wasm), &text)
            }));
            continue;
        }
        for &target in program.targets().list() {
            let run = Arc::clone(&program);
            trials.push(trial::on_target(
                &format!("programs::{}", program.name),
                target,
                move || run.run(target),
            ));
        }
    }
    assert!(unsupported.is_empty(), "unsupported.toml names unknown programs: {unsupported:?}");
    trial::conclude(trials)
}
