//! The example of the README: a Rust program that writes a file, reads it back and prints it.
//!
//! On every target; and on Linux as the only file of an otherwise empty root, which shows that
//! the executable needs nothing but the kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{expect, kiln, trial};
use libtest_mimic::{Failed, Trial};

const TEXT: &[u8] = b"Hello from a file!\n";

fn build(folder: &Path, target: &'static Target) -> Result<PathBuf, Failed> {
    let module = kiln_tests::project().join("examples/hello-file/hello-file.wasm");
    kiln::build(folder, &module, target, &["--dir".to_owned(), ".".to_owned()])
}

fn in_a_folder(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let program = build(scratch.path(), target)?;
    let execution = Execution::plain(target, &program, scratch.path());
    let executed = execution.run()?;
    expect::same("stderr", b"", &executed.stderr)?;
    expect::same("stdout", TEXT, &executed.stdout)?;
    expect::same("exit code", b"0", executed.code.to_string().as_bytes())?;
    expect::same("hello.txt", TEXT, &fs::read(scratch.path().join("hello.txt"))?)
}

/// In a root that holds the executable and nothing else. For arm64 an emulator of the host
/// executes it, and must find its way out of the root by itself: only amd64 is tested so.
fn in_an_empty_root() -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    build(scratch.path(), &target::LINUX_AMD64)?;
    let mut root = std::ffi::OsString::from("--root=");
    root.push(scratch.path());
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount"])
        .arg(root)
        .args(["--wd=/", "--", "/program"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()?;
    expect::same("stderr", b"", &output.stderr)?;
    expect::same("stdout", TEXT, &output.stdout)?;
    expect::same("hello.txt", TEXT, &fs::read(scratch.path().join("hello.txt"))?)
}

fn main() {
    let mut trials: Vec<Trial> = target::ALL
        .into_iter()
        .map(|target| trial::on_target("example::hello-file", target, move || in_a_folder(target)))
        .collect();
    trials.push(trial::on_target(
        "example::hello-file-in-empty-root",
        &target::LINUX_AMD64,
        in_an_empty_root,
    ));
    trial::conclude(trials)
}
