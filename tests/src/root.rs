//! Debian roots that scripts/install-runners has unpacked, and programs in them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the scripts keep what they install.
#[must_use]
pub fn cache() -> PathBuf {
    std::env::var_os("KILN_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/kiln")))
        .unwrap_or_default()
}

/// The folder of a root.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    cache().join("runners").join(name)
}

/// A program of a root, with that root's libraries but this machine's other files.
#[must_use]
pub fn command(root: &str, program: &str) -> Command {
    let mut command = Command::new(crate::project().join("tests/runners/enter-root"));
    command.arg(folder(root)).arg(Path::new("/usr/bin").join(program));
    command
}
