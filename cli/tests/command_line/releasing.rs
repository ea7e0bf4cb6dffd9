//! `kiln dist` and `kiln verify`: archives, checksums, manifest, bill of materials.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::scratch::Scratch;

const FILES: [&str; 9] = [
    "SHA256SUMS",
    "hello-1.4.0-darwin-amd64.tar.gz",
    "hello-1.4.0-darwin-arm64.tar.gz",
    "hello-1.4.0-linux-amd64.tar.gz",
    "hello-1.4.0-linux-arm64.tar.gz",
    "hello-1.4.0-windows-amd64.zip",
    "hello-1.4.0-windows-arm64.zip",
    "hello-1.4.0.cdx.json",
    "manifest.json",
];

const DIST: [&str; 4] = ["dist", "hello.wasm", "--version", "1.4.0"];

/// A directory with a release of a program, to which a README, a script and a folder were added.
fn released() -> Scratch {
    let scratch = Scratch::with_hello();
    scratch.write("README.md", b"read me\n");
    scratch.write("install", b"#!/bin/sh\n");
    fs::create_dir_all(scratch.path("doc/deep")).unwrap();
    scratch.write("doc/deep/a.txt", b"a");
    let include = ["--include", "README.md", "--include", "install", "--include", "doc"];
    scratch.kiln(&[&DIST[..], &include, &["--env", "A=b"]].concat()).is_success();
    scratch
}

fn in_dist(scratch: &Scratch) -> Vec<String> {
    let files = scratch.files();
    files.iter().filter_map(|file| file.strip_prefix("dist/")).map(str::to_owned).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(scratch: &Scratch, name: &str) -> Value {
    serde_json::from_slice(&scratch.read(&format!("dist/{name}"))).unwrap()
}

/// Path, mode and contents of every entry.
fn unpack(name: &str, bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let mut entries = Vec::new();
    if name.ends_with(".zip") {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).unwrap();
            let mut contents = Vec::new();
            file.read_to_end(&mut contents).unwrap();
            let mode = file.unix_mode().unwrap() & 0o777;
            entries.push((file.name().unwrap().into_owned(), mode, contents));
        }
    } else {
        for file in tar::Archive::new(GzDecoder::new(bytes)).entries().unwrap() {
            let mut file = file.unwrap();
            let header = file.header();
            let time = header.mtime().unwrap();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap(), time), (0, 0, 315_532_800));
            let (path, mode) = (file.path().unwrap().to_str().unwrap().to_owned(), header.mode());
            let mode = mode.unwrap();
            let mut contents = Vec::new();
            file.read_to_end(&mut contents).unwrap();
            entries.push((path, mode, contents));
        }
    }
    entries
}

#[test]
fn archives_hold_what_a_build_makes_and_what_was_added() {
    let scratch = released();
    assert_eq!(in_dist(&scratch), FILES);
    // Windows is told the version, which `build` takes from there.
    scratch.write("kiln.toml", b"version = \"1.4.0\"");
    let build = ["build", "hello.wasm", "-t", "all", "-o", "built", "--env", "A=b"];
    scratch.kiln(&build).is_success();
    for name in FILES.into_iter().filter(|name| name.contains("1.4.0-")) {
        let folder = name.trim_end_matches(".tar.gz").trim_end_matches(".zip");
        let suffix = if name.ends_with(".zip") { ".exe" } else { "" };
        let target = folder.trim_start_matches("hello-1.4.0-");
        let built = scratch.read(&format!("built/hello-{target}{suffix}"));
        let expected = [
            (format!("{folder}/hello{suffix}"), 0o755, built),
            (format!("{folder}/README.md"), 0o644, b"read me\n".to_vec()),
            (format!("{folder}/doc/deep/a.txt"), 0o644, b"a".to_vec()),
            (format!("{folder}/install"), 0o755, b"#!/bin/sh\n".to_vec()),
        ];
        assert!(unpack(name, &scratch.read(&format!("dist/{name}"))) == expected, "{name}");
    }
}

