//! Address space.

use super::errno::last;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::MemoryImage;
use core::ptr::null_mut;
use libc::{
    MAP_ANON, MAP_FAILED, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, PROT_NONE, PROT_READ, PROT_WRITE,
};

/// Source: `<mach/arm/vm_param.h>`.
#[cfg(target_arch = "aarch64")]
const PAGE: usize = 0x4000;
/// Source: `<mach/i386/vm_param.h>`. It is the same for a process that Rosetta translates.
#[cfg(target_arch = "x86_64")]
const PAGE: usize = 0x1000;

/// Pages are counted against the system's memory when they are first touched, not before.
const LAZY: i32 = MAP_PRIVATE | MAP_ANON | MAP_NORESERVE;

/// Fewer bytes are copied as quickly as the kernel changes its maps.
const MAPPED_LENGTH: usize = 0x1_0000;

// Source: `<mach/kern_return.h>`, `<mach/vm_statistics.h>`, `<mach/vm_inherit.h>`. What code may do
// with memory has the numbers of `PROT_*`.
const KERN_SUCCESS: i32 = 0;
const VM_FLAGS_FIXED: i32 = 0;
const VM_FLAGS_OVERWRITE: i32 = 0x4000;
const VM_INHERIT_COPY: u32 = 1;

unsafe extern "C" {
    /// The port of this process. Source: `<mach/mach_init.h>`.
    static mach_task_self_: u32;
    /// Maps memory of one process into another. Source: `<mach/mach_vm.h>`.
    fn mach_vm_remap(
        to_task: u32,
        to: *mut u64,
        length: u64,
        mask: u64,
        flags: i32,
        from_task: u32,
        from: u64,
        copy: i32,
        access: *mut i32,
        most_access: *mut i32,
        inheritance: u32,
    ) -> i32;
}

/// See [`contract`](crate::sys).
pub const IMAGE: MemoryImage = MemoryImage::Mapped;

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
///
/// # Safety
/// As `contract` says.
pub unsafe fn map_image(from: *const u8, to: *mut u8, length: usize) -> Result<()> {
    let is_whole = |at: usize| at.is_multiple_of(PAGE);
    if length < MAPPED_LENGTH || ![from as usize, to as usize, length].into_iter().all(is_whole) {
        return Err(Errno::INVAL);
    }
    let mut address = to as u64;
    let (mut access, mut most_access) = (0, 0);
    // SAFETY: as the caller says; the variable is set before the program starts.
    let code = unsafe {
        mach_vm_remap(
            mach_task_self_,
            &mut address,
            length as u64,
            0,
            VM_FLAGS_FIXED | VM_FLAGS_OVERWRITE,
            mach_task_self_,
            from as u64,
            1,
            &mut access,
            &mut most_access,
            VM_INHERIT_COPY,
        )
    };
    if code == KERN_SUCCESS && access == PROT_READ | PROT_WRITE {
        return Ok(());
    }
    // Zeros once more, in case something is there now that cannot be written.
    let flags = LAZY | MAP_FIXED;
    // SAFETY: as the caller says.
    match unsafe { libc::mmap(to.cast(), length, PROT_READ | PROT_WRITE, flags, -1, 0) } {
        MAP_FAILED => crate::start::fail("the system took memory away", ""),
        _ => Err(Errno::NOSYS),
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
    // SAFETY: without MAP_FIXED, a new mapping replaces none.
    let mapped = unsafe { libc::mmap(address.cast(), length, access, LAZY, -1, 0) };
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
