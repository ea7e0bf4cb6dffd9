//! What other programs want of Kiln: messages for machines, completions, manual pages, images for
//! containers, `cargo kiln`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::scratch::Scratch;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn machines_are_told_in_json() {
    let scratch = Scratch::with_hello();
    let json = ["--message-format", "json"];
    let build = ["build", "hello.wasm", "-t", "linux-arm64,windows-amd64"];
    let outcome = scratch.kiln(&[&build[..], &json].concat());
    outcome.is_success();
    assert_eq!(outcome.stderr, "");
    let messages: Vec<Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(messages.len(), 2);
    for (message, product) in messages.iter().zip(["linux-arm64", "windows-amd64"]) {
        let bytes = scratch.read(message["path"].as_str().unwrap());
        assert_eq!(message["reason"], "artifact");
        assert_eq!(message["product"], product);
        assert_eq!(message["size"], bytes.len());
        assert_eq!(message["sha256"], sha256(&bytes));
    }

    let dist = ["dist", "hello.wasm", "--version", "1", "-t", "linux-arm64"];
    let outcome = scratch.kiln(&[&dist[..], &json].concat());
    assert_eq!(outcome.stderr, "");
    let messages = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    let files = messages.map(|message: Value| message["path"].as_str().unwrap().to_owned());
    let written = scratch.files().into_iter().filter(|path| path.starts_with("dist/"));
    assert_eq!(files.collect::<BTreeSet<_>>(), written.collect());

    let outcome = scratch.kiln(&[&["build", "absent.wasm"], &json[..]].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(66), ""));
    let message: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(message["reason"], "error");
    assert_eq!(message["exit-code"], 66);
    assert_eq!(message["message"], "cannot read `absent.wasm`");
    assert!(message["causes"][0].is_string());
}

#[test]
fn every_shell_has_completions() {
    let scratch = Scratch::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let outcome = scratch.kiln(&["completions", shell]);
        outcome.is_success();
        assert!(outcome.stdout.contains("universal"), "{shell}");
    }
}

/// The script is loaded, and asked what the word under the cursor may become.
#[test]
#[cfg(unix)]
fn bash_completes_with_its_script() {
    let scratch = Scratch::new();
    let complete = r#"source <("$KILN" completions bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _kiln kiln "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[@]}""#;
    for (words, completed) in [
        (&["kiln", "ver"][..], "verify"),
        (&["kiln", "dist", "--inc"], "--include"),
        (&["kiln", "build", "--emit", "cd"], "cdylib"),
    ] {
        let mut bash = Command::new("bash");
        bash.args(["-c", complete, "bash"]).args(words).current_dir(scratch.path(""));
        let output = bash.env("KILN", env!("CARGO_BIN_EXE_kiln")).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), completed, "{output:?}");
    }
}

#[test]
fn every_verb_has_a_manual_page() {
    let scratch = Scratch::new();
    scratch.kiln(&["man", "pages"]).is_success();
    let text = |name: &str| String::from_utf8(scratch.read(&format!("pages/{name}"))).unwrap();
    assert!(text("kiln.1").contains("kiln\\-build(1)"));
    for page in scratch.files().iter().filter_map(|path| path.strip_prefix("pages/")) {
        assert!(text(page).starts_with(".ie"), "{page}: {}", text(page));
    }
    assert!(text("kiln-dist.1").contains("include"));
}

#[test]
fn the_version_tells_which_build_it_is() {
    let version = Scratch::new().kiln(&["--version"]).stdout;
    assert!(version.starts_with(&format!("kiln {}\n", env!("CARGO_PKG_VERSION"))), "{version}");
    for line in ["commit: ", "host: ", "runtime: contract kiln_abi_v"] {
        assert!(version.contains(line), "{version}");
    }
}

/// Files of a tar archive by their paths.
fn untar(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(bytes);
    let files = archive.entries().unwrap().map(|file| {
        let mut file = file.unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (file.path().unwrap().to_str().unwrap().to_owned(), bytes)
    });
    files.collect()
}

/// Finds the blob that a descriptor describes, and checks the description.
fn blob<'a>(files: &'a BTreeMap<String, Vec<u8>>, descriptor: &Value) -> &'a [u8] {
    let digest = descriptor["digest"].as_str().unwrap();
    let bytes = &files[&format!("blobs/{}", digest.replace(':', "/"))];
    assert_eq!(digest, format!("sha256:{}", sha256(bytes)));
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}

fn json_blob(files: &BTreeMap<String, Vec<u8>>, descriptor: &Value) -> Value {
    serde_json::from_slice(blob(files, descriptor)).unwrap()
}

