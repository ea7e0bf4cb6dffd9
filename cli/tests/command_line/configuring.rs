//! `kiln.toml` and `kiln init`: what the file says, flags that win, and mistakes in it.

use crate::scratch::{Outcome, Scratch};

const CONFIG: &str = r#"
name = "greeter"
targets = ["windows/arm64", "linux/amd64"]
stack-size = "1M"
memory = "checked"

[grants]
dirs = ["data::/data::ro"]
env = { B = "2", A = "1" }
inherit-env = ["HOME"]
"#;

fn configured(config: &str, arguments: &[&str]) -> (Scratch, Outcome) {
    let scratch = Scratch::with_hello();
    scratch.write("kiln.toml", config.as_bytes());
    let outcome = scratch.kiln(arguments);
    (scratch, outcome)
}

#[test]
fn the_file_beside_the_module_says_what_flags_would() {
    let (scratch, outcome) = configured(CONFIG, &["build", "hello.wasm", "-o", "a"]);
    outcome.is_success();
    let flags = [
        &["build", "hello.wasm", "--no-config", "-o", "b", "--name", "greeter"][..],
        &["-t", "windows/arm64,linux/amd64", "--stack-size", "1M", "--memory", "checked"],
        &["--dir", "data::/data::ro", "--env", "A=1", "--env", "B=2", "--inherit-env=HOME"],
    ];
    scratch.kiln(&flags.concat()).is_success();
    for name in ["greeter-windows-arm64.exe", "greeter-linux-amd64"] {
        let [a, b] = ["a", "b"].map(|folder| scratch.read(&format!("{folder}/{name}")));
        assert!(a == b, "{name} differs");
    }
}

#[test]
fn flags_win() {
    let flags = ["--name", "x", "-t", "linux-arm64", "--dir", "y", "--inherit-env"];
    let (scratch, outcome) = configured(CONFIG, &[&["build", "hello.wasm"], &flags[..]].concat());
    outcome.is_success();
    assert_eq!(scratch.files(), ["hello.wasm", "kiln.toml", "x"]);
    let shown = scratch.kiln(&["inspect", "x"]).stdout;
    assert!(shown.contains("directory y as y, read and write"), "{shown}");
    assert!(!shown.contains("/data"), "{shown}");
    assert!(shown.contains("environment A=1"), "{shown}");
    assert!(shown.contains("environment of the host\n"), "{shown}");
}

#[test]
fn another_file_can_be_named() {
    let scratch = Scratch::with_hello();
    scratch.write("other.toml", b"name = \"other\"");
    let target = ["-t", "linux-amd64"];
    scratch.kiln(&[&["build", "hello.wasm", "--config", "other.toml"], &target[..]].concat());
    assert_eq!(scratch.files(), ["hello.wasm", "other", "other.toml"]);
    let outcome = scratch.kiln(&["build", "hello.wasm", "--config", "absent.toml"]);
    outcome.is_error(66, &["cannot read `absent.toml`"]);
}

#[test]
fn mistakes_are_shown_where_they_are() {
    for (config, words) in [
        ("nmae = \"a\"", &["cannot use `kiln.toml`", "line 1", "did you mean `name`?"][..]),
        ("[grants]\ndris = []", &["line 2", "did you mean `dirs`?"]),
        ("colour = 1", &["unknown field `colour`"]),
        ("name = 1", &["line 1", "expected a string"]),
        ("name = ", &["TOML parse error"]),
        ("name = \"a/b\"", &["`name a/b`"]),
        ("memory = \"none\"", &["`guarded`", "`checked`"]),
        ("stack-size = \"1K\"", &["`stack-size 1K`", "between 64K and 1G"]),
        ("targets = [\"linux-amd65\"]", &["there is no target `linux-amd65`"]),
        ("[grants]\ndirs = [\"a::/x\", \"b::/x\"]", &["`grants.dirs b::/x`", "two directories"]),
        ("[grants]\ninherit-env = 1", &["true, false or a list of names"]),
    ] {
        let (scratch, outcome) = configured(config, &["build", "hello.wasm"]);
        outcome.is_error(2, words);
        assert_eq!(scratch.files(), ["hello.wasm", "kiln.toml"]);
    }
}

#[test]
fn init_writes_a_file_that_changes_nothing_but_names() {
    let scratch = Scratch::with_hello();
    scratch.kiln(&["init", "hello.wasm"]).is_success();
    assert!(String::from_utf8(scratch.read("kiln.toml")).unwrap().contains("name = \"hello\""));
    for (flags, output) in [(&["--no-config"][..], "a"), (&[], "b")] {
        let arguments = ["build", "hello.wasm", "-t", "darwin-arm64", "-o", output];
        scratch.kiln(&[&arguments[..], flags].concat()).is_success();
    }
    assert_eq!(scratch.read("a"), scratch.read("b"));
    scratch.kiln(&["init"]).is_error(73, &["kiln.toml", "there is one already"]);
}
