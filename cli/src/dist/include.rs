//! Files that go into every archive beside the executable.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::archive::Entry;
use crate::error::Error;
use crate::tree;

/// Reads files, and directories with everything in them. Each lies at the top of the archive
/// under its own name. A file is executable there when it is a script, which is the same on every
/// host.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    for path in paths {
        let failed = |source| Error::Read { path: path.clone(), source };
        for (path, bytes) in files(path).map_err(failed)? {
            let executable = bytes.starts_with(b"#!");
            entries.push(Entry { path, bytes, executable });
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    match entries.windows(2).find(|pair| pair[0].path == pair[1].path) {
        Some(pair) => Err(Error::OptionValue {
            option: "--include",
            value: pair[0].path.clone(),
            reason: "two files would have that name in the archive".to_owned(),
        }),
        None => Ok(entries),
    }
}

fn files(path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let whole = fs::canonicalize(path)?;
    let name = whole.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("the name is not Unicode"))?;
    if !whole.is_dir() {
        return Ok(vec![(name.to_owned(), fs::read(&whole)?)]);
    }
    let inside = tree::files(&whole)?;
    inside
        .into_iter()
        .map(|(inner, path)| Ok((format!("{name}/{inner}"), fs::read(path)?)))
        .collect()
}
