//! Threads: what each has of its own.
//!
//! Every thread of a program is an instance of its module, as `wasi-threads` asks. What an instance
//! has of its own (globals, tables, what was dropped) is one block of memory; code finds it by the
//! register that the code generator calls pinned: `r15` on amd64, `x21` on arm64, which every
//! host's convention has callees preserve. Memories and constant tables are shared.

use core::mem::size_of;

/// What the runtime has to know to start threads.
#[derive(Debug)]
#[repr(C)]
pub struct Threads {
    /// What a block holds at first, aligned to 16.
    pub template: *const u8,
    /// Bytes of a block.
    pub size: u64,
    /// Offset of the block's array of [`Table`](crate::table::Table) records. Where `elements` of
    /// one points into the template, the block's own entries are meant.
    pub tables_offset: u64,
    /// Number of those records.
    pub table_count: u64,
    /// Where a thread begins, with its block, its number and the argument it was started with.
    pub entry: unsafe extern "C" fn(block: *mut u8, number: u32, argument: u32),
}

const _: () = assert!(size_of::<Threads>() == 40);
