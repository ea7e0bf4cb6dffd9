//! Third-party modules: where they lie and what is said of them.
//!
//! The corpus is no part of the project; see its own README for its formats.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The corpus: where `KILN_CORPUS` says, or `../shared/corpus` beside the project.
///
/// # Panics
/// There is none: tests that need it must not pass without it.
#[must_use]
pub fn folder() -> PathBuf {
    let folder = std::env::var_os("KILN_CORPUS")
        .map_or_else(|| super::project().join("../shared/corpus"), PathBuf::from);
    assert!(
        folder.is_dir(),
        "the corpus of third-party modules is not at {}; set KILN_CORPUS to where it is",
        folder.display()
    );
    folder
}

/// A list of the corpus, such as `programs.json`.
///
/// # Panics
/// It is not there, or not what it should be.
#[must_use]
pub fn list<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = folder().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A folder of the corpus that a program is granted.
#[derive(Debug, Clone, Deserialize)]
pub struct Grant {
    /// Its name inside the program.
    pub guest: String,
    /// The folder, relative to the corpus.
    pub host: PathBuf,
}

/// Copies a folder with all that is in it, writable.
///
/// # Errors
/// Something cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &copy)?;
        } else {
            // Not `fs::copy`, which would make the copy as read-only as the original.
            fs::write(&copy, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
