//! Bad operands of every function of WASI: none may crash the program or reach beyond its memory.
//!
//! `wasi-operands.toml` gives operands with which each function works. Each address among them is
//! replaced by ones outside the memory, which must give `FAULT`; each length and count by great
//! ones, which must give an error or, where the function needs less, succeed. Then each function is
//! called with numbers drawn at random, and last with the operands as they stand.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use kiln_abi::wasi::{FUNCTIONS, Type};
use kiln_targets::{Target, target};
use kiln_tests::errno;
use kiln_tests::execute::Execution;
use kiln_tests::fixture::Fixture;
use kiln_tests::script::{self, MEMORY, Replies, Script};
use kiln_tests::{kiln, trial};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

/// `wasi-operands.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fixture: Fixture,
    functions: BTreeMap<String, Vec<String>>,
    refused: BTreeMap<String, Refused>,
    buffers: BTreeMap<String, Buffers>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    operands: Vec<String>,
    gives: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Buffers {
    entries: Vec<[u32; 2]>,
    gives: String,
}

/// Where an array of buffers lies, and where operands are put, this far from each other.
const IOVECS: u32 = script::FREE;
const PLACES: u32 = 0x1_0000;
const DISTANCE: u32 = 0x1000;

/// Addresses that no byte may be read from or written to, for an object of `size` bytes.
fn outside(size: u32) -> [u32; 5] {
    [MEMORY - size + 1, MEMORY, 1 << 31, u32::MAX - 1, u32::MAX]
}

/// Lengths and counts that go beyond any memory, or overflow when multiplied.
const GREAT: [u32; 5] = [MEMORY + 1, 1 << 29, 1 << 31, u32::MAX - 7, u32::MAX];

/// A call and what it must give: one of these, or any error number if there are none.
struct Call {
    function: String,
    operands: Vec<u64>,
    gives: Vec<String>,
}

/// The calls of one execution and the memory that they find.
#[derive(Default)]
struct Calls {
    script: Script,
    list: Vec<Call>,
}

impl Calls {
    fn add(&mut self, function: &str, operands: &[u64], gives: &[&str]) {
        self.script.call(function, operands);
        self.list.push(Call {
            function: function.to_owned(),
            operands: operands.to_vec(),
            gives: gives.iter().map(|name| (*name).to_owned()).collect(),
        });
    }

    /// Opens the file that descriptor 4 is.
    fn open(&mut self) {
        const READ_WRITE_ALL: u64 = 0xfe0_01ff;
        self.script.poke(PLACES, b"data.txt");
        let result = u64::from(IOVECS);
        let operands = [3, 0, PLACES.into(), 8, 0, READ_WRITE_ALL, 0, 0, result];
        self.add("path_open", &operands, &["SUCCESS"]);
    }
}

/// An operand, once an address is chosen for what it refers to.
#[derive(Debug, Clone, Copy)]
enum Operand {
    Number(u64),
    /// Of an object of so many bytes.
    Address(u32, u32),
    /// Or a count.
    Length(u32),
}

impl Operand {
    fn value(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Address(number, _) | Self::Length(number) => number.into(),
        }
    }
}

/// Reads operands as the file gives them, and puts what they refer to into memory.
fn operands(texts: &[String], script: &mut Script) -> Vec<Operand> {
    let mut operands = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let address = PLACES + index as u32 * DISTANCE;
        let number =
            |text: &str| -> u32 { text.parse().unwrap_or_else(|_| panic!("no number: {text}")) };
        match text.split_once(' ') {
            None if text == "iovec" => {
                let entry = [address.to_le_bytes(), 16_u32.to_le_bytes()].concat();
                script.poke(IOVECS, &entry);
                operands.push(Operand::Address(IOVECS, entry.len() as u32));
            }
            None => operands.push(Operand::Number(number(text).into())),
            Some(("out" | "in", size)) => {
                script.poke(address, &[0; 128]);
                operands.push(Operand::Address(address, number(size)));
            }
            Some(("length" | "count", size)) => operands.push(Operand::Length(number(size))),
            Some(("path", name)) => {
                script.poke(address, name.as_bytes());
                operands.push(Operand::Address(address, name.len() as u32));
                operands.push(Operand::Length(name.len() as u32));
            }
            Some(_) => panic!("no operand: {text}"),
        }
    }
    operands
}

