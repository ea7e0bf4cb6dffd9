//! Tables and function references.
//!
//! A function reference is a pointer to the function's [`Element`] record, null for the null
//! reference. A table of functions holds copies of those records, so that an indirect call reads
//! its signature and target from the table itself. A table of any other references holds the
//! reference in `code` and zeros beside it.

use core::mem::{offset_of, size_of};

/// An entry of a table, and the record behind a function reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Element {
    /// The function's code, in the convention of compiled code; null in a null entry.
    pub code: *const u8,
    /// Canonical number of its signature over the whole program; [`NULL_SIGNATURE`] in a null
    /// entry, so that the one comparison before an indirect call refuses it too.
    pub signature: u32,
    /// Number of its record in the program's array of function references; `u32::MAX` if null.
    pub function: u32,
}

/// Signature of a null entry; no function has it.
pub const NULL_SIGNATURE: u32 = u32::MAX;

/// The low 8 bytes of a null entry of a table of functions.
pub const NULL_ELEMENT_LOW: u64 = 0;
/// The high 8 bytes of a null entry of a table of functions.
pub const NULL_ELEMENT_HIGH: u64 = u64::MAX;

/// A table. Compiled code reads `elements` and `length`; where the program never grows the table,
/// it holds both as constants.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    /// The entries. Growing may move them.
    pub elements: *mut Element,
    /// Entries in use.
    pub length: u64,
    /// Entries that the table may grow to.
    pub limit: u64,
    /// Entries that fit at `elements`.
    pub capacity: u64,
}

/// A passive element segment.
#[derive(Debug)]
#[repr(C)]
pub struct ElementSegment {
    /// The segment's entries.
    pub elements: *const Element,
    /// Number of entries; 0 once it is dropped.
    pub length: u64,
}

const _: () = {
    assert!(size_of::<Element>() == 16);
    assert!(offset_of!(Element, signature) == 8);
    assert!(offset_of!(Element, function) == 12);
    assert!(size_of::<Table>() == 32);
    assert!(offset_of!(Table, length) == 8);
    assert!(size_of::<ElementSegment>() == 16);
};
