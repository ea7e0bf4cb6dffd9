//! `--icon`: in executables for Windows alone, in releases and their verification, mistakes in files.
//! How the system shows it is tested with the targets.

use kiln_targets::executable::Executable;
use serde_json::Value;

use crate::scratch::Scratch;

const ICON: &[u8] = include_bytes!("../../../tests/windows/three.ico");

fn with_icon() -> Scratch {
    let scratch = Scratch::with_hello();
    scratch.write("app.ico", ICON);
    scratch
}

/// The icon in an executable, as a file.
fn icon(bytes: &[u8]) -> Option<Vec<u8>> {
    Executable::parse(bytes).unwrap().icon.map(|icon| icon.to_file())
}

#[test]
fn executables_for_windows_hold_it() {
    let scratch = with_icon();
    let build = ["build", "hello.wasm", "-t", "all", "-o", "out"];
    scratch.kiln(&[&build[..], &["--icon", "app.ico"]].concat()).is_success();
    scratch.kiln(&["build", "hello.wasm", "-t", "all", "-o", "plain"]).is_success();
    for target in ["windows-amd64.exe", "windows-arm64.exe", "linux-amd64", "darwin-arm64"] {
        let [with, without] =
            ["out", "plain"].map(|folder| scratch.read(&format!("{folder}/hello-{target}")));
        let shown = target.starts_with("windows").then(|| ICON.to_vec());
        assert_eq!(icon(&with), shown, "{target}");
        assert_eq!(icon(&without), None, "{target}");
        assert_eq!(with == without, shown.is_none(), "{target}");
    }
    let inspected = scratch.kiln(&["inspect", "out/hello-windows-arm64.exe"]).stdout;
    assert!(inspected.contains("icon:\n  16\u{d7}16 pixels\n  32\u{d7}32"), "{inspected}");
    // With a version beside it, and from a file beside the module.
    scratch.write("kiln.toml", b"icon = \"app.ico\"\nversion = \"1\"");
    let configured = ["build", "hello.wasm", "-t", "windows-amd64", "-o", "configured.exe"];
    scratch.kiln(&configured).is_success();
    assert_eq!(icon(&scratch.read("configured.exe")).as_deref(), Some(ICON));
}

#[test]
fn a_release_is_verified_with_it_and_without() {
    let scratch = with_icon();
    let dist = ["dist", "hello.wasm", "--version=1", "--icon=app.ico"];
    let windows = ["-t", "linux-amd64,windows-arm64"];
    scratch.kiln(&[&dist[..], &windows].concat()).is_success();
    let manifest: Value = serde_json::from_slice(&scratch.read("dist/manifest.json")).unwrap();
    assert_eq!(manifest["icon"]["size"], ICON.len());
    let bill: Value = serde_json::from_slice(&scratch.read("dist/hello-1.cdx.json")).unwrap();
    let components = bill["components"].as_array().unwrap();
    let icon = components.iter().find(|component| component["bom-ref"] == "icon").unwrap();
    assert_eq!(icon["hashes"][0]["content"], manifest["icon"]["sha256"]);
    assert!(bill["dependencies"][0]["dependsOn"].as_array().unwrap().contains(&"icon".into()));
    let verify = ["verify", "dist", "hello.wasm"];
    scratch.kiln(&verify).is_success();
    scratch.kiln(&[&verify[..], &["--icon", "app.ico"]].concat()).is_success();
    let mut other = ICON.to_vec();
    *other.last_mut().unwrap() ^= 1;
    scratch.write("app.ico", &other);
    let compared = scratch.kiln(&[&verify[..], &["--icon", "app.ico"]].concat());
    compared.is_error(1, &["another icon"]);

    scratch.kiln(&[&dist[..], &["-t", "linux-amd64"]].concat()).is_success();
    let manifest: Value = serde_json::from_slice(&scratch.read("dist/manifest.json")).unwrap();
    assert_eq!(manifest["icon"], Value::Null);
    scratch.kiln(&verify).is_success();
}

#[test]
fn a_bad_file_is_one_error_with_its_place() {
    let scratch = with_icon();
    let build = ["build", "hello.wasm", "-t", "windows-amd64", "--icon"];
    scratch.kiln(&[&build[..], &["absent.ico"]].concat()).is_error(66, &["`absent.ico`"]);
    for (bytes, word) in [
        (&b"\x89PNG\r\n\x1a\n"[..], "offset 0: an .ico file begins with"),
        (&ICON[..40], "offset 40: the file ends within the list"),
        (&ICON[..ICON.len() - 1], "offset 38: the image's 666 bytes at 4614 are not in the file"),
    ] {
        scratch.write("bad.ico", bytes);
        let outcome = scratch.kiln(&[&build[..], &["bad.ico"]].concat());
        outcome.is_error(65, &["cannot use the icon `bad.ico`", word]);
    }
    assert_eq!(scratch.files(), ["app.ico", "bad.ico", "hello.wasm"]);
}
