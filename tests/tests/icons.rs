//! Icons of Windows executables: they are shown, and change nothing else.
//!
//! What Windows would show is asked of wine: `windows/icons.c` loads each executable as data and has
//! the system choose and decode an icon. Its compiler is for windows/amd64 alone, but it reads the
//! executables of both.

use std::fs;
use std::path::Path;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{c_compiler, expect, kiln, trial};
use libtest_mimic::{Failed, Trial};

const WINDOWS: [&Target; 2] = [&target::WINDOWS_AMD64, &target::WINDOWS_ARM64];

/// Of `windows/three.ico`, whose images are a bitmap of 16 colours, one of 32 bits, and a PNG.
const SHOWN: &str = "16x16 102030\n32x32 405060\n256x256 708090\n";

/// Builds a program in `folder`, with those flags; gives its name.
fn build(folder: &Path, target: &'static Target, flags: &[&str]) -> Result<String, Failed> {
    let project = kiln_tests::project();
    let module = project.join("tests/cases/exit/forty-two.wat");
    let name = format!("{target}.exe");
    fs::copy(project.join("tests/windows/three.ico"), folder.join("three.ico"))?;
    let module = module.to_string_lossy();
    let build = ["build", "--quiet", &module, "-t", target.name, "-o", &name];
    let output = kiln::run(folder, &[&build, flags].concat())?;
    if output.status.success() {
        return Ok(name);
    }
    Err(format!("kiln build: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// A program with an icon does what it does without.
fn run(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let folder = scratch.path();
    let name = build(folder, target, &["--icon", "three.ico"])?;
    let executed = Execution::plain(target, &folder.join(name), folder).run()?;
    expect::same("exit code", b"42", executed.code.to_string().as_bytes())
}

/// The system finds the icon of every size in the executables of both architectures, and none where
/// none was given.
fn show(mut compiler: std::process::Command) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let folder = scratch.path();
    fs::copy(kiln_tests::project().join("tests/windows/icons.c"), folder.join("icons.c"))?;
    compiler.current_dir(folder).args(["-Wall", "-Wextra", "-Werror", "icons.c"]);
    let output = compiler.args(["-o", "icons.exe", "-lgdi32"]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let show = |args: &[String]| -> Result<String, Failed> {
        let program = folder.join("icons.exe");
        let plain = Execution::plain(&target::WINDOWS_AMD64, &program, folder);
        let executed = Execution { args, ..plain }.run()?;
        Ok(String::from_utf8_lossy(&executed.stdout).replace('\r', ""))
    };
    let mut names = Vec::new();
    for target in WINDOWS {
        names.push(build(folder, target, &["--icon", "three.ico"])?);
    }
    expect::same("icons", SHOWN.repeat(2).as_bytes(), show(&names)?.as_bytes())?;
    let name = build(folder, WINDOWS[0], &[])?;
    let none = format!("{name}: no icon\n");
    expect::same("without one", none.as_bytes(), show(&[name])?.as_bytes())
}

fn main() {
    let mut trials: Vec<Trial> = WINDOWS
        .into_iter()
        .map(|target| trial::on_target("run", target, move || run(target)))
        .collect();
    trials.push(match c_compiler::find(WINDOWS[0]) {
        Some(compiler) => trial::on_target("show", WINDOWS[0], move || show(compiler)),
        None => trial::not_executed("show::windows-amd64", c_compiler::MISSING),
    });
    trial::conclude(trials)
}
