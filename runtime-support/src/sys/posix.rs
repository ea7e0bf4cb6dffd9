//! What Linux and macOS have in common.

use super::Result;
use super::types::HostPath;
use crate::errno::Errno;
use crate::wasi::environ::host_variable;

/// Writes the directory that a variable of the environment names, and what follows it. `NOENT`
/// unless the variable holds an absolute path: one relative to the working directory would let
/// whoever chose that directory choose the folder too.
pub(super) fn push_folder(path: &mut HostPath, variable: &[u8], rest: &[u8]) -> Result<()> {
    let folder = host_variable(variable).filter(|value| value.starts_with(b"/"));
    let folder = folder.ok_or(Errno::NOENT)?;
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    path.push(folder.iter().chain(rest).copied())
}
