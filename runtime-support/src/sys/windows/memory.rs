//! Address space.

use super::syscall::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_NOACCESS, PAGE_READWRITE, VirtualAlloc, VirtualFree,
};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::MemoryImage;
use core::ptr::null_mut;

/// Windows places reservations at multiples of this on every processor. Source:
/// `dwAllocationGranularity` in the documentation of `SYSTEM_INFO`.
const ALLOCATION_GRANULARITY: usize = 0x1_0000;

/// See [`contract`](crate::sys).
pub const IMAGE: MemoryImage = MemoryImage::InPlace;

/// See [`contract`](crate::sys).
pub fn page_size() -> usize {
    ALLOCATION_GRANULARITY
}

/// See [`contract`](crate::sys).
pub fn reserve(length: usize) -> Result<*mut u8> {
    allocate_at(null_mut(), length, MEM_RESERVE, PAGE_NOACCESS).ok_or(Errno::NOMEM)
}

/// See [`contract`](crate::sys).
pub fn reserve_at(address: *mut u8, length: usize) -> Result<()> {
    allocate_at(address, length, MEM_RESERVE, PAGE_NOACCESS).map(drop).ok_or(Errno::EXIST)
}

/// See [`contract`](crate::sys).
pub fn commit_at(address: *mut u8, length: usize) -> Result<()> {
    allocate_at(address, length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
        .map(drop)
        .ok_or(Errno::EXIST)
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// The range is reserved.
pub unsafe fn commit(address: *mut u8, length: usize) -> Result<()> {
    allocate_at(address, length, MEM_COMMIT, PAGE_READWRITE).map(drop).ok_or(Errno::NOMEM)
}

/// See [`contract`](crate::sys). One memory may have what is large in its place already.
///
/// # Safety
/// As `contract` says.
pub unsafe fn map_image(_from: *const u8, _to: *mut u8, _length: usize) -> Result<()> {
    Err(Errno::NOSYS)
}

/// See [`contract`](crate::sys).
pub fn allocate(length: usize) -> Result<*mut u8> {
    allocate_at(null_mut(), length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE).ok_or(Errno::NOMEM)
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// Nothing refers to the memory, which is one whole allocation.
pub unsafe fn release(address: *mut u8, _length: usize) {
    // SAFETY: as the caller says. A failure leaves the memory unused, which harms nothing.
    unsafe { VirtualFree(address.cast(), 0, MEM_RELEASE) };
}

fn allocate_at(address: *mut u8, length: usize, kind: u32, protection: u32) -> Option<*mut u8> {
    // SAFETY: the call replaces no memory in use: it reserves free addresses or commits pages that
    // are reserved, and leaves pages that are committed already as they are.
    let found = unsafe { VirtualAlloc(address.cast(), length, kind, protection) };
    (!found.is_null()).then_some(found.cast())
}
