//! Command lines that mean nothing: exit code 2 before any work is done.

use crate::scratch::Scratch;

#[track_caller]
fn refused(options: &[&str], words: &[&str]) {
    let scratch = Scratch::with_hello();
    let arguments: Vec<&str> = ["build", "hello.wasm"].iter().chain(options).copied().collect();
    scratch.kiln(&arguments).is_error(2, words);
    assert_eq!(scratch.files(), ["hello.wasm"]);
}

#[test]
fn unknown_targets() {
    refused(&["--target", "linux-amd65"], &["there is no target `linux-amd65`", "linux-amd64"]);
    refused(&["--target", "host,macos"], &["there is no target `macos`", "did you mean darwin-"]);
    refused(&["--target", "plan9/386"], &["`kiln targets` lists them"]);
    refused(&["--target", ""], &["there is no target ``"]);
}

#[test]
fn unknown_flags_and_verbs() {
    refused(&["--optimise"], &["--optimise"]);
    refused(&["second.wasm"], &["second.wasm"]);
    let scratch = Scratch::new();
    scratch.kiln(&["compile"]).is_error(2, &["compile"]);
}

#[test]
fn malformed_values() {
    refused(&["--stack-size", "lots"], &["`--stack-size lots`"]);
    refused(&["--stack-size", "1K"], &["between 64K and 1G"]);
    refused(&["--env", "HOME"], &["`--env HOME`", "hint: ", "--inherit-env=HOME"]);
    refused(&["--env", "=x"], &["needs a name"]);
    refused(&["--dir", ""], &["needs a name"]);
    refused(&["--dir", "a::b::c"], &["more than one `::`"]);
    refused(&["--dir", "exe:ro"], &["exe:.:ro"]);
    refused(&["--dir", "home:../x"], &["leads out"]);
    refused(&["--dir-from-env", "A=B"], &["no name of a variable"]);
    refused(&["--dir", "a::/x", "--dir", "b::/x"], &["two directories"]);
    refused(&["--memory", "none"], &["guarded", "checked"]);
    refused(&["-j", "0"], &["0"]);
    refused(&["--name", "a/b"], &["`--name a/b`"]);
}
