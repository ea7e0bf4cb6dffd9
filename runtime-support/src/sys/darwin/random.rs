//! Random bytes from the kernel.

use super::errno::last;
use crate::sys::Result;
use crate::sys::types::Buffer;

/// Bytes that one call gives. Source: `getentropy(2)`.
const MOST: usize = 256;

/// See [`contract`](crate::sys).
pub fn fill(buffer: &Buffer<'_>) -> Result<()> {
    for start in (0..buffer.length()).step_by(MOST) {
        let length = MOST.min(buffer.length() - start);
        // SAFETY: the range lies inside the buffer, which can be written.
        if unsafe { libc::getentropy(buffer.pointer().add(start).cast(), length) } != 0 {
            return Err(last());
        }
    }
    Ok(())
}
