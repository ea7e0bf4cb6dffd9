//! Where known folders lie. Source: the XDG Base Directory Specification 0.8, POSIX's `TMPDIR`.

use super::errno::translate;
use crate::errno::Errno;
use crate::sys::types::{Folder, HostPath};
use crate::sys::{Result, posix};

/// See [`contract`](crate::sys).
pub const LIST_DIVIDER: u8 = b':';

/// See [`contract`](crate::sys).
pub fn find(folder: Folder, path: &mut HostPath) -> Result<()> {
    match folder {
        Folder::Executable => executable(path),
        Folder::Home => posix::push_folder(path, b"HOME", b""),
        Folder::Config => posix::push_folder(path, b"XDG_CONFIG_HOME", b"")
            .or_else(|_| posix::push_folder(path, b"HOME", b"/.config")),
        Folder::Cache => posix::push_folder(path, b"XDG_CACHE_HOME", b"")
            .or_else(|_| posix::push_folder(path, b"HOME", b"/.cache")),
        Folder::Temporary => {
            posix::push_folder(path, b"TMPDIR", b"").or_else(|_| path.push(*b"/tmp"))
        }
    }
}

/// The directory that the executable lies in.
fn executable(path: &mut HostPath) -> Result<()> {
    let mut name = [0; 4096];
    let link = c"/proc/self/exe";
    let length = rustix::fs::readlinkat_raw(rustix::fs::CWD, link, &mut name).map_err(translate)?;
    let name = name.get(..length).unwrap_or_default();
    let slash = name.iter().rposition(|&byte| byte == b'/').ok_or(Errno::NOENT)?;
    path.push(name.iter().copied().take(slash.max(1)))
}
