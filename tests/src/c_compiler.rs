//! C compilers for some of the targets: this machine's own for linux/amd64, and those of
//! scripts/install-runners for linux/arm64 and windows/amd64.

use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_targets::Target;

/// The folder of what scripts/install-runners unpacked.
#[must_use]
pub fn root() -> PathBuf {
    let cache = std::env::var_os("KILN_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/kiln")));
    cache.unwrap_or_default().join("runners/amd64")
}

/// A command that compiles C for a target, if there is one here.
#[must_use]
pub fn find(target: &Target) -> Option<Command> {
    let name = match target.name {
        "linux-amd64" => return Some(Command::new("cc")),
        "linux-arm64" => "aarch64-linux-gnu-gcc",
        "windows-amd64" => "x86_64-w64-mingw32-gcc-win32",
        _ => return None,
    };
    // The name without a thread model is made by a maintainer script, which does not run there.
    if root().join("usr/bin").join(name).symlink_metadata().is_ok() {
        let mut command = Command::new(crate::project().join("tests/runners/enter-root"));
        command.arg(root()).arg(Path::new("/usr/bin").join(name));
        return Some(command);
    }
    Command::new(name).arg("--version").output().ok().map(|_| Command::new(name))
}
