//! Policies as files: `--policy`, `kiln inspect --policy` and `kiln run --audit`.

use crate::scratch::{Scratch, wasm};

const GRANTS: [&str; 8] = [
    "--dir=.",
    "--dir=data::/data:ro",
    "--dir=home:.::/home",
    "--dir-from-env=DIRS:ro",
    "--listen=127.0.0.1:8080",
    "--env=A=b c",
    "--env=B=\n\t\"",
    "--inherit-env=HOME,LANG",
];

#[test]
fn what_inspect_prints_grants_the_same() {
    let scratch = Scratch::with_hello();
    let build = ["build", "hello.wasm", "-q", "-o", "a"];
    scratch.kiln(&[&build[..], &GRANTS].concat()).is_success();
    let policy = scratch.kiln(&["inspect", "--policy", "a"]);
    policy.is_success();
    assert!(policy.stdout.starts_with("version = 1\n"), "{policy:?}");
    scratch.write("policy.toml", policy.stdout.as_bytes());
    let build = ["build", "hello.wasm", "-q", "-o", "b", "--policy", "policy.toml"];
    scratch.kiln(&build).is_success();
    assert!(scratch.read("a") == scratch.read("b"), "the same bytes");
}

#[test]
fn a_policy_takes_the_place_of_the_configured_grants_and_flags_that_of_its_keys() {
    let scratch = Scratch::with_hello();
    scratch.write("kiln.toml", b"[grants]\ndirs = [\"configured\"]\nenv = { A = \"1\" }\n");
    let policy = "version = 1\n[grants]\nlisten = [\"127.0.0.1:80\"]\nenv = { B = \"2\" }\n";
    scratch.write("policy.toml", policy.as_bytes());
    let build = ["build", "hello.wasm", "-q", "-o", "a", "--policy=policy.toml", "--env=C=3"];
    scratch.kiln(&build).is_success();
    let shown = scratch.kiln(&["inspect", "a"]).stdout;
    assert!(shown.contains("listener at 127.0.0.1:80") && shown.contains("C=3"), "{shown}");
    assert!(!shown.contains("configured") && !shown.contains("B=2"), "{shown}");
}

#[test]
fn what_is_no_policy() {
    let scratch = Scratch::with_hello();
    scratch.kiln(&["inspect", "--policy", "hello.wasm"]).is_error(65, &["hello.wasm"]);
    let build = ["build", "hello.wasm", "--policy", "policy.toml"];
    scratch.kiln(&build).is_error(66, &["policy.toml"]);
    for (text, word) in [
        ("", "version"),
        ("version = 2\n[grants]\n", "version 2 is not known"),
        ("version = 1\n", "grants"),
        ("version = 1\n[grants]\ndir = []\n", "dir"),
        ("version = 1\nname = \"x\"\n[grants]\n", "name"),
    ] {
        scratch.write("policy.toml", text.as_bytes());
        scratch.kiln(&build).is_error(2, &["policy.toml", word]);
    }
}

/// Reads its environment, opens `data/in.txt` for reading, makes `out/new` below `out` and opens
/// what it is told not to have: `data/missing` and `../above`. Exits with the `errno` of the first.
const PROGRAM: &str = r#"(module
    (import "wasi_snapshot_preview1" "environ_sizes_get"
      (func $environ_sizes_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get"
      (func $environ_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory"
      (func $path_create_directory (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 4)
    (data (i32.const 0) "data/in.txt" "out/new" "data/missing" "../above" "\00KILN_TEST_USED\00")
    (func $open (param $path i32) (param $length i32) (result i32)
      (call $path_open (i32.const 3) (i32.const 0) (local.get $path) (local.get $length)
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 1024)))
    (func (export "_start")
      (drop (call $environ_sizes_get (i32.const 1024) (i32.const 1028)))
      (drop (call $environ_get (i32.const 65536) (i32.const 131072)))
      (drop (call $path_create_directory (i32.const 3) (i32.const 11) (i32.const 7)))
      (drop (call $open (i32.const 18) (i32.const 12)))
      (drop (call $open (i32.const 30) (i32.const 8)))
      (call $proc_exit (call $open (i32.const 0) (i32.const 11)))))"#;

#[test]
fn an_audit_tells_the_least_that_is_needed() {
    let scratch = Scratch::new();
    scratch.write("program.wasm", &wasm(PROGRAM));
    for folder in ["data", "out"] {
        std::fs::create_dir(scratch.path(folder)).unwrap();
    }
    scratch.write("data/in.txt", b"input");
    let mut command = scratch.command();
    command.env("KILN_TEST_USED", "1").env("KILN_TEST_OTHER", "2");
    let output = command.args(["run", "--audit=policy.toml", "program.wasm"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]), "{told}");
    let flags = "  --dir=data:ro --dir=out --inherit-env=KILN_TEST_USED\n";
    assert!(told.contains(flags), "{told}");
    assert!(told.contains("../above leads out") && !told.contains("missing"), "{told}");
    let policy = "version = 1\n\n[grants]\ndirs = [\"data:ro\", \"out\"]\n\
        inherit-env = [\"KILN_TEST_USED\"]\n";
    assert_eq!(scratch.read("policy.toml"), policy.as_bytes(), "{told}");
    assert!(scratch.path("out/new").is_dir(), "the program did what it does");
}

#[test]
fn an_audit_keeps_of_the_grants_what_is_used() {
    let scratch = Scratch::new();
    scratch.write("program.wasm", &wasm(PROGRAM));
    for folder in ["root/data", "root/out", "unused"] {
        std::fs::create_dir_all(scratch.path(folder)).unwrap();
    }
    scratch.write("root/data/in.txt", b"input");
    let grants = ["--dir=root::/:ro", "--dir=unused", "--env=X=1"];
    let outcome = scratch.kiln(&[&["run", "--audit", "program.wasm"], &grants[..]].concat());
    outcome.is_success();
    // Making `out/new` failed, because the directory was read only.
    assert!(outcome.stderr.contains("  --dir=root::/ --env='X=1'\n"), "{outcome:?}");
    assert_eq!(scratch.files().iter().filter(|name| name.contains("new")).count(), 0);
}

#[test]
fn a_program_that_asks_for_nothing_needs_no_grants() {
    let scratch = Scratch::with_hello();
    let outcome = scratch.kiln(&["run", "--audit", "hello.wasm", "--dir", "."]);
    outcome.is_success();
    assert_eq!(outcome.stdout, "hello\n");
    assert!(outcome.stderr.contains("It needs no grants."), "{outcome:?}");
}