#[test]
fn an_image_holds_the_executable_alone() {
    let scratch = Scratch::with_hello();
    scratch.kiln(&["build", "hello.wasm", "--emit", "oci"]).is_success();
    scratch.kiln(&["build", "hello.wasm", "-t", "linux-amd64,linux-arm64"]).is_success();
    let files = untar(&scratch.read("hello.oci.tar"));
    assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    let index = json_blob(&files, &index["manifests"][0]);
    let manifests = index["manifests"].as_array().unwrap();
    for (described, architecture) in manifests.iter().zip(["amd64", "arm64"]) {
        assert_eq!(described["platform"]["architecture"], architecture);
        assert_eq!(described["platform"]["os"], "linux");
        let manifest = json_blob(&files, described);
        let config = json_blob(&files, &manifest["config"]);
        assert_eq!(config["architecture"], architecture);
        assert_eq!(config["config"]["Entrypoint"][0], "/hello");
        let mut layer = Vec::new();
        let packed = blob(&files, &manifest["layers"][0]);
        GzDecoder::new(packed).read_to_end(&mut layer).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", sha256(&layer)));
        let built = scratch.read(&format!("hello-linux-{architecture}"));
        assert!(untar(&layer) == BTreeMap::from([("hello".to_owned(), built)]));
    }
    // Layout, index, and of each image a layer, a configuration and a manifest.
    assert_eq!(files.len(), 2 + 1 + 2 * 3);
    let windows = ["build", "hello.wasm", "--emit", "oci", "-t", "windows-amd64"];
    scratch.kiln(&windows).is_error(2, &["linux-amd64 and linux-arm64"]);
}

/// As in an image `FROM scratch`: the root holds nothing but the program.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn an_image_needs_nothing_else() {
    let scratch = Scratch::with_hello();
    std::fs::create_dir(scratch.path("root")).unwrap();
    scratch.kiln(&["build", "hello.wasm", "-t", "linux-amd64", "-o", "root/hello"]).is_success();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--root=root", "/hello"]);
    match command.current_dir(scratch.path("")).output() {
        Ok(run) if run.stderr.starts_with(b"unshare:") => {
            eprintln!("an image: NOT RUN: {}", String::from_utf8_lossy(&run.stderr));
        }
        run => assert_eq!(run.unwrap().stdout, b"hello\n"),
    }
}

#[test]
fn a_universal_executable_is_inspected_image_by_image() {
    let scratch = Scratch::with_hello();
    scratch.kiln(&["build", "hello.wasm", "--universal"]).is_success();
    let file = scratch.read("hello");
    assert!(file.starts_with(b"\xca\xfe\xba\xbe\0\0\0\x02"));
    let outcome = scratch.kiln(&["inspect", "hello"]);
    outcome.is_success();
    for target in ["darwin-amd64", "darwin-arm64"] {
        assert!(outcome.stdout.contains(&format!("target: {target} ")), "{outcome:?}");
        scratch.kiln(&["build", "hello.wasm", "-t", target, "-o", "hello-single"]).is_success();
        let image = scratch.read("hello-single");
        // On 16 KiB in the file, the same to the byte.
        assert!(file.chunks(0x4000).any(|chunk| chunk.starts_with(&image[..0x1000])), "{target}");
    }
    assert_eq!(outcome.stdout.matches("intact").count(), 2, "{outcome:?}");
}

/// Where Rust's target for WASI is installed beside this cargo, a crate is built and fired; elsewhere
/// it is said that it is missing. The targets' tests bring a Rust of their own that has it.
#[test]
fn cargo_kiln_builds_a_crate_and_fires_it() {
    let scratch = Scratch::new();
    let cargo_kiln = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-kiln"));
        command.current_dir(scratch.path("")).arg("kiln").args(arguments);
        command.env("CARGO_TARGET_DIR", scratch.path("target")).output().unwrap()
    };
    assert_eq!(cargo_kiln(&["bake"]).status.code(), Some(2));
    std::fs::create_dir(scratch.path("src")).unwrap();
    let manifest =
        "[package]\nname = \"greet\"\nversion = \"0.3.1\"\nedition = \"2024\"\n[workspace]";
    scratch.write("Cargo.toml", manifest.as_bytes());
    scratch.write("src/main.rs", b"fn main() { println!(\"greetings\"); }");
    let output = cargo_kiln(&["dist", "--", "-t", "linux-amd64"]);
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("wasm32-wasip1 is not installed") {
        println!("not executed: Rust's target wasm32-wasip1 is not installed");
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains("rustup target add"), "{said}");
        return;
    }
    assert!(output.status.success(), "{said}");
    assert!(scratch.path("dist/greet-0.3.1-linux-amd64.tar.gz").is_file());
    let output = cargo_kiln(&["run"]);
    assert_eq!(output.stdout, b"greetings\n");
}
