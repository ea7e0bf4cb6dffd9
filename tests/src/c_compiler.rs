//! C compilers for some of the targets: this machine's own for linux/amd64, and those of
//! scripts/install-runners for linux/arm64 and windows/amd64.

use std::process::Command;

use kiln_targets::Target;

use crate::root;

/// Why nothing is compiled where [`find`] finds none.
pub const MISSING: &str = "no C compiler for it is here";

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
    if root::folder("amd64").join("usr/bin").join(name).symlink_metadata().is_ok() {
        return Some(root::command("amd64", name));
    }
    Command::new(name).arg("--version").output().ok().map(|_| Command::new(name))
}
