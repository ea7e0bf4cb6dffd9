//! Random bytes.

use super::syscall::ProcessPrng;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::Buffer;

/// See [`contract`](crate::sys).
pub fn fill(buffer: &Buffer<'_>) -> Result<()> {
    // SAFETY: the buffer can be written.
    let done = unsafe { ProcessPrng(buffer.pointer(), buffer.length()) };
    if done == 0 { Err(Errno::IO) } else { Ok(()) }
}
