//! C programs that are linked with the libraries Kiln makes of `libraries/mixed.wat`, both kinds, and
//! call them: `libraries/mixed.c`.
//!
//! Compilers are this machine's own `cc` for its own target, and those of scripts/install-runners for
//! linux/arm64 and windows/amd64. There is none for the other three targets: their libraries are
//! read as their system's loader and linkers would, but not executed, and so the tests are named.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_targets::{ObjectFormat, Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{c_compiler, expect, kiln, root, trial};
use libtest_mimic::{Failed, Trial};
use object::read::NameOrOrdinal;
use object::read::archive::ArchiveFile;
use object::{File, Object as _, ObjectSymbol as _};

/// The targets that no C program is compiled for here.
const NOT_EXECUTED: [&Target; 3] =
    [&target::DARWIN_AMD64, &target::DARWIN_ARM64, &target::WINDOWS_ARM64];

/// Builds the library in `folder`; gives its path.
fn build(folder: &Path, target: &'static Target, emit: &str) -> Result<PathBuf, Failed> {
    let module = kiln_tests::project().join("tests/libraries/mixed.wat");
    let (before, behind) =
        if emit == "cdylib" { target.shared_library } else { target.static_library };
    let library = folder.join(format!("{before}mixed{behind}"));
    let args = [
        "build",
        "--quiet",
        "--dir=.",
        &module.to_string_lossy(),
        &format!("--emit={emit}"),
        &format!("--target={target}"),
        &format!("--output={}", library.display()),
    ];
    let output = kiln::run(folder, &args)?;
    if output.status.success() {
        return Ok(library);
    }
    Err(format!("kiln build: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Compiles the program, links it with the library and runs it.
fn call(target: &'static Target, emit: &str, mut compiler: Command) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let folder = scratch.path();
    let library = build(folder, target, emit)?;
    fs::copy(kiln_tests::project().join("tests/libraries/mixed.c"), folder.join("mixed.c"))?;
    let program = folder.join(format!("program{}", target.executable_suffix));
    compiler.current_dir(folder).args(["-Wall", "-Wextra", "-Werror", "-O1", "-I."]);
    compiler.arg("mixed.c").arg(&library).arg("-o").arg(&program);
    if target.format == ObjectFormat::Coff {
        compiler.args(["-lntdll", "-lws2_32", "-lsynchronization"]);
    } else {
        compiler.args(["-pthread", "-Wl,-rpath,$ORIGIN"]);
    }
    let output = compiler.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    // Where emulated programs find their C library.
    let libraries =
        root::folder("amd64").join("usr/aarch64-linux-gnu").to_string_lossy().into_owned();
    let environment = [("QEMU_LD_PREFIX".to_owned(), libraries)];
    let execution =
        Execution { environment: &environment, ..Execution::plain(target, &program, folder) };
    let executed = execution.run()?;
    let said = String::from_utf8_lossy(&executed.stdout).replace('\r', "");
    expect::same("stdout", b"written by wasm\nok\n", said.as_bytes())?;
    expect::same("exit code", b"0", executed.code.to_string().as_bytes())
}

/// What the header declares, by its names.
fn declared(folder: &Path) -> Result<BTreeSet<String>, Failed> {
    let header = fs::read_to_string(folder.join("mixed.h"))?;
    let name = |line: &str| {
        let (before, _) = line.strip_suffix(");")?.split_once('(')?;
        before.split([' ', '*']).next_back().map(str::to_owned)
    };
    Ok(header.lines().filter_map(name).collect())
}

/// Checks that both kinds of library define exactly what the header declares, and nothing else that
/// a program could clash with.
fn define(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let folder = scratch.path();
    let undecorated = |name: &[u8]| {
        let name = String::from_utf8_lossy(name).into_owned();
        let prefix = if target.format == ObjectFormat::MachO { "_" } else { "" };
        name.strip_prefix(prefix).unwrap_or_default().to_owned()
    };
    let shared = fs::read(build(folder, target, "cdylib")?)?;
    let wanted = declared(folder)?;
    let file = File::parse(&*shared)?;
    let mut found = BTreeSet::new();
    for export in file.exports()? {
        if let NameOrOrdinal::Name(name) = export?.name() {
            found.insert(undecorated(name));
        }
    }
    same("the shared library", &wanted, &found)?;
    let library = fs::read(build(folder, target, "staticlib")?)?;
    let archive = ArchiveFile::parse(&*library)?;
    let index = archive.symbols()?.ok_or("the archive has no index")?;
    let mut found = BTreeSet::new();
    for symbol in index {
        found.insert(undecorated(symbol?.name()));
    }
    same("the archive's index", &wanted, &found)?;
    let member = archive.members().next().ok_or("the archive is empty")??;
    let object = File::parse(member.data(&*library)?)?;
    let found = object
        .symbols()
        .filter(|symbol| symbol.is_global() && symbol.is_definition())
        .map(|symbol| symbol.name_bytes().map(undecorated))
        .collect::<Result<_, _>>()?;
    same("the object", &wanted, &found)
}

fn same(what: &str, wanted: &BTreeSet<String>, found: &BTreeSet<String>) -> Result<(), Failed> {
    let text = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join("\n");
    expect::same(what, text(wanted).as_bytes(), text(found).as_bytes())
}

fn main() {
    let mut trials = Vec::new();
    for target in target::ALL {
        if NOT_EXECUTED.contains(&target) {
            let name = format!("define_but_not_executed::{}_library", target.name);
            trials.push(Trial::test(name, || define(target)));
            continue;
        }
        trials.push(Trial::test(format!("define::{}_library", target.name), || define(target)));
        for emit in ["cdylib", "staticlib"] {
            trials.push(match c_compiler::find(target) {
                Some(compiler) => {
                    trial::on_target(emit, target, move || call(target, emit, compiler))
                }
                None => trial::not_executed(format!("{emit}::{target}"), c_compiler::MISSING),
            });
        }
    }
    trial::conclude(trials)
}
