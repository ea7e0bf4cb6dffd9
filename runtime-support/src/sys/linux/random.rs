//! Random bytes from the kernel.

use super::errno::translate;
use crate::sys::Result;
use crate::sys::types::Buffer;
use core::mem::MaybeUninit;
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// See [`contract`](crate::sys).
pub fn fill(buffer: &Buffer<'_>) -> Result<()> {
    // SAFETY: the buffer can be written and no other reference to it is used meanwhile.
    let bytes: &mut [MaybeUninit<u8>] =
        unsafe { core::slice::from_raw_parts_mut(buffer.pointer().cast(), buffer.length()) };
    let mut filled = 0;
    while let Some(rest @ [_, ..]) = bytes.get_mut(filled..) {
        match getrandom(rest, GetRandomFlags::empty()) {
            Ok((random, _)) => filled += random.len(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(translate(error)),
        }
    }
    Ok(())
}
