//! Linear memories: how they come to be, grow, and are filled in bulk.
//!
//! A memory is a reservation of address space whose first `length` bytes can be accessed; growing
//! makes more of it accessible and never moves it. Bulk operations check their bounds before they
//! write anything and trap with "out of bounds memory access".
//! Specification: core 3.0, 4.6.9 (memory instructions).

use crate::errno::Errno;
use crate::lock::Lock;
use crate::start::fail;
use crate::sys;
use crate::sys::arch::compiled_calls;
use crate::sys::types::MemoryImage;
use crate::{program, trap};
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{Acquire, Release};
use kiln_abi::program::{
    DataSegment, MEMORY_CHECKED, MEMORY_FIXED, MEMORY_IN_PLACE, MEMORY_SHARED, Memory, Run,
};
use kiln_abi::trap::TrapCode::{self, MemoryOutOfBounds};

/// Reserves a memory's address space, makes its initial size accessible and maps its initial
/// contents, or copies what cannot be mapped. Ends the process if the address space does not
/// suffice.
///
/// # Safety
/// `memory` is one of the program's memories, and no compiled code runs yet.
pub unsafe fn instantiate(memory: *mut Memory) {
    // SAFETY: as the caller says.
    let memory = unsafe { &mut *memory };
    // SAFETY: the record counts the array it points to.
    let runs = unsafe { program::slice(memory.runs, memory.run_count) };
    let is = |flag| memory.flags & flag != 0;
    let reserved = match sys::memory::IMAGE {
        MemoryImage::Fixed if is(MEMORY_FIXED) => map_around(memory, runs),
        MemoryImage::InPlace if is(MEMORY_IN_PLACE) => {
            map_behind(memory, runs).or_else(|_| reserve(memory))
        }
        _ => reserve(memory),
    };
    if reserved.is_err() {
        fail(
            match memory.flags & MEMORY_CHECKED {
                0 => "not enough address space for a guarded memory; build with --memory checked",
                _ => "not enough address space for the program's memory",
            },
            "",
        );
    }
    for run in runs.iter().filter(|run| !run.bytes.is_null()) {
        // SAFETY: runs lie inside the initial size, which is accessible now and not yet in use. A
        // run is in its place, or apart from all memories.
        unsafe {
            let (to, length) = (memory.base.add(run.offset as usize), run.length as usize);
            if to.cast_const() != run.bytes
                && sys::memory::map_image(run.bytes, to, length).is_err()
            {
                core::ptr::copy_nonoverlapping(run.bytes, to, length);
            }
        }
    }
}

/// Leaves the beginning of a memory where the image has it, and maps what follows.
fn map_behind(memory: &Memory, runs: &[Run]) -> sys::Result<()> {
    let held = in_pages(runs.last().map_or(0, |run| run.offset + run.length));
    let accessible = in_pages(memory.length);
    map_gap(memory.base, held, in_pages(memory.reservation), accessible, false)
}

/// Reserves a memory wherever there is room. One whose accesses are checked can do with less than
/// it asks for: its limit is lowered to what there is.
fn reserve(memory: &mut Memory) -> sys::Result<()> {
    let length = in_pages(memory.length);
    let mut reservation = in_pages(memory.reservation).max(length);
    memory.base = loop {
        match sys::memory::reserve(reservation) {
            Ok(base) => break base,
            Err(_) if memory.flags & MEMORY_CHECKED != 0 && reservation > length => {
                reservation = in_pages(reservation as u64 / 2).max(length);
                memory.reservation = reservation as u64;
                memory.limit = memory.limit.min(reservation as u64);
            }
            Err(error) => return Err(error),
        }
    };
    if length > 0 {
        // SAFETY: the range was just reserved.
        unsafe { sys::memory::commit(memory.base, length)? };
    }
    Ok(())
}

/// Maps what the image left free of a memory at a fixed address: everything between the runs that
/// lie in place already.
fn map_around(memory: &Memory, runs: &[Run]) -> sys::Result<()> {
    let accessible = in_pages(memory.length);
    let mut from = 0;
    for run in runs.iter().filter(|run| run.bytes.is_null()) {
        map_gap(memory.base, from, run.offset as usize, accessible, from > 0)?;
        from = run.offset as usize + in_pages(run.length);
    }
    map_gap(memory.base, from, in_pages(memory.reservation), accessible, from > 0)
}

/// Maps `from..to` at `base`, `inside` the image or not: what lies below `accessible` to be read and
/// written, the rest as mere reservation. That comes first: of a memory that begins in the image, it
/// is what may not find room.
fn map_gap(
    base: *mut u8,
    from: usize,
    to: usize,
    accessible: usize,
    inside: bool,
) -> sys::Result<()> {
    let to = to.max(from);
    let middle = accessible.clamp(from, to);
    map(base.wrapping_add(middle), to - middle, inside, sys::memory::reserve_at)?;
    map(base.wrapping_add(from), middle - from, inside, sys::memory::commit_at)
}

