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

/// Writes the environment, each variable ended by a NUL byte.
fn environment() -> String {
    ARGUMENTS.replace("args_", "environ_")
}

#[test]
fn only_granted_variables_are_seen() {
    let scratch = Scratch::new();
    scratch.write("environment.wasm", &wasm(&environment()));
    let seen = |grants: &[&str]| {
        let mut command = scratch.command();
        command.env("KILN_TEST_A", "a").env("KILN_TEST_B", "b");
        let output = command.args(["run", "environment.wasm"]).args(grants).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(seen(&[]), "");
    assert_eq!(seen(&["--env", "X=1", "--env", "Y=", "--env", "X=2=3"]), "Y=\0X=2=3\0");
    assert_eq!(seen(&["--inherit-env=KILN_TEST_B,KILN_TEST_NONE"]), "KILN_TEST_B=b\0");
    assert_eq!(seen(&["--env", "X=\tone\r\ntwo\\n"]), "X=\tone\r\ntwo\\n\0");
    let all = seen(&["--inherit-env"]);
    assert!(all.contains("KILN_TEST_A=a\0") && all.contains("KILN_TEST_B=b\0"), "{all:?}");
}

/// Exits with the `errno` of asking for the first granted directory.
const FIRST_DIRECTORY: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_prestat_get"
      (func $prestat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (call $prestat (i32.const 3) (i32.const 0)))))"#;

#[test]
fn only_granted_directories_are_seen() {
    const BADF: i32 = 8;

    let scratch = Scratch::new();
    scratch.write("first.wasm", &wasm(FIRST_DIRECTORY));
    assert_eq!(scratch.kiln(&["run", "first.wasm"]).code, Some(BADF));
    assert_eq!(scratch.kiln(&["run", "first.wasm", "--dir", "."]).code, Some(0));
    let outcome = scratch.kiln(&["run", "first.wasm", "--dir", "missing"]);
    assert_eq!(outcome.code, Some(125), "{outcome:?}");
    assert!(outcome.stderr.contains("missing"), "{outcome:?}");
}

/// Folders for a user's own data are made when they may be written, others have to be there; in
/// the folder for temporary files, links lead nowhere.
#[test]
#[cfg(target_os = "linux")]
fn known_folders_lie_where_the_system_has_them() {
    let scratch = Scratch::new();
    scratch.write("first.wasm", &wasm(FIRST_DIRECTORY));
    let home = scratch.path("home");
    std::fs::create_dir(&home).unwrap();
    std::fs::create_dir(scratch.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", home.join("link")).unwrap();
    let run = |grant: &str| {
        let mut command = scratch.command();
        command.env("HOME", &home).env("XDG_CACHE_HOME", home.join("xdg")).env("TMPDIR", &home);
        command.env_remove("XDG_CONFIG_HOME").args(["run", "first.wasm", "--dir", grant]);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let starts = |grant: &str| assert_eq!(run(grant), (Some(0), String::new()), "{grant}");
    let ends = |grant: &str, reason: &str| {
        let (code, stderr) = run(grant);
        assert_eq!(code, Some(125), "{grant}");
        assert!(stderr.contains(reason), "{stderr}");
    };
    starts("home:");
    ends("home:app", "`home:app`: it does not exist");
    ends("config:app:ro", "`config:app`: it does not exist");
    starts("config:app");
    assert!(home.join(".config/app").is_dir());
    starts("cache:a/b");
    assert!(home.join("xdg/a/b").is_dir());
    starts("temp:made");
    assert!(home.join("made").is_dir());
    ends("temp:link", "");
    starts("exe:");
}
