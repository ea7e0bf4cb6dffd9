//! `kiln targets` and `kiln inspect`, held by golden files.

use snapbox::{assert_data_eq, file};

use crate::scratch::{HELLO, Scratch, wasm};

#[test]
fn the_table_of_targets() {
    let scratch = Scratch::new();
    let outcome = scratch.kiln(&["targets"]);
    outcome.is_success();
    assert_eq!(outcome.stderr, "");
    let hosts = outcome.stdout.lines().filter(|line| line.ends_with("  host")).count();
    assert_eq!(hosts, 1, "{}", outcome.stdout);
    let unmarked: String = outcome
        .stdout
        .lines()
        .map(|line| format!("{}\n", line.trim_end_matches("host").trim_end()))
        .collect();
    assert_data_eq!(unmarked, file!["../golden/targets.txt"]);
}

#[test]
fn a_module() {
    let scratch = Scratch::with_hello();
    let outcome = scratch.kiln(&["inspect", "hello.wasm"]);
    outcome.is_success();
    assert_data_eq!(outcome.stdout, file!["../golden/inspect-module.txt"]);
}

#[test]
fn a_module_that_nothing_could_run_is_shown_all_the_same() {
    let scratch = Scratch::new();
    let module = r#"(module $library
        (import "env" "host" (func (param i64 f32) (result f64)))
        (import "env" "memory" (memory 1 16))
        (global (export "counter") (mut i32) (i32.const 0))
        (table (export "table") 2 funcref)
        (func (export "swap") (param i32 i32) (result i32 i32) local.get 1 local.get 0))"#;
    scratch.write("library.wasm", &wasm(module));
    let outcome = scratch.kiln(&["inspect", "library.wasm"]);
    outcome.is_success();
    assert_data_eq!(outcome.stdout, file!["../golden/inspect-library.txt"]);
}

#[test]
fn executables() {
    let scratch = Scratch::with_hello();
    let arguments = ["build", "hello.wasm", "--target", "all", "--quiet"];
    let grants =
        ["--dir", ".", "--dir", "data::/data::ro", "--env", "A=b", "--inherit-env=HOME,LANG"];
    scratch.kiln(&[&arguments[..], &grants[..]].concat()).is_success();
    let inspect = |target: &str| {
        let suffix = if target.starts_with("windows") { ".exe" } else { "" };
        let name = format!("hello-{target}{suffix}");
        let outcome = scratch.kiln(&["inspect", &name]);
        outcome.is_success();
        let size = format!("executable: {} bytes\n", scratch.read(&name).len());
        assert!(outcome.stdout.starts_with(&size), "{}", outcome.stdout);
        without_sizes(&outcome.stdout)
    };
    assert_data_eq!(inspect("linux-amd64"), file!["../golden/inspect-linux-amd64.txt"]);
    assert_data_eq!(inspect("linux-arm64"), file!["../golden/inspect-linux-arm64.txt"]);
    assert_data_eq!(inspect("darwin-amd64"), file!["../golden/inspect-darwin-amd64.txt"]);
    assert_data_eq!(inspect("darwin-arm64"), file!["../golden/inspect-darwin-arm64.txt"]);
    assert_data_eq!(inspect("windows-amd64"), file!["../golden/inspect-windows-amd64.txt"]);
    assert_data_eq!(inspect("windows-arm64"), file!["../golden/inspect-windows-arm64.txt"]);
}

/// What does not change with every change of the code generator or the runtime: the first word of
/// a section's line, and no numbers of bytes and pages.
fn without_sizes(text: &str) -> String {
    let (head, sections) = text.split_once("sections:\n").expect("a block of sections");
    let numberless = |line: &str| match line.split_once(" pages") {
        Some((before, state)) => {
            format!("{}# pages{state}", before.trim_end_matches(|c: char| c.is_ascii_digit()))
        }
        None => line.to_owned(),
    };
    let mut lines: Vec<String> = head.lines().skip(1).map(numberless).collect();
    lines.push("sections:".to_owned());
    let name = |line: &str| format!("  {}", line.split_whitespace().next().unwrap_or_default());
    lines.extend(sections.lines().map(name));
    lines.join("\n") + "\n"
}

#[test]
fn a_broken_signature_is_told() {
    let scratch = Scratch::with_hello();
    scratch.kiln(&["build", "hello.wasm", "--target", "darwin-arm64", "-o", "app"]).is_success();
    let mut bytes = scratch.read("app");
    assert!(scratch.kiln(&["inspect", "app"]).stdout.contains(", intact"));
    let text = bytes.windows(6).position(|window| window == b"hello\n").expect("the data segment");
    bytes[text] = b'j';
    scratch.write("app", &bytes);
    assert!(scratch.kiln(&["inspect", "app"]).stdout.contains(", BROKEN"));
}

#[test]
fn files_that_are_neither() {
    let scratch = Scratch::new();
    scratch.write("notes", b"hello\n");
    scratch.kiln(&["inspect", "notes"]).is_error(65, &["notes"]);
    scratch.write("elf", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0");
    scratch.kiln(&["inspect", "elf"]).is_error(65, &["cannot inspect `elf`"]);
    let own = std::fs::read(env!("CARGO_BIN_EXE_kiln")).unwrap();
    scratch.write("foreign", &own);
    scratch.kiln(&["inspect", "foreign"]).is_error(65, &["not made by Kiln"]);
    scratch.write("hello.wat", HELLO.as_bytes());
    scratch.kiln(&["inspect", "hello.wat"]).is_success();
}
