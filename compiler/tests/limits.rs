//! The limits that the specification lets implementations have, at which the major ones agree:
//! what lies within compiles, however deep or long, on threads with the usual stack.
//!
//! Source: core specification, "Implementation Limitations", and the JavaScript interface's
//! "Implementation-defined Limits".

use kiln_compiler::{Options, Progress, Source};
use kiln_targets::{Target, target};
use std::fmt::Write as _;

struct Silent;

impl Progress for Silent {
    fn function_done(&self) {}
}

/// One of each architecture.
const TARGETS: [&Target; 2] = [&target::LINUX_AMD64, &target::WINDOWS_ARM64];

/// Compiles a module whose `_start` has this body, after these fields.
fn compiles(fields: &str, body: &str) {
    let text = format!("(module {fields} (func (export \"_start\") {body}))");
    let wasm = wat::parse_str(text).unwrap();
    let module = kiln_compiler::parse(&wasm).unwrap();
    let program = kiln_compiler::link(&[Source::alone(&module)]).unwrap();
    let options = Options::default();
    for target in TARGETS {
        kiln_compiler::compile(&program, target, &options, &Silent).unwrap();
    }
}

#[test]
fn fifty_thousand_locals() {
    let locals = "i32 ".repeat(50_000);
    compiles("", &format!("(local {locals}) (local.set 49999 (local.get 0))"));
}

#[test]
fn a_thousand_parameters_and_results() {
    let types = "i64 ".repeat(1000);
    let pass = (0..1000).fold(String::new(), |mut text, index| {
        let _ = write!(text, "local.get {index} ");
        text
    });
    let function = format!("(func $many (param {types}) (result {types}) {pass})");
    let arguments = "(i64.const 1) ".repeat(1000);
    let drops = "drop ".repeat(1000);
    compiles(&function, &format!("{arguments} call $many {drops}"));
}

#[test]
fn thirty_thousand_nested_blocks() {
    let (open, close) = ("block ".repeat(30_000), "end ".repeat(30_000));
    compiles("", &format!("{open} i32.const 0 br_if 29999 {close}"));
    let (open, close) = ("loop ".repeat(30_000), "end ".repeat(30_000));
    compiles("", &format!("{open} {close}"));
}

#[test]
fn a_branch_table_of_sixty_thousand_labels() {
    let labels = "0 1 ".repeat(30_000);
    compiles("", &format!("block block i32.const 7 br_table {labels} 0 end end"));
}

#[test]
fn a_long_body_of_straight_code() {
    let step = "(global.set 0 (i32.add (global.get 0) (i32.const 7)))";
    compiles("(global (mut i32) (i32.const 0))", &step.repeat(50_000));
}

#[test]
fn a_deep_stack_of_operands() {
    let (push, add) = ("i32.const 1 ".repeat(50_000), "i32.add ".repeat(49_999));
    compiles("", &format!("{push} {add} drop"));
}

#[test]
fn a_hundred_thousand_functions() {
    let functions = (1..100_000).fold("(func)".to_owned(), |mut text, index| {
        let _ = write!(text, "(func (call {}))", index - 1);
        text
    });
    compiles(&functions, "(call 99999)");
}

#[test]
fn a_table_of_ten_million_entries() {
    let table = "(type $f (func)) (table 10000000 funcref) (elem (i32.const 9999999) $f) (func $f)";
    compiles(table, "(call_indirect (type $f) (i32.const 9999999))");
}
