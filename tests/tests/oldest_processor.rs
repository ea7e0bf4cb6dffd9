//! Code for the baseline of amd64 does the same on the oldest processor that has it: where machine
//! code relies on what an instruction does without an extension, an emulator without that shows.

use std::path::Path;
use std::process::Command;

use kiln_targets::{Target, target};
use kiln_tests::{execute, expect, kiln, root, trial};
use libtest_mimic::{Failed, Trial};

/// The first processors with all of x86-64-v2, and nothing of v3.
const PROCESSOR: &str = "Nehalem";

fn run(case: &Path) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let program = kiln::build(scratch.path(), case, &target::LINUX_AMD64, &[])?;
    let emulator = root::folder("amd64").join("usr/bin/qemu-x86_64");
    let output = Command::new(emulator).args(["-cpu", PROCESSOR]).arg(program).output()?;
    expect::same("standard error", b"", &output.stderr)?;
    expect::same("exit code", b"Some(0)", format!("{:?}", output.status.code()).as_bytes())
}

/// Why the emulator cannot run here, if so: it comes with the one of arm64.
fn missing() -> Option<String> {
    match Target::host() {
        Some(host) if host.name == target::LINUX_AMD64.name => {
            execute::readiness(&target::LINUX_ARM64).err()
        }
        _ => Some("the emulator is for linux-amd64".to_owned()),
    }
}

fn main() {
    let cases = kiln_tests::files(&kiln_tests::project().join("tests/cases/code"), "wat");
    let missing = missing();
    let trials = cases.into_iter().map(|case| {
        let name = case.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match &missing {
            None => Trial::test(name, move || run(&case)),
            Some(reason) => trial::not_executed(name, reason),
        }
    });
    trial::conclude(trials.collect())
}
