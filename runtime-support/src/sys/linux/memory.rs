//! Address space.

use super::errno::translate;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::MemoryImage;
use core::ffi::c_void;
use core::ptr::null_mut;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// Pages are counted against the system's memory when they are first touched, not before.
const LAZY: MapFlags = MapFlags::PRIVATE.union(MapFlags::NORESERVE);
const ACCESS: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

/// See [`contract`](crate::sys).
pub const IMAGE: MemoryImage = MemoryImage::Fixed;

/// See [`contract`](crate::sys).
pub fn page_size() -> usize {
    rustix::param::page_size()
}

/// See [`contract`](crate::sys).
pub fn reserve(length: usize) -> Result<*mut u8> {
    map(null_mut(), length, ProtFlags::empty(), LAZY)
}

/// See [`contract`](crate::sys).
pub fn reserve_at(address: *mut u8, length: usize) -> Result<()> {
    map_at(address, length, ProtFlags::empty())
}

/// See [`contract`](crate::sys).
pub fn commit_at(address: *mut u8, length: usize) -> Result<()> {
    map_at(address, length, ACCESS)
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// The range is reserved.
pub unsafe fn commit(address: *mut u8, length: usize) -> Result<()> {
    let access = MprotectFlags::READ.union(MprotectFlags::WRITE);
    // SAFETY: as the caller says.
    unsafe { mprotect(address.cast(), length, access) }.map_err(translate)
}

/// See [`contract`](crate::sys). Memory 0 has what is large at its address already.
///
/// # Safety
/// As `contract` says.
pub unsafe fn map_image(_from: *const u8, _to: *mut u8, _length: usize) -> Result<()> {
    Err(Errno::NOSYS)
}

/// See [`contract`](crate::sys).
pub fn allocate(length: usize) -> Result<*mut u8> {
    map(null_mut(), length, ACCESS, LAZY)
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// Nothing refers to the memory, which is one whole allocation.
pub unsafe fn release(address: *mut u8, length: usize) {
    // SAFETY: as the caller says. A failure leaves the memory unused, which harms nothing.
    let _ = unsafe { munmap(address.cast(), length) };
}

fn map(address: *mut c_void, length: usize, access: ProtFlags, flags: MapFlags) -> Result<*mut u8> {
    // SAFETY: without MAP_FIXED, a new mapping replaces none.
    unsafe { mmap_anonymous(address, length, access, flags) }
        .map(<*mut c_void>::cast)
        .map_err(translate)
}

/// Maps at exactly that address. A kernel that does not know the flag takes the address as a hint.
fn map_at(address: *mut u8, length: usize, access: ProtFlags) -> Result<()> {
    let mapped = map(address.cast(), length, access, LAZY.union(MapFlags::FIXED_NOREPLACE))?;
    if mapped == address {
        return Ok(());
    }
    // SAFETY: it was just mapped, elsewhere than wanted.
    unsafe { release(mapped, length) };
    Err(Errno::EXIST)
}