/// Maps a range that should be free. Some loaders (qemu's) reserve the whole span from the image's
/// first piece to its last; `inside` that span, code and data lying above all memories, there can
/// be nothing else, and it is replaced.
fn map(
    address: *mut u8,
    length: usize,
    inside: bool,
    mapped: fn(*mut u8, usize) -> sys::Result<()>,
) -> sys::Result<()> {
    if length == 0 {
        return Ok(());
    }
    match mapped(address, length) {
        Err(Errno::EXIST) if inside => {
            // SAFETY: nothing is there but a reservation that nobody uses.
            unsafe { sys::memory::release(address, length) };
            mapped(address, length)
        }
        result => result,
    }
}

/// A length rounded up to whole pages of the host.
fn in_pages(length: u64) -> usize {
    (length as usize).next_multiple_of(sys::memory::page_size())
}

compiled_calls! {
    /// `memory.grow`: the former size in pages, or -1 if the memory cannot have as many more.
    ///
    /// # Safety
    /// `memory` is one of the program's memories.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_memory_grow(memory: *mut Memory, pages: u64) -> i64 {
        // SAFETY: as the caller says; of the record, only the length changes.
        let (base, limit, flags, page_log2) =
            unsafe { ((*memory).base, (*memory).limit, (*memory).flags, (*memory).page_log2) };
        let _growing = (flags & MEMORY_SHARED != 0).then(|| GROWING.lock());
        // SAFETY: as the caller says.
        let former = unsafe { length(memory) };
        let Some(pages) = (former >> page_log2).checked_add(pages) else { return -1 };
        if pages > limit >> page_log2 {
            return -1;
        }
        let (from, to) = (in_pages(former), in_pages(pages << page_log2));
        // SAFETY: the limit lies inside the reservation.
        if from < to && unsafe { sys::memory::commit(base.add(from), to - from) }.is_err() {
            return -1;
        }
        // SAFETY: as the caller says. Whoever sees the new length can access as much.
        unsafe { AtomicU64::from_ptr(&raw mut (*memory).length).store(pages << page_log2, Release) };
        (former >> page_log2) as i64
    }
}

/// Held while a memory grows that other threads may grow.
static GROWING: Lock<()> = Lock::new(());

/// The bytes of a memory that can be accessed now; other threads may let it grow.
///
/// # Safety
/// `memory` is one of the program's memories.
pub unsafe fn length(memory: *const Memory) -> u64 {
    // SAFETY: as the caller says; the field is aligned.
    unsafe { AtomicU64::from_ptr((&raw const (*memory).length).cast_mut()).load(Acquire) }
}

compiled_calls! {
    /// `memory.copy`, also between two memories; the ranges may overlap.
    ///
    /// # Safety
    /// Both are memories of the program.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_memory_copy(
        to: *mut Memory,
        from: *mut Memory,
        to_at: u64,
        from_at: u64,
        count: u64,
    ) {
        // SAFETY: as the caller says, and both ranges are inside their memories.
        unsafe {
            require_within(to_at, count, length(to), MemoryOutOfBounds);
            require_within(from_at, count, length(from), MemoryOutOfBounds);
            let from = (*from).base.add(from_at as usize);
            core::ptr::copy(from, (*to).base.add(to_at as usize), count as usize);
        }
    }

    /// `memory.fill`.
    ///
    /// # Safety
    /// `memory` is one of the program's memories.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_memory_fill(memory: *mut Memory, at: u64, byte: u32, count: u64) {
        // SAFETY: as the caller says, and the range is inside the memory.
        unsafe {
            require_within(at, count, length(memory), MemoryOutOfBounds);
            core::ptr::write_bytes((*memory).base.add(at as usize), byte as u8, count as usize);
        }
    }

    /// `memory.init`: copies from a passive data segment, which is empty once it was dropped.
    ///
    /// # Safety
    /// Memory and segment are the program's.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_memory_init(
        memory: *mut Memory,
        segment: *const DataSegment,
        to_at: u64,
        from_at: u64,
        count: u64,
    ) {
        // SAFETY: as the caller says, and both ranges are inside memory and segment.
        unsafe {
            let segment = &*segment;
            require_within(to_at, count, length(memory), MemoryOutOfBounds);
            require_within(from_at, count, segment.length, MemoryOutOfBounds);
            if count > 0 {
                let to = (*memory).base.add(to_at as usize);
                core::ptr::copy_nonoverlapping(segment.bytes.add(from_at as usize), to, count as usize);
            }
        }
    }
}

/// Traps unless `at..at + count` lies inside `0..length`.
pub fn require_within(at: u64, count: u64, length: u64, otherwise: TrapCode) {
    if !within(at, count, length) {
        trap::raise(otherwise);
    }
}

/// Whether `at..at + count` lies inside `0..length`.
pub fn within(at: u64, count: u64, length: u64) -> bool {
    at.checked_add(count).is_some_and(|end| end <= length)
}
