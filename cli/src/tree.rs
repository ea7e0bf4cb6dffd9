//! The files below a directory, in an order that is the same on every host.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Every file below `root`: its path from there with `/`, and where it is. In order of the first.
///
/// # Errors
/// A directory cannot be read, a name is not Unicode, or something is neither a file nor a
/// directory: a symbolic link could lead anywhere.
pub(crate) fn files(root: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    walk(root, "", &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(directory: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let wrong = |what: &str| io::Error::other(format!("`{}` {what}", path.display()));
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| wrong("has a name that is not Unicode"))?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), found)?;
        } else if kind.is_file() {
            found.push((format!("{prefix}{name}"), path));
        } else {
            return Err(wrong("is neither a file nor a directory"));
        }
    }
    Ok(())
}
