//! `kiln build`: names, modes, progress, and the same bytes every time.

use crate::scratch::{HELLO, Scratch};

const ALL: [&str; 6] = [
    "hello-darwin-amd64",
    "hello-darwin-arm64",
    "hello-linux-amd64",
    "hello-linux-arm64",
    "hello-windows-amd64.exe",
    "hello-windows-arm64.exe",
];

#[test]
fn one_target_is_named_after_the_module() {
    for (target, name) in [
        ("linux/amd64", "hello"),
        ("aarch64-apple-darwin", "hello"),
        ("windows-arm64", "hello.exe"),
        ("host", &format!("hello{}", std::env::consts::EXE_SUFFIX)),
    ] {
        let scratch = Scratch::with_hello();
        scratch.kiln(&["build", "hello.wasm", "--target", target]).is_success();
        let mut expected = [name, "hello.wasm"];
        expected.sort_unstable();
        assert_eq!(scratch.files(), expected);
    }
}

#[test]
fn several_targets_are_named_as_on_release_pages() {
    let scratch = Scratch::with_hello();
    scratch.kiln(&["build", "hello.wasm", "--target", "all", "-o", "new/out"]).is_success();
    let mut expected = vec!["hello.wasm".to_owned(), "new".to_owned(), "new/out".to_owned()];
    expected.extend(ALL.map(|name| format!("new/out/{name}")));
    assert_eq!(scratch.files(), expected);

    let scratch = Scratch::with_hello();
    let targets = "linux-amd64,windows-amd64,linux/amd64";
    scratch.kiln(&["build", "hello.wasm", "--target", targets]).is_success();
    assert_eq!(scratch.files(), ["hello-linux-amd64", "hello-windows-amd64.exe", "hello.wasm"]);
}

#[test]
fn objects_have_names_of_their_own() {
    let scratch = Scratch::with_hello();
    let targets = "linux-amd64,darwin-arm64,windows-arm64";
    scratch.kiln(&["build", "hello.wasm", "--target", targets, "--emit", "obj"]).is_success();
    let names = ["hello-darwin-arm64.o", "hello-linux-amd64.o", "hello-windows-arm64.obj"];
    assert_eq!(scratch.files()[..3], names);
    assert!(scratch.read(names[0]).starts_with(b"\xcf\xfa\xed\xfe"));
    assert!(scratch.read(names[1]).starts_with(b"\x7fELF"));
    assert!(scratch.read(names[2]).starts_with(b"\x64\xaa"));
}

#[test]
fn an_older_output_is_replaced() {
    let scratch = Scratch::with_hello();
    scratch.write("app", b"older");
    scratch.kiln(&["build", "hello.wasm", "--target", "linux-amd64", "-o", "app"]).is_success();
    assert!(scratch.read("app").starts_with(b"\x7fELF"));
    assert_eq!(scratch.files(), ["app", "hello.wasm"]);
}

#[cfg(unix)]
#[test]
fn executables_are_executable_and_objects_are_not() {
    use std::os::unix::fs::PermissionsExt as _;

    let scratch = Scratch::with_hello();
    let mode = |name| std::fs::metadata(scratch.path(name)).unwrap().permissions().mode();
    scratch.kiln(&["build", "hello.wasm", "-o", "app"]).is_success();
    scratch.kiln(&["build", "hello.wasm", "-o", "app.o", "--emit", "obj"]).is_success();
    assert_eq!(mode("app") & 0o700, 0o700);
    assert_eq!(mode("app.o") & 0o111, 0);
}

#[test]
fn text_gives_the_same_executable() {
    let scratch = Scratch::with_hello();
    scratch.write("hello.wat", format!(";; a program\n{HELLO}").as_bytes());
    for (input, output) in [("hello.wasm", "a/hello"), ("hello.wat", "b/hello")] {
        scratch.kiln(&["build", input, "--target", "linux-amd64", "-o", output]).is_success();
    }
    assert_eq!(scratch.read("a/hello"), scratch.read("b/hello"));
}

#[test]
fn a_dash_reads_standard_input() {
    let scratch = Scratch::with_hello();
    scratch.kiln_reading(HELLO.as_bytes(), &["build", "-", "-t", "windows-amd64"]).is_success();
    scratch.kiln(&["build", "hello.wasm", "--name", "app", "-t", "windows-amd64", "-o", "b"]);
    assert_eq!(scratch.files(), ["app.exe", "b", "hello.wasm"]);
    assert_eq!(scratch.read("app.exe"), scratch.read("b"));
    scratch.kiln_reading(b"", &["build", "-"]).is_error(65, &["cannot compile `-`"]);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let first = Scratch::with_hello();
    let second = Scratch::with_hello();
    first.kiln(&["build", "hello.wasm", "--target", "all", "-j", "1"]).is_success();
    second.kiln(&["build", "hello.wasm", "--target", "all", "-j", "2"]).is_success();
    for name in ALL {
        assert!(first.read(name) == second.read(name), "{name} differs");
    }
}

#[test]
fn a_target_alone_gives_the_same_bytes_as_with_all_others() {
    let all = Scratch::with_hello();
    all.kiln(&["build", "hello.wasm", "--target", "all"]).is_success();
    for name in ALL {
        let target = name.trim_start_matches("hello-").trim_end_matches(".exe");
        let alone = Scratch::with_hello();
        alone.kiln(&["build", "hello.wasm", "--target", target, "-o", name]).is_success();
        assert!(all.read(name) == alone.read(name), "{name} differs");
    }
}

#[test]
fn each_finished_target_and_what_was_written_is_told_on_standard_error() {
    let scratch = Scratch::with_hello();
    let outcome = scratch.kiln(&["build", "hello.wasm", "--target", "all", "-o", "out"]);
    outcome.is_success();
    assert_eq!(outcome.stdout, "");
    let mut lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.pop(), Some("wrote 6 files to out"));
    assert_eq!(lines.len(), 6, "{outcome:?}");
    for name in ALL {
        let target = name.trim_start_matches("hello-").trim_end_matches(".exe");
        assert!(lines.iter().any(|line| line.starts_with(target) && line.ends_with(" s")));
    }
    assert!(!outcome.stderr.contains('\x1b'), "no escape sequences outside a terminal");
}

#[test]
fn quiet_says_nothing() {
    let scratch = Scratch::with_hello();
    let outcome = scratch.kiln(&["build", "hello.wasm", "--quiet"]);
    outcome.is_success();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
}
