//! macOS has no means for a process to restrict itself so:
//! the sandbox of macOS is for bundles, whose entitlements are signed.

use super::fs::Handle;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::Calls;

/// See [`contract`](crate::sys).
pub const EXISTS: bool = false;

/// See [`contract`](crate::sys).
pub fn restrict_files<'a>(_: impl Iterator<Item = (&'a Handle, bool)>) -> Result<()> {
    Err(Errno::NOSYS)
}

/// See [`contract`](crate::sys).
pub fn restrict_calls(_: Calls) -> Result<()> {
    Err(Errno::NOSYS)
}
