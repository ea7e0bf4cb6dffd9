//! `--link`: several modules become one program.

use crate::scratch::{Scratch, wasm};

/// Exports a memory with text in it, made complete by `_initialize`, and a counter.
const LIBRARY: &str = r#"(module
    (memory (export "memory") 1)
    (global $count (export "count") (mut i32) (i32.const 0))
    (data (i32.const 8) "....\n")
    (func (export "_initialize") (i32.store (i32.const 8) (i32.const 0x6e6c696b)))
    (func (export "increment") (global.set $count (i32.add (global.get $count) (i32.const 1)))))"#;

/// Prints the text, if it is there and the counter is shared.
const MAIN: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
      (func $write (param i32 i32 i32 i32) (result i32)))
    (import "lib" "memory" (memory 1))
    (import "lib" "count" (global $count (mut i32)))
    (import "lib" "increment" (func $increment))
    (data (i32.const 0) "\08\00\00\00\05\00\00\00")
    (func (export "_start")
      (global.set $count (i32.const 41))
      (call $increment)
      (if (i32.ne (global.get $count) (i32.const 42)) (then unreachable))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))))"#;

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("lib.wasm", &wasm(LIBRARY));
    scratch.write("main.wat", MAIN.as_bytes());
    scratch
}

#[test]
fn modules_share_what_they_import() {
    let outcome = scratch().kiln(&["run", "main.wat", "--link", "lib=lib.wasm"]);
    outcome.is_success();
    assert_eq!(outcome.stdout, "kiln\n");
}

#[test]
fn every_target_gets_the_same_program() {
    let scratch = scratch();
    scratch.kiln(&["build", "main.wat", "--link=lib=lib.wasm", "--target=all"]).is_success();
    assert_eq!(scratch.files().len(), 8);
}

#[test]
fn what_does_not_match_is_an_error_of_the_module_that_imports() {
    let scratch = scratch();
    let other = r#"(module (memory (export "memory") 1) (func (export "increment") (param i32)))"#;
    scratch.write("lib.wasm", &wasm(other));
    scratch
        .kiln(&["build", "main.wat", "--link", "lib=lib.wasm"])
        .is_error(65, &["main.wat", "lib.count"]);
    let other = LIBRARY.replace("(mut i32) (i32.const 0)", "(mut i64) (i64.const 0)");
    let other = other.replace("i32.add", "i64.add").replace("(i32.const 1))))", "(i64.const 1))))");
    scratch.write("lib.wasm", &wasm(&other));
    scratch
        .kiln(&["build", "main.wat", "--link", "lib=lib.wasm"])
        .is_error(65, &["main.wat", "lib.count (global mut i32, but global mut i64 is exported)"]);
}

#[test]
fn errors_name_the_module_at_fault() {
    let scratch = scratch();
    scratch.write("lib.wasm", b"\0asm\x01\0\0\0\x01");
    scratch.kiln(&["build", "main.wat", "--link", "lib=lib.wasm"]).is_error(65, &["lib.wasm"]);
    scratch.kiln(&["build", "main.wat", "--link", "lib=none.wasm"]).is_error(66, &["none.wasm"]);
    scratch.kiln(&["build", "main.wat"]).is_error(65, &["lib.memory", "--link"]);
    scratch.kiln(&["build", "main.wat", "--link", "lib.wasm"]).is_error(2, &["--link"]);
    scratch
        .kiln(&["build", "main.wat", "--link=a=lib.wasm", "--link=a=lib.wasm"])
        .is_error(2, &["another module has that name"]);
}
