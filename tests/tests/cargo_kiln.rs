//! `cargo kiln`, with a crate and Rust's own library for WASI: `tests/cargo-kiln`, built by cargo in a
//! root that scripts/install-runners unpacks, and fired into executables that are executed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_targets::{Target, target};
use kiln_tests::execute::{Execution, installed};
use kiln_tests::{expect, kiln, root, trial};
use libtest_mimic::{Failed, Trial};

const INPUT: &[u8] = b"so much depends upon so much\n";

/// Copies the crate to `folder`.
fn copy_crate(folder: &Path) -> std::io::Result<()> {
    let from = kiln_tests::project().join("tests/cargo-kiln");
    fs::create_dir_all(folder.join("src"))?;
    fs::create_dir(folder.join("out"))?;
    for file in ["Cargo.toml", "src/main.rs"] {
        fs::copy(from.join(file), folder.join(file))?;
    }
    Ok(())
}

/// `cargo kiln` in the root, with the `kiln` under test on its path.
fn cargo_kiln(folder: &Path) -> Command {
    let mut command = root::command("rust", "cargo");
    let kiln = kiln::binary().parent().unwrap_or(Path::new(""));
    command.arg("kiln").current_dir(folder);
    command.env("PATH", format!("{}:/usr/bin", kiln.display()));
    command.env("CARGO_HOME", folder.join("cargo")).env_remove("CARGO_TARGET_DIR");
    // Debian has this linker under its own name alone.
    command.env("CARGO_TARGET_WASM32_WASIP1_LINKER", "wasm-ld");
    command
}

fn must_succeed(command: &mut Command) -> Result<(), Failed> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("cargo kiln: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Builds the crate for `target` and runs the program.
fn build(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let folder = scratch.path();
    copy_crate(folder)?;
    let name = format!("program{}", target.executable_suffix);
    let kiln_options = ["--", "--quiet", "--dir=out", "--target", target.name, "-o", &name];
    must_succeed(cargo_kiln(folder).args(["build", "--quiet"]).args(kiln_options))?;
    let program = folder.join(name);
    let args = ["upon".to_owned()];
    let plain = Execution::plain(target, &program, folder);
    let executed = Execution { args: &args, stdin: INPUT, ..plain }.run()?;
    expect::same("stderr", b"", &executed.stderr)?;
    expect::same("stdout", b"3 words\n", &executed.stdout)?;
    expect::same("exit code", b"3", executed.code.to_string().as_bytes())?;
    let written = fs::read(folder.join("out/words.txt"))?;
    expect::same("the file", b"depends 1\nmuch 2\nso 2\n", &written)
}

/// Runs the crate's program at once, and makes a release of it, whose version is the crate's.
fn run_and_release() -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let folder = scratch.path();
    copy_crate(folder)?;
    let output =
        cargo_kiln(folder).args(["run", "--quiet", "--", "--quiet", "--dir=out"]).output()?;
    expect::same("stdout", b"0 words\n", &output.stdout)?;
    must_succeed(cargo_kiln(folder).args(["dist", "--", "--target=linux-amd64"]))?;
    let archive: PathBuf = folder.join("dist/count-words-0.3.1-linux-amd64.tar.gz");
    if archive.is_file() { Ok(()) } else { Err("the release has another version".into()) }
}

/// A test that also needs Rust's library.
fn with_rust(
    name: &str,
    target: &'static Target,
    run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    match installed("wasm32-wasip1") {
        Ok(()) => trial::on_target(name, target, run),
        Err(reason) => {
            trial::not_executed(format!("{name}::{target}"), format!("wasm32-wasip1: {reason}"))
        }
    }
}

fn main() {
    let mut trials: Vec<Trial> = target::ALL
        .into_iter()
        .map(|target| with_rust("cargo_kiln", target, || build(target)))
        .collect();
    trials.push(with_rust("cargo_kiln::run_and_release", &target::LINUX_AMD64, run_and_release));
    trial::conclude(trials)
}
