//! `kiln run`: the program's streams, arguments and exit code are its own.

use crate::scratch::{Scratch, wasm};

#[test]
fn the_programs_output_is_all_there_is() {
    let scratch = Scratch::with_hello();
    let outcome = scratch.kiln(&["run", "hello.wasm"]);
    outcome.is_success();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("hello\n", ""));
    assert_eq!(scratch.files(), ["hello.wasm"]);
}

#[test]
fn the_exit_code_is_passed_on() {
    let scratch = Scratch::new();
    let exit = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (i32.const 42))))"#;
    scratch.write("exit.wat", exit.as_bytes());
    assert_eq!(scratch.kiln(&["run", "exit.wat"]).code, Some(42));
}

#[test]
fn a_trap_is_reported() {
    let scratch = Scratch::new();
    let trap = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;
    scratch.write("trap.wasm", &wasm(trap));
    let outcome = scratch.kiln(&["run", "trap.wasm"]);
    assert_eq!(outcome.code, Some(134), "{outcome:?}");
    assert!(outcome.stderr.contains("unreachable"), "{outcome:?}");
}

/// Writes the arguments, each ended by a NUL byte.
const ARGUMENTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get"
      (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
      (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (drop (call $sizes (i32.const 0) (i32.const 12)))
      (drop (call $get (i32.const 1024) (i32.const 4096)))
      (i32.store (i32.const 8) (i32.const 4096))
      (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))"#;

#[test]
fn arguments_follow_the_modules_name() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("sub")).unwrap();
    scratch.write("sub/arguments.wasm", &wasm(ARGUMENTS));
    let outcome = scratch.kiln(&["run", "sub/arguments.wasm", "--", "-o", "--help", "a b", ""]);
    outcome.is_success();
    let arguments: Vec<&str> = outcome.stdout.split_terminator('\0').collect();
    assert_eq!(arguments[1..], ["-o", "--help", "a b", ""]);
    if cfg!(unix) {
        assert_eq!(arguments[0], "arguments.wasm");
    }
}
