//! `SHA256SUMS`, as `sha256sum --check` reads it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use sha2::{Digest as _, Sha256};

use super::CHECKSUMS;

/// The digest in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The checksums of `files`, one line for each.
pub(super) fn write(files: &[(String, Vec<u8>)]) -> String {
    files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect()
}

/// Whether a directory holds nothing but what its checksums list, or nothing at all.
pub(super) fn listed(directory: &Path) -> io::Result<bool> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    if !names.remove(CHECKSUMS) {
        return Ok(names.is_empty());
    }
    let text = fs::read_to_string(directory.join(CHECKSUMS))?;
    let listed: BTreeSet<&str> =
        text.lines().filter_map(|line| line.split_once("  ")).map(|(_, name)| name).collect();
    Ok(names.iter().all(|name| listed.contains(name.as_str())))
}
