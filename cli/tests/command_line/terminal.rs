//! What is different on a terminal: colours, unless `NO_COLOR` is set, and progress bars. The terminal
//! is one that `script` of util-linux makes.

#![cfg(target_os = "linux")]

use crate::scratch::Scratch;

/// What a terminal is sent by `kiln` with those arguments and that value of `NO_COLOR`; `None`, with a
/// word of why, where there is no `script`.
fn on_terminal(scratch: &Scratch, arguments: &str, no_color: Option<&str>) -> Option<String> {
    let kiln = env!("CARGO_BIN_EXE_kiln");
    let mut command = std::process::Command::new("script");
    command.args(["--quiet", "--return", "--command", &format!("'{kiln}' {arguments}")]);
    command.arg("/dev/null").current_dir(scratch.path("")).env("TERM", "xterm");
    command.env_remove("CI").env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR");
    command.envs(no_color.map(|value| ("NO_COLOR", value)));
    match command.output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(missing) => {
            eprintln!("on a terminal: NOT RUN: script: {missing}");
            None
        }
    }
}

#[test]
fn errors_are_coloured_unless_that_is_not_wanted() {
    let scratch = Scratch::new();
    let wrong = "build absent.wasm --target linux-amd65";
    let Some(said) = on_terminal(&scratch, wrong, None) else { return };
    assert!(said.contains("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m there is no target"), "{said:?}");
    let said = on_terminal(&scratch, wrong, Some("1")).unwrap();
    assert!(said.contains("error: there is no target"), "{said:?}");
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn every_target_has_a_bar_that_leaves_a_line() {
    let scratch = Scratch::with_hello();
    let Some(said) = on_terminal(&scratch, "build hello.wasm -t all -o out", None) else { return };
    for target in ["linux-amd64", "darwin-arm64", "windows-arm64"] {
        assert!(said.contains(target), "{said:?}");
    }
    assert!(said.contains("functions") && said.contains("wrote 6 files to out"), "{said:?}");
    let said = on_terminal(&scratch, "build hello.wasm -t all -o out --quiet", None).unwrap();
    assert_eq!(said, "");
}