#[test]
fn checksums_and_manifest_tell_what_is_there() {
    let scratch = released();
    let sums = String::from_utf8(scratch.read("dist/SHA256SUMS")).unwrap();
    let sums: BTreeMap<&str, &str> =
        sums.lines().map(|line| line.split_once("  ").unwrap()).map(|(a, b)| (b, a)).collect();
    assert_eq!(sums.len(), FILES.len() - 1);
    for name in FILES.into_iter().filter(|name| *name != "SHA256SUMS") {
        assert_eq!(sums[name], sha256(&scratch.read(&format!("dist/{name}"))), "{name}");
    }

    let manifest = json(&scratch, "manifest.json");
    assert_eq!(manifest["name"], "hello");
    assert_eq!(manifest["version"], "1.4.0");
    assert_eq!(manifest["kiln"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["module"]["path"], "hello.wasm");
    assert_eq!(manifest["module"]["sha256"], sha256(&scratch.read("hello.wasm")));
    assert_eq!(manifest["capabilities"][0], "environment A=b");
    assert_eq!(manifest["include"].as_array().unwrap().len(), 3);
    let archives = manifest["archives"].as_array().unwrap();
    assert_eq!(archives.len(), 6);
    for archive in archives {
        let name = archive["path"].as_str().unwrap();
        let bytes = scratch.read(&format!("dist/{name}"));
        assert_eq!(archive["sha256"], sums[name]);
        assert_eq!(archive["size"], bytes.len());
        let (_, _, executable) = &unpack(name, &bytes)[0];
        assert_eq!(archive["executable"]["sha256"], sha256(executable));
        assert_eq!(archive["executable"]["size"], executable.len());
    }
}

/// The schema comes with the crate that the document was made with.
fn schema() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version=1", "--locked"]);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-cyclonedx").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let path = manifest.parent().unwrap_or(Path::new("")).join("schemas/cyclonedx_1_6.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// `KILN_BILL_OF_MATERIALS` names one more that has to, of a release made elsewhere.
#[test]
fn the_bill_of_materials_follows_its_schema() {
    let scratch = released();
    let document = json(&scratch, "hello-1.4.0.cdx.json");
    let mut schema = schema();
    // It refers to two more, for the list of licenses and for signatures; neither is used here.
    let definitions = schema.as_object_mut().unwrap();
    definitions.remove("$id");
    let text = serde_json::to_string(&schema).unwrap();
    let text = text
        .replace(r#""$ref":"spdx.schema.json""#, r#""const":"no license of the list""#)
        .replace(r#""$ref":"jsf-0.82.schema.json#/definitions/signature""#, r#""const":"none""#);
    let schema = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let other = std::env::var_os("KILN_BILL_OF_MATERIALS")
        .map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap());
    for document in other.iter().chain([&document]) {
        let errors: Vec<String> =
            validator.iter_errors(document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({ "bomFormat": "another" })));

    let references: Vec<&str> = document["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| component["bom-ref"].as_str().unwrap())
        .collect();
    assert!(references.contains(&"module:hello.wasm"), "{references:?}");
    assert!(references.iter().any(|name| name.starts_with("pkg:cargo/rustix@")));
    for dependency in document["dependencies"].as_array().unwrap() {
        for needed in dependency["dependsOn"].as_array().unwrap() {
            assert!(references.contains(&needed.as_str().unwrap()), "{needed}");
        }
    }
}

#[test]
fn the_same_input_gives_the_same_release() {
    let [first, second] = [released(), released()];
    for name in FILES {
        let name = format!("dist/{name}");
        assert!(first.read(&name) == second.read(&name), "{name} differs");
    }
}

#[test]
fn verify_makes_it_again() {
    let scratch = released();
    let outcome = scratch.kiln(&["verify", "dist", "hello.wasm", "--quiet"]);
    outcome.is_success();
    assert!(outcome.stdout.starts_with("hello 1.4.0: all 9 files are"), "{outcome:?}");
    assert!(outcome.stdout.contains("capability: environment A=b\n"), "{outcome:?}");
}

#[test]
fn verify_finds_what_differs() {
    let verify = ["verify", "dist", "hello.wasm"];
    for (name, message) in [
        ("hello-1.4.0-linux-arm64.tar.gz", "another `hello-1.4.0-linux-arm64.tar.gz`"),
        ("SHA256SUMS", "another `SHA256SUMS`"),
        ("hello-1.4.0.cdx.json", "another `hello-1.4.0.cdx.json`"),
    ] {
        let scratch = released();
        let path = format!("dist/{name}");
        let mut bytes = scratch.read(&path);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        scratch.write(&path, &bytes);
        scratch.kiln(&verify).is_error(1, &[message]);
    }

    let scratch = released();
    scratch.write("dist/more", b"");
    scratch.kiln(&verify).is_error(1, &["holds `more`"]);
    scratch.write("hello.wasm", b"\0asm\x01\0\0\0");
    scratch.kiln(&verify).is_error(1, &["another module"]);
    scratch.write("dist/manifest.json", b"{}");
    scratch.kiln(&verify).is_error(65, &["no manifest"]);
    scratch.kiln(&["verify", "absent", "hello.wasm"]).is_error(66, &["manifest.json"]);
}

#[test]
fn verify_tells_of_another_version() {
    let scratch = released();
    let manifest = String::from_utf8(scratch.read("dist/manifest.json")).unwrap();
    let own = format!("\"kiln\": \"{}\"", env!("CARGO_PKG_VERSION"));
    scratch.write("dist/manifest.json", manifest.replace(&own, "\"kiln\": \"9.9.9\"").as_bytes());
    let outcome = scratch.kiln(&["verify", "dist", "hello.wasm"]);
    outcome.is_error(1, &["was made by Kiln 9.9.9"]);
}

#[test]
fn a_release_replaces_only_a_release() {
    let scratch = released();
    let names = in_dist(&scratch);
    scratch.kiln(&DIST).is_success();
    assert_eq!(in_dist(&scratch), names);
    scratch.write("dist/mine", b"precious");
    scratch.kiln(&DIST).is_error(73, &["`kiln dist` did not make"]);
    assert_eq!(scratch.read("dist/mine"), b"precious");
    assert!(!scratch.files().iter().any(|name| name.starts_with(".kiln")));
}

#[test]
fn what_a_release_needs_is_told() {
    let scratch = Scratch::with_hello();
    scratch.kiln(&["dist", "hello.wasm"]).is_error(2, &["needs a version", "--version 1.0.0"]);
    scratch.kiln(&["dist", "hello.wasm", "--version", "a/b"]).is_error(2, &["`--version a/b`"]);
    let absent = ["--include", "absent"];
    scratch.kiln(&[&DIST[..], &absent].concat()).is_error(66, &["cannot read `absent`"]);
    let twice = ["--include", "hello.wasm", "--include", "hello.wasm"];
    scratch.kiln(&[&DIST[..], &twice].concat()).is_error(2, &["two files"]);
    scratch.write("bad.wasm", b"bad");
    scratch.kiln(&["dist", "bad.wasm", "--version", "1"]).is_error(65, &["cannot compile"]);
    assert_eq!(scratch.files(), ["bad.wasm", "hello.wasm"]);
}

#[test]
fn time_and_settings_come_from_where_they_should() {
    let scratch = Scratch::with_hello();
    let config = "name = \"app\"\nversion = \"2\"\ntargets = [\"linux-amd64\"]\n\
                  include = [\"kiln.toml\"]\n[grants]\ndirs = [\".\"]";
    scratch.write("kiln.toml", config.as_bytes());
    let mut command = scratch.command();
    command.env("SOURCE_DATE_EPOCH", "1700000000").args(["dist", "hello.wasm"]);
    assert!(command.status().unwrap().success());
    let manifest = json(&scratch, "manifest.json");
    assert_eq!(manifest["source-date-epoch"], 1_700_000_000);
    assert_eq!(manifest["include"][0]["path"], "kiln.toml");
    let names = ["SHA256SUMS", "app-2-linux-amd64.tar.gz", "app-2.cdx.json", "manifest.json"];
    assert_eq!(in_dist(&scratch), names);
    let document = json(&scratch, "app-2.cdx.json");
    assert_eq!(document["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    scratch.kiln(&["verify", "dist", "hello.wasm"]).is_success();

    let mut command = scratch.command();
    command.env("SOURCE_DATE_EPOCH", "now").args(["dist", "hello.wasm"]);
    assert_eq!(command.status().unwrap().code(), Some(2));
}

#[test]
fn windows_is_told_version_and_description() {
    let scratch = Scratch::with_hello();
    let config = "version = \"1.4.2\"\ntargets = [\"windows-amd64\", \"linux-amd64\"]\n\
                  [metadata]\ndescription = \"Greets\"";
    scratch.write("kiln.toml", config.as_bytes());
    scratch.kiln(&["build", "hello.wasm"]).is_success();
    assert!(scratch.kiln(&["inspect", "hello-windows-amd64.exe"]).stdout.contains(".rsrc"));
    let text: Vec<u8> = "Greets".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let holds = |name: &str| scratch.read(name).windows(text.len()).any(|part| part == text);
    assert!(holds("hello-windows-amd64.exe") && !holds("hello-linux-amd64"));
    scratch.kiln(&["dist", "hello.wasm"]).is_success();
    assert_eq!(json(&scratch, "manifest.json")["metadata"]["description"], "Greets");
    scratch.kiln(&["verify", "dist", "hello.wasm"]).is_success();
}

#[test]
fn universal_is_one_archive_for_macos() {
    let scratch = Scratch::with_hello();
    scratch.kiln(&[&DIST[..], &["--universal"]].concat()).is_success();
    let names = in_dist(&scratch);
    let darwin: Vec<_> = names.iter().filter(|name| name.contains("darwin")).collect();
    assert_eq!(darwin, ["hello-1.4.0-darwin-universal.tar.gz"]);
    assert_eq!(names.len(), FILES.len() - 1);
    scratch.kiln(&["verify", "dist", "hello.wasm"]).is_success();
    let half = ["build", "hello.wasm", "--universal", "-t", "darwin-arm64"];
    scratch.kiln(&half).is_error(2, &["both architectures", "darwin-amd64 and darwin-arm64"]);
    let objects = ["build", "hello.wasm", "--universal", "--emit", "obj"];
    scratch.kiln(&objects).is_error(2, &["executables"]);
}

#[test]
fn a_release_of_several_modules() {
    let scratch = Scratch::new();
    scratch.write("lib.wat", br#"(module (func (export "f")))"#);
    let main = br#"(module (import "lib" "f" (func $f)) (func (export "_start") (call $f)))"#;
    scratch.write("main.wat", main);
    let dist = ["dist", "main.wat", "--version=1", "-t=linux-arm64", "--link=lib=lib.wat"];
    scratch.kiln(&dist).is_success();
    let manifest = json(&scratch, "manifest.json");
    assert_eq!(manifest["links"][0]["name"], "lib");
    assert_eq!(manifest["links"][0]["sha256"], sha256(&scratch.read("lib.wat")));
    let verify = ["verify", "dist", "main.wat"];
    scratch.kiln(&[&verify[..], &["--link=lib=lib.wat"]].concat()).is_success();
    scratch.kiln(&verify).is_error(1, &["another module than `main.wat`"]);
    scratch.kiln(&[&verify[..], &["--link=lib=main.wat"]].concat()).is_error(1, &["`main.wat`"]);
    scratch.kiln(&[&verify[..], &["--link=bil=lib.wat"]].concat()).is_error(1, &["`lib.wat`"]);
}
