//! Rules of the house that can be checked: what may import what, where an operating system may be
//! named, how long a file may be, and what no file may hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have.
const LONGEST: usize = 1000;

/// A file of the project: its path in it, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

/// All files that people write, by the ends of their names.
fn sources(extensions: &[&str]) -> Vec<Source> {
    let project = kiln_tests::project();
    let is_own = |entry: &walkdir::DirEntry| {
        entry.depth() == 0 || !matches!(entry.file_name().to_str(), Some("target" | ".git" | "out"))
    };
    let sources: Vec<_> = walkdir::WalkDir::new(project)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(is_own)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| extensions.contains(&extension(path)))
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let path = path.strip_prefix(project).ok()?.display().to_string().replace('\\', "/");
            Some(Source { path, text })
        })
        .collect();
    assert!(!sources.is_empty(), "there is no file that ends in {extensions:?}");
    sources
}

/// What stands behind the last dot of a file's name; empty for scripts, which have none.
fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or("")
}

const CODE: &[&str] = &["rs", "c", "h", "S", "py", ""];
const TEXT: &[&str] = &["rs", "c", "h", "S", "py", "", "toml", "md", "wat"];

/// Fails with every line that breaks a rule.
fn report(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// Lines of `sources` that hold one of the words, as `path:line: text`.
fn lines_with(sources: &[Source], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn every_rust_file_begins_with_what_it_is() {
    let broken: Vec<_> = sources(&["rs"])
        .into_iter()
        .filter(|source| !source.text.starts_with("//! ") || source.text.starts_with("//! \n"))
        .map(|source| source.path)
        .collect();
    report("a file must begin with a `//!` comment that says what it does", &broken);
}

#[test]
fn no_file_is_too_long() {
    let broken: Vec<_> = sources(TEXT)
        .into_iter()
        .map(|source| (source.text.lines().count(), source.path))
        .filter(|(lines, path)| *lines > LONGEST && !is_golden(path))
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    report("a file may have 1,000 lines", &broken);
}

/// Expected output of tests, which is as long as it is.
fn is_golden(path: &str) -> bool {
    path.contains("/golden/") || path.contains("/expected/")
}

#[test]
fn nothing_is_put_off() {
    let words =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("HA", "CK:")];
    report("work is done or is an issue, not a remark", &lines_with(&sources(TEXT), &words));
}

#[test]
fn no_machine_and_no_registry_is_named() {
    let words = [
        concat!("/wo", "rk/"),
        concat!("/tmp/", "kiln"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("crates", ".io"),
        concat!("deb.", "debian.org"),
        concat!("pypi", ".org"),
        concat!("npmjs", "."),
    ];
    report("no file may name a machine's path or a registry", &lines_with(&sources(TEXT), &words));
}

#[test]
fn imports_only_run_downwards() {
    let allowed = BTreeMap::from([
        ("runtime-support/abi", vec![]),
        ("runtime-support", vec!["kiln-abi"]),
        ("targets", vec!["kiln-abi"]),
        ("compiler", vec!["kiln-abi", "kiln-targets"]),
        ("cli", vec!["kiln-abi", "kiln-targets", "kiln-compiler"]),
        ("tests", vec!["kiln-abi", "kiln-targets", "kiln-compiler"]),
    ]);
    let mut broken = Vec::new();
    for (folder, allowed) in allowed {
        let path = kiln_tests::project().join(folder).join("Cargo.toml");
        let text = fs::read_to_string(&path).expect("every crate has a manifest");
        let manifest: toml::Table = toml::from_str(&text).expect("a manifest is TOML");
        for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let Some(table) = manifest.get(table).and_then(toml::Value::as_table) else { continue };
            for name in table.keys().filter(|name| *name == "kiln" || name.starts_with("kiln-")) {
                if !allowed.contains(&name.as_str()) {
                    broken.push(format!("{folder} imports {name}"));
                }
            }
        }
    }
    report("imports run cli, compiler, targets, abi", &broken);
}

#[test]
fn only_targets_knows_systems_and_architectures() {
    let mut files = sources(&["rs"]);
    files.retain(|source| {
        ["cli/src/", "compiler/src/", "runtime-support/abi/"]
            .iter()
            .any(|folder| source.path.starts_with(folder))
    });
    let words = ["Os::", "Arch::"];
    report("what differs between targets stands in targets/", &lines_with(&files, &words));
}

#[test]
fn only_the_system_folders_are_compiled_conditionally() {
    let mut files = sources(&["rs"]);
    files.retain(|source| {
        // A test may execute what it made where this machine can.
        !source.path.starts_with("runtime-support/src/sys/") && !source.path.contains("tests/")
    });
    let words = ["target_os", "target_arch", "target_vendor"];
    report(
        "an operating system is asked for in runtime-support/src/sys",
        &lines_with(&files, &words),
    );
}

#[test]
fn the_three_systems_have_the_same_files() {
    const SHARED: [&str; 11] = [
        "clock",
        "directory",
        "errno",
        "fs",
        "memory",
        "mod",
        "poll",
        "process",
        "random",
        "signal",
        "thread",
    ];
    let sys = kiln_tests::project().join("runtime-support/src/sys");
    let mut broken = Vec::new();
    for system in ["linux", "darwin", "windows"] {
        let found: BTreeSet<PathBuf> =
            kiln_tests::files(&sys.join(system), "rs").into_iter().collect();
        for name in SHARED {
            let path = sys.join(system).join(format!("{name}.rs"));
            if !found.contains(&path) {
                broken.push(format!("{system} has no {name}.rs"));
            }
        }
    }
    report("what every system provides has the same name in each", &broken);
}

#[test]
fn files_have_no_stray_whitespace() {
    let mut broken = Vec::new();
    for source in sources(CODE) {
        if !source.text.is_empty() && !source.text.ends_with('\n') {
            broken.push(format!("{}: does not end in a newline", source.path));
        }
        for (index, line) in source.text.lines().enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                broken.push(format!("{}:{}: whitespace at the end", source.path, index + 1));
            }
        }
    }
    report("whitespace", &broken);
}