/// Every function with one operand replaced by a bad one.
fn replaced(file: &File) -> Calls {
    let mut calls = Calls::default();
    calls.open();
    for (function, texts) in &file.functions {
        replace_each(&mut calls, function, texts, None);
    }
    for (function, Refused { operands, gives }) in &file.refused {
        replace_each(&mut calls, function, operands, Some(gives));
    }
    calls
}

fn replace_each(calls: &mut Calls, function: &str, texts: &[String], refused: Option<&str>) {
    let good = operands(texts, &mut calls.script);
    for (index, operand) in good.iter().enumerate() {
        let mut bad: Vec<u64> = good.iter().map(|operand| operand.value()).collect();
        let (values, mut gives) = match *operand {
            Operand::Number(_) => continue,
            Operand::Address(_, size) => (outside(size), vec!["FAULT"]),
            // An array of buffers is cut, names may be refused for their length alone.
            Operand::Length(_) => {
                (GREAT, vec!["SUCCESS", "FAULT", "NAMETOOLONG", "INVAL", "NOMEM", "OVERFLOW"])
            }
        };
        gives.extend(refused);
        for value in values {
            bad[index] = value.into();
            calls.add(function, &bad, &gives);
        }
    }
}

/// Every function with its operands as they stand, which shows that the others fail for one alone.
fn unchanged(file: &File) -> Calls {
    let refused = file
        .refused
        .iter()
        .map(|(name, Refused { operands, gives })| (name.as_str(), operands, gives.as_str()));
    let successful = file.functions.iter().map(|(name, texts)| (name.as_str(), texts, "SUCCESS"));
    let mut all: Vec<_> = refused.chain(successful).collect();
    // What closes the descriptor comes last.
    all.sort_by_key(|(function, ..)| *function == "fd_close");

    let mut calls = Calls::default();
    calls.open();
    for (function, texts, gives) in all {
        let values = operands(texts, &mut calls.script);
        let values: Vec<u64> = values.iter().map(|operand| operand.value()).collect();
        calls.add(function, &values, &[gives]);
    }
    calls
}

/// Calls of everything that moves bytes, with arrays of buffers.
fn buffers(file: &File) -> Calls {
    let mut calls = Calls::default();
    calls.open();
    for Buffers { entries, gives } in file.buffers.values() {
        let array: Vec<u8> = entries.concat().iter().flat_map(|word| word.to_le_bytes()).collect();
        let (array_at, count) = (u64::from(IOVECS), entries.len() as u64);
        let moved = u64::from(PLACES - 8);
        for function in ["fd_read", "fd_write"] {
            calls.script.poke(IOVECS, &array);
            calls.add(function, &[4, array_at, count, moved], &[gives]);
        }
        for function in ["fd_pread", "fd_pwrite"] {
            calls.script.poke(IOVECS, &array);
            calls.add(function, &[4, array_at, count, 0, moved], &[gives]);
        }
    }
    // The buffer is the array itself, and what is written is its first entry.
    let array = [IOVECS.to_le_bytes(), 64_u32.to_le_bytes()].concat();
    for function in ["fd_pread", "fd_pwrite"] {
        calls.script.poke(IOVECS, &array);
        calls.add(function, &[4, IOVECS.into(), 1, 0, IOVECS.into()], &["SUCCESS"]);
    }
    calls
}

