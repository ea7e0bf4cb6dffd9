//! Tables: growing, and bulk operations.
//!
//! Operations check their bounds before they write anything and trap with "out of bounds table
//! access". Specification: core 3.0, 4.6.8 (table instructions).

use crate::memory::require_within;
use crate::sys;
use crate::sys::arch::compiled_calls;
use kiln_abi::table::{Element, ElementSegment, Table};
use kiln_abi::trap::TrapCode::TableOutOfBounds;

/// Bytes of an entry.
const ELEMENT: usize = size_of::<Element>();

compiled_calls! {
    /// `table.grow`: the former length, or -1 if the table cannot have as many more. The new entries
    /// are the element whose 16 bytes are `low` and `high`.
    ///
    /// # Safety
    /// `table` is one of the program's tables.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_table_grow(
        table: *mut Table,
        delta: u64,
        low: u64,
        high: u64,
    ) -> i64 {
        // SAFETY: as the caller says; compiled code waits for this call.
        let table = unsafe { &mut *table };
        let former = table.length;
        let Some(length) = former.checked_add(delta).filter(|&length| length <= table.limit) else {
            return -1;
        };
        if length > table.capacity && reserve(table, length).is_err() {
            return -1;
        }
        table.length = length;
        // SAFETY: the entries lie inside the table's room.
        unsafe { fill(table, former, element(low, high), delta) };
        former as i64
    }
}

/// Moves a table's entries to room for at least `length` of them. The former room is part of the
/// image or stays unused: tables grow by doubling, so all former rooms are no larger than the last.
fn reserve(table: &mut Table, length: u64) -> sys::Result<()> {
    let capacity = length.max(table.capacity.saturating_mul(2)).min(table.limit.max(length));
    let bytes = (capacity as usize)
        .checked_mul(ELEMENT)
        .and_then(|bytes| bytes.checked_next_multiple_of(sys::memory::page_size()))
        .ok_or(crate::errno::Errno::NOMEM)?;
    let elements = sys::memory::allocate(bytes)?.cast::<Element>();
    // SAFETY: the new room holds more entries than the table has.
    unsafe {
        if table.length > 0 {
            core::ptr::copy_nonoverlapping(table.elements, elements, table.length as usize);
        }
    }
    table.elements = elements;
    table.capacity = (bytes / ELEMENT) as u64;
    Ok(())
}

compiled_calls! {
    /// `table.fill`.
    ///
    /// # Safety
    /// `table` is one of the program's tables.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_table_fill(
        table: *mut Table,
        at: u64,
        low: u64,
        high: u64,
        count: u64,
    ) {
        // SAFETY: as the caller says, and the range is inside the table.
        unsafe {
            let table = &*table;
            require_within(at, count, table.length, TableOutOfBounds);
            fill(table, at, element(low, high), count);
        }
    }

    /// `table.copy`, also between two tables; the ranges may overlap.
    ///
    /// # Safety
    /// Both are tables of the program.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_table_copy(
        to: *mut Table,
        from: *mut Table,
        to_at: u64,
        from_at: u64,
        count: u64,
    ) {
        // SAFETY: as the caller says, and both ranges are inside their tables.
        unsafe {
            let (to, from) = (&*to, &*from);
            require_within(to_at, count, to.length, TableOutOfBounds);
            require_within(from_at, count, from.length, TableOutOfBounds);
            if count > 0 {
                let from = from.elements.add(from_at as usize);
                core::ptr::copy(from, to.elements.add(to_at as usize), count as usize);
            }
        }
    }

    /// `table.init`: copies from a passive element segment, which is empty once it was dropped.
    ///
    /// # Safety
    /// Table and segment are the program's.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_table_init(
        table: *mut Table,
        segment: *const ElementSegment,
        to_at: u64,
        from_at: u64,
        count: u64,
    ) {
        // SAFETY: as the caller says, and both ranges are inside table and segment.
        unsafe {
            let (table, segment) = (&*table, &*segment);
            require_within(to_at, count, table.length, TableOutOfBounds);
            require_within(from_at, count, segment.length, TableOutOfBounds);
            if count > 0 {
                let from = segment.elements.add(from_at as usize);
                let to = table.elements.add(to_at as usize);
                core::ptr::copy_nonoverlapping(from, to, count as usize);
            }
        }
    }
}

/// Writes `count` entries from `at` on.
///
/// # Safety
/// The range lies inside the table's room.
unsafe fn fill(table: &Table, at: u64, element: Element, count: u64) {
    for index in at..at + count {
        // SAFETY: as the caller says.
        unsafe { table.elements.add(index as usize).write(element) };
    }
}

/// The entry whose 16 bytes are those of two little-endian words.
fn element(low: u64, high: u64) -> Element {
    Element { code: low as *const u8, signature: high as u32, function: (high >> 32) as u32 }
}
