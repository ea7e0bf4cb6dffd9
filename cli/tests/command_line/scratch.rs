//! An empty directory and the built `kiln` run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A program that writes `hello` and a newline.
pub(crate) const HELLO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;

/// The binary form of a module or component in text form.
pub(crate) fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's text is well-formed")
}

/// A directory that is removed with everything in it.
pub(crate) struct Scratch(TempDir);

/// How a run of `kiln` ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a directory for temporary files"))
    }

    /// A directory that holds `hello.wasm`, a program that prints `hello`.
    pub(crate) fn with_hello() -> Self {
        let scratch = Self::new();
        scratch.write("hello.wasm", &wasm(HELLO));
        scratch
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// A command that runs `kiln` in the directory.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
        command.current_dir(self.0.path()).env_remove("RUST_BACKTRACE");
        command
    }

    pub(crate) fn kiln(&self, arguments: &[&str]) -> Outcome {
        self.command().args(arguments).output().expect("kiln runs").into()
    }

    /// Runs `kiln` with `input` on its standard input.
    pub(crate) fn kiln_reading(&self, input: &[u8], arguments: &[&str]) -> Outcome {
        self.write(".input", input);
        let file = fs::File::open(self.path(".input")).unwrap();
        fs::remove_file(self.path(".input")).unwrap();
        self.command().args(arguments).stdin(file).output().expect("kiln runs").into()
    }

    /// Every file and directory, by its path with `/`, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        fn walk(root: &Path, directory: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(name);
                if path.is_dir() && !path.is_symlink() {
                    walk(root, &path, found);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), self.0.path(), &mut found);
        found.sort();
        found
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

impl Outcome {
    /// Asserts one error with that exit code, whose report contains each of `words`, and nothing
    /// on standard output.
    #[track_caller]
    pub(crate) fn is_error(&self, code: i32, words: &[&str]) {
        let errors = self.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(errors, 1, "one error: {self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {self:?}");
        }
    }

    #[track_caller]
    pub(crate) fn is_success(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }
}