/// Every function with numbers near limits, drawn by a generator that always begins alike.
fn drawn() -> Calls {
    const ROUNDS: usize = 60;
    const WIDE: [u64; 7] = [0, 1, 65536, 1 << 62, (1 << 63) - 1, 1 << 63, u64::MAX];
    // A wait for a time may be long.
    let skipped = ["proc_exit", "poll_oneoff"];
    // What takes a descriptor away shall not take the directory, without which nothing happens.
    let takes = ["fd_close", "fd_renumber", "fd_fdstat_set_rights"];
    let narrow = [3, 4, 5, 6, 7, 8, 63, 1024, PLACES, MEMORY - 1, MEMORY, 1 << 31, u32::MAX];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut draw = |count: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % count as u64) as usize
    };
    let mut calls = Calls::default();
    calls.script.poke(PLACES, b"directory/../data.txt");
    for _ in 0..ROUNDS {
        calls.open();
        for function in FUNCTIONS.iter().filter(|function| !skipped.contains(&function.name)) {
            let narrow = if takes.contains(&function.name) { &narrow[1..] } else { &narrow[..] };
            let operands: Vec<u64> = function
                .parameters
                .iter()
                .map(|parameter| match parameter {
                    Type::I32 => narrow[draw(narrow.len())].into(),
                    Type::I64 => WIDE[draw(WIDE.len())],
                })
                .collect();
            calls.add(script::name(function), &operands, &[]);
        }
    }
    calls
}

fn execute(fixture: &Fixture, calls: &Calls, target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let module = scratch.path().join("program.wat");
    fs::write(&module, script::program())?;
    let world = scratch.path().join("world");
    fixture.make(&world)?;
    let before = fixture.untouchable(&world)?;
    let mut flags = fixture.flags(&world);
    flags.extend(["--env", "A=b"].map(str::to_owned));
    let program = kiln::build(scratch.path(), &module, target, &flags)?;
    let execution = Execution {
        target,
        program: &program,
        args: &[],
        folder: &world,
        environment: &[],
        stdin: calls.script.bytes(),
    };
    let executed = execution.run()?;

    let mut failures = Vec::new();
    let mut replies = Replies(&executed.stdout);
    for Call { function, operands, gives } in &calls.list {
        let Some(number) = replies.number() else {
            failures.push(format!("{function}{operands:?}: the program ended"));
            break;
        };
        let found = errno::name(number);
        let wanted = gives.is_empty() && found != "unknown";
        if !wanted && !gives.iter().any(|name| name == found) {
            failures.push(format!("{function}{operands:?}: {found}, not {gives:?}"));
        }
    }
    if executed.code != 0 || !executed.stderr.is_empty() {
        let said = String::from_utf8_lossy(&executed.stderr);
        failures.push(format!("exit code {}\n{said}", executed.code));
    }
    failures.extend(before.differences(&fixture.untouchable(&world)?));
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

fn main() {
    let file: File =
        toml::from_str(include_str!("../wasi-operands.toml")).expect("wasi-operands.toml");
    for function in FUNCTIONS.iter().filter(|function| function.returns_errno) {
        let name = script::name(function);
        let known = file.functions.contains_key(name) || file.refused.contains_key(name);
        assert!(known, "wasi-operands.toml says nothing of {name}");
    }
    let good = file.functions.keys().chain(file.refused.keys());
    good.for_each(|name| {
        let known = FUNCTIONS.iter().any(|function| script::name(function) == name);
        assert!(known, "WASI has no {name}");
    });

    let kinds = [
        ("replaced", replaced(&file)),
        ("unchanged", unchanged(&file)),
        ("buffers", buffers(&file)),
        ("drawn", drawn()),
    ];
    let fixture = Arc::new(file.fixture);
    let mut trials: Vec<Trial> = Vec::new();
    for (kind, calls) in kinds {
        let calls = Arc::new(calls);
        for target in target::ALL {
            let (calls, fixture) = (Arc::clone(&calls), Arc::clone(&fixture));
            let name = format!("wasi-operands::{kind}");
            trials.push(trial::on_target(&name, target, move || execute(&fixture, &calls, target)));
        }
    }
    trial::conclude(trials)
}
