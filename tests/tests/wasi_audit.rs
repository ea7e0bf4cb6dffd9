//! The record that an audited program keeps of what it asks for: the same lines on every target.
//!
//! `kiln run --audit` grants the record and reads it, on this machine alone; here executables of all
//! targets are given one.

use std::fs;

use kiln_abi::program::POLICY_HEADER;
use kiln_compiler::Source;
use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::script::{self, Script};
use kiln_tests::step::Step;
use kiln_tests::{expect, linked, trial};
use libtest_mimic::Failed;
use wast::Wat;
use wast::parser::{self, ParseBuffer};

/// What the program does, and the lines that it leaves, fields divided by a space.
const STEPS: [(&str, &str); 12] = [
    ("open data.txt read -> SUCCESS", "path_open 0 3 data.txt r 5"),
    ("read 5 data -> SUCCESS", ""),
    ("open é.txt read -> NOENT", "path_open 44 3 é.txt r"),
    ("open ../secret.txt read -> PERM", "path_open 63 3 ../secret.txt r"),
    ("mkdir made -> SUCCESS", "path_create_directory 0 3 made"),
    ("stat nothing -> NOENT", "path_filestat_get 44 3 nothing"),
    ("rename made renamed -> SUCCESS", "path_rename 0 3 made 3 renamed"),
    ("link data.txt second.txt -> SUCCESS", "path_link 0 3 data.txt 3 second.txt"),
    ("list 3 -> SUCCESS", "fd_readdir 0 3"),
    ("mkdir 4:made -> ROFS", "path_create_directory 69 4 made"),
    ("renumber 5 4 -> SUCCESS", "fd_renumber 0 5 4"),
    ("close 4 -> SUCCESS", "fd_close 0 4"),
];

fn record(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let world = scratch.path().join("world");
    for folder in ["inside", "logs"] {
        fs::create_dir_all(world.join(folder))?;
    }
    fs::write(world.join("inside/data.txt"), "data")?;
    fs::write(world.join("logs/record"), "")?;

    let text = script::program();
    let wasm =
        ParseBuffer::new(&text).and_then(|text| parser::parse::<Wat<'_>>(&text)?.encode())?;
    let modules = kiln_compiler::parse_all(&[&wasm]).map_err(|(_, error)| error)?;
    let source = Source::alone(&modules[0]);
    let manifest =
        format!("{POLICY_HEADER}\ndir\trw\tinside\t/\ndir\tro\tlogs\tlogs\naudit\tlogs\trecord\n");
    let program = scratch.path().join(format!("program{}", target.executable_suffix));
    let executable = linked::executable("program", &[source], &manifest, target)?;
    kiln_tests::write_executable(&program, &executable)?;

    let steps = Step::parse_all(&STEPS.map(|(step, _)| step).join("\n"));
    let mut script = Script::default();
    steps.iter().for_each(|step| step.write(&mut script));
    let execution =
        Execution { stdin: script.bytes(), ..Execution::plain(target, &program, &world) };
    let executed = execution.run()?;
    expect::same("stderr", b"", &executed.stderr)?;

    let record = String::from_utf8(fs::read(world.join("logs/record"))?)?;
    let lines: Vec<&str> =
        STEPS.iter().map(|(_, line)| *line).filter(|line| !line.is_empty()).collect();
    let expected = format!("{}\n", lines.join("\n")).replace(' ', "\t");
    expect::same("the record", expected.as_bytes(), record.as_bytes())
}

fn main() {
    let trials =
        target::ALL.map(|target| trial::on_target("wasi-audit", target, move || record(target)));
    trial::conclude(trials.into())
}
