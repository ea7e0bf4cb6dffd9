//! Where known folders lie. Source: "Recognized environment variables" and `GetTempPath` in the
//! Windows documentation.

use super::syscall::GetModuleFileNameW;
use super::text;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Folder, HostPath};
use crate::wasi::environ::host_variable;
use core::ptr::null_mut;

/// See [`contract`](crate::sys).
pub const LIST_DIVIDER: u8 = b';';

/// UTF-16 units of the longest path of an executable.
const PATH: usize = 4096;

/// See [`contract`](crate::sys).
pub fn find(folder: Folder, path: &mut HostPath) -> Result<()> {
    match folder {
        Folder::Executable => executable(path),
        Folder::Home => variable(path, b"USERPROFILE"),
        Folder::Config => variable(path, b"APPDATA"),
        Folder::Cache => variable(path, b"LOCALAPPDATA"),
        Folder::Temporary => variable(path, b"TMP").or_else(|_| variable(path, b"TEMP")),
    }
}

/// The path that a variable of the environment holds.
fn variable(path: &mut HostPath, name: &[u8]) -> Result<()> {
    let value = host_variable(name).filter(|value| !value.is_empty()).ok_or(Errno::NOENT)?;
    path.push(value.strip_suffix(b"\\").unwrap_or(value).iter().copied())
}

/// The directory that the executable lies in.
fn executable(path: &mut HostPath) -> Result<()> {
    let mut units = [0; PATH];
    // SAFETY: the call writes no more units than it is told.
    let length = unsafe { GetModuleFileNameW(null_mut(), units.as_mut_ptr(), PATH as u32) };
    let units = units.get(..length as usize).unwrap_or_default();
    let slash = units.iter().rposition(|&unit| unit == u16::from(b'\\')).ok_or(Errno::NOENT)?;
    let mut name = [0; 3 * PATH];
    let length = text::to_utf8(units.iter().copied().take(slash), &mut name);
    path.push(name.iter().copied().take(length))
}
