//! `--embed`: files in the executable.

use std::fs;

use crate::scratch::Scratch;

const EMBED: [&str; 2] = ["--embed", "assets::/assets"];

/// A directory with a module and a tree to embed.
fn scratch() -> Scratch {
    let scratch = Scratch::with_hello();
    fs::create_dir_all(scratch.path("assets/deep")).unwrap();
    scratch.write("assets/one", b"1");
    scratch.write("assets/deep/two", b"22");
    scratch
}

#[test]
fn inspect_lists_what_is_embedded() {
    let scratch = scratch();
    scratch.kiln(&[&["build", "hello.wasm", "-t", "all"], &EMBED[..]].concat()).is_success();
    for target in kiln_targets::target::ALL {
        let name = format!("hello-{target}{}", target.executable_suffix);
        let outcome = scratch.kiln(&["inspect", &name]);
        assert!(outcome.stdout.contains("/assets with 2 files, 3 bytes"), "{outcome:?}");
        assert!(outcome.stdout.contains("kembed"), "{outcome:?}");
    }
    scratch.kiln(&["build", "hello.wasm"]).is_success();
    assert!(!scratch.kiln(&["inspect", "hello"]).stdout.contains("kembed"));
}

#[test]
fn neither_times_nor_the_order_on_the_disk_show() {
    let [first, second] = [scratch(), Scratch::with_hello()];
    fs::create_dir_all(second.path("assets/deep")).unwrap();
    second.write("assets/deep/two", b"22");
    second.write("assets/one", b"1");
    let time = std::time::SystemTime::UNIX_EPOCH;
    fs::File::open(second.path("assets/one")).unwrap().set_modified(time).unwrap();
    let build = [&["build", "hello.wasm"], &EMBED[..]].concat();
    for scratch in [&first, &second] {
        scratch.kiln(&build).is_success();
    }
    assert!(first.read("hello") == second.read("hello"));
    let mut command = second.command();
    command.env("SOURCE_DATE_EPOCH", "1700000000").args(&build);
    assert!(command.status().unwrap().success());
    assert!(first.read("hello") != second.read("hello"), "files carry the time that is given");
}

#[test]
fn what_cannot_be_embedded_is_told() {
    let scratch = scratch();
    let refused = |embed: &str, code, words: &[&str]| {
        scratch.kiln(&["build", "hello.wasm", "--embed", embed]).is_error(code, words);
    };
    refused("assets", 2, &["`--embed assets`", "missing, as in assets::/assets"]);
    refused("assets::", 2, &["needs a name"]);
    refused("absent::/a", 66, &["cannot read `absent`"]);
    refused("hello.wasm::/a", 66, &["hello.wasm", "not a directory"]);
    let twice = ["build", "hello.wasm", "--embed=assets::/a", "--embed=.::/a"];
    scratch.kiln(&twice).is_error(2, &["two directories have that name"]);
    let granted = ["build", "hello.wasm", "--embed=assets::/a", "--dir=.::/a"];
    scratch.kiln(&granted).is_error(2, &["a granted directory has that name"]);
}

#[cfg(unix)]
#[test]
fn links_stay_inside() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    let build = [&["build", "hello.wasm"], &EMBED[..]].concat();
    let scratch = scratch();
    symlink("../one", scratch.path("assets/deep/link")).unwrap();
    symlink("deep", scratch.path("assets/to-deep")).unwrap();
    scratch.kiln(&build).is_success();
    for text in ["../hello.wasm", "/etc", "missing", "loop", "deep/../../assets/../hello.wasm"] {
        let link = scratch.path("assets/loop");
        symlink(text, &link).unwrap();
        scratch.kiln(&build).is_error(66, &["assets/loop", "leads out of the embedded directory"]);
        fs::remove_file(&link).unwrap();
    }
    let name = std::ffi::OsStr::from_bytes(b"assets/\xff");
    fs::write(scratch.path("").join(name), "").unwrap();
    scratch.kiln(&build).is_error(66, &["cannot read", "not UTF-8"]);
    fs::remove_file(scratch.path("").join(name)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scratch.path("assets/socket")).unwrap();
    scratch.kiln(&build).is_error(66, &["assets/socket", "neither a file"]);
}

#[test]
fn a_release_can_be_made_again_with_what_it_holds() {
    let scratch = scratch();
    let config = "version = \"1\"\nembeds = [\"assets::/assets\"]\n\
                  targets = [\"linux-arm64\", \"windows-amd64\"]";
    scratch.write("kiln.toml", config.as_bytes());
    scratch.kiln(&["dist", "hello.wasm"]).is_success();
    let manifest: serde_json::Value =
        serde_json::from_slice(&scratch.read("dist/manifest.json")).unwrap();
    let trees = &manifest["embedded"]["trees"];
    assert_eq!(*trees, serde_json::json!([{ "guest": "/assets", "files": 2, "size": 3 }]));
    let bill = String::from_utf8(scratch.read("dist/hello-1.cdx.json")).unwrap();
    assert!(bill.contains("/assets with 2 files, 3 bytes"), "{bill}");

    let outcome = scratch.kiln(&[&["verify", "dist", "hello.wasm"], &EMBED[..]].concat());
    outcome.is_success();
    assert!(outcome.stdout.contains("embedded: /assets with 2 files, 3 bytes\n"), "{outcome:?}");
    scratch.write("assets/one", b"2");
    let verify = [&["verify", "dist", "hello.wasm"], &EMBED[..]].concat();
    scratch.kiln(&verify).is_error(1, &["other embedded files"]);
    fs::remove_dir_all(scratch.path("assets")).unwrap();
    scratch.kiln(&["verify", "dist", "hello.wasm"]).is_success();
}

#[test]
fn many_files_are_embedded() {
    let scratch = Scratch::with_hello();
    fs::create_dir(scratch.path("assets")).unwrap();
    for number in 0..2000 {
        scratch.write(&format!("assets/{number}"), b"x");
    }
    scratch.kiln(&[&["build", "hello.wasm"], &EMBED[..]].concat()).is_success();
    assert!(scratch.kiln(&["inspect", "hello"]).stdout.contains("2000 files, 2000 bytes"));
}
