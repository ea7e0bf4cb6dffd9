//! Where known folders lie. Source: "File System Programming Guide" of Apple's documentation.

use crate::errno::Errno;
use crate::sys::types::{Folder, HostPath};
use crate::sys::{Result, posix};
use core::ffi::{c_char, c_int};

// Source: `<mach-o/dyld.h>`.
unsafe extern "C" {
    fn _NSGetExecutablePath(path: *mut c_char, size: *mut u32) -> c_int;
}

/// See [`contract`](crate::sys).
pub const LIST_DIVIDER: u8 = b':';

/// See [`contract`](crate::sys).
pub fn find(folder: Folder, path: &mut HostPath) -> Result<()> {
    match folder {
        Folder::Executable => executable(path),
        Folder::Home => posix::push_folder(path, b"HOME", b""),
        Folder::Config => posix::push_folder(path, b"HOME", b"/Library/Application Support"),
        Folder::Cache => posix::push_folder(path, b"HOME", b"/Library/Caches"),
        Folder::Temporary => {
            posix::push_folder(path, b"TMPDIR", b"").or_else(|_| path.push(*b"/tmp"))
        }
    }
}

/// The directory that the executable lies in.
fn executable(path: &mut HostPath) -> Result<()> {
    let mut name = [0_u8; 4096];
    let mut size = name.len() as u32;
    // SAFETY: the call writes a path that ends in NUL, as far as there is room.
    if unsafe { _NSGetExecutablePath(name.as_mut_ptr().cast(), &raw mut size) } != 0 {
        return Err(Errno::NAMETOOLONG);
    }
    let end = name.iter().position(|&byte| byte == 0).ok_or(Errno::NAMETOOLONG)?;
    let name = name.get(..end).unwrap_or_default();
    let slash = name.iter().rposition(|&byte| byte == b'/').ok_or(Errno::NOENT)?;
    path.push(name.iter().copied().take(slash.max(1)))
}
