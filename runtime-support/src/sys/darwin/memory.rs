//! Address space.

use super::errno::last;
use crate::errno::Errno;
use crate::sys::Result;
use core::ptr::null_mut;
use libc::{MAP_ANON, MAP_FAILED, MAP_NORESERVE, MAP_PRIVATE, PROT_NONE, PROT_READ, PROT_WRITE};

/// Source: `<mach/arm/vm_param.h>`.
#[cfg(target_arch = "aarch64")]
const PAGE: usize = 0x4000;
/// Source: `<mach/i386/vm_param.h>`. It is the same for a process that Rosetta translates.
#[cfg(target_arch = "x86_64")]
const PAGE: usize = 0x1000;

/// See [`contract`](crate::sys).
pub fn page_size() -> usize {
    PAGE
}

/// See [`contract`](crate::sys).
pub fn reserve(length: usize) -> Result<*mut u8> {
    map(null_mut(), length, PROT_NONE)
}

/// See [`contract`](crate::sys).
pub fn reserve_at(address: *mut u8, length: usize) -> Result<()> {
    map_at(address, length, PROT_NONE)
}

/// See [`contract`](crate::sys).
pub fn commit_at(address: *mut u8, length: usize) -> Result<()> {
    map_at(address, length, PROT_READ | PROT_WRITE)
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// The range is reserved.
pub unsafe fn commit(address: *mut u8, length: usize) -> Result<()> {
    // SAFETY: as the caller says.
    match unsafe { libc::mprotect(address.cast(), length, PROT_READ | PROT_WRITE) } {
        0 => Ok(()),
        _ => Err(last()),
    }
}

/// See [`contract`](crate::sys).
pub fn allocate(length: usize) -> Result<*mut u8> {
    map(null_mut(), length, PROT_READ | PROT_WRITE)
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// Nothing refers to the memory, which is one whole allocation.
pub unsafe fn release(address: *mut u8, length: usize) {
    // SAFETY: as the caller says. A failure leaves the memory unused, which harms nothing.
    unsafe { libc::munmap(address.cast(), length) };
}

fn map(address: *mut u8, length: usize, access: i32) -> Result<*mut u8> {
    let flags = MAP_PRIVATE | MAP_ANON | MAP_NORESERVE;
    // SAFETY: without MAP_FIXED, a new mapping replaces none.
    let mapped = unsafe { libc::mmap(address.cast(), length, access, flags, -1, 0) };
    if mapped == MAP_FAILED { Err(last()) } else { Ok(mapped.cast()) }
}

/// Maps at exactly that address, which the system takes as a hint only.
fn map_at(address: *mut u8, length: usize, access: i32) -> Result<()> {
    let mapped = map(address, length, access)?;
    if mapped == address {
        return Ok(());
    }
    // SAFETY: it was just mapped, elsewhere than wanted.
    unsafe { release(mapped, length) };
    Err(Errno::EXIST)
}
