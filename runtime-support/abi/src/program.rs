//! The program record, linear memories and code maps.
//!
//! # The capability manifest
//!
//! [`symbol::POLICY`](crate::symbol::POLICY) is text. Its first line is [`POLICY_HEADER`]; each
//! further line is one grant, its fields divided by one tab each (shown as spaces):
//!
//! ```text
//! kiln-policy 1
//! dir  rw  HOST  GUEST         a preopened directory, read and write
//! dir  ro  HOST  GUEST         a preopened directory, read only
//! dir-from-env  rw|ro  NAME   the directories that a variable of the host lists
//! dir-from-env  rw|ro  NAME  GUEST     the one directory that it holds
//! listen  tcp  ADDRESS:PORT   a socket that listens
//! harden  LAYER  try|required  LAYER is `landlock` or `seccomp`: on Linux, the kernel too refuses
//!                             what is not granted
//! env  NAME=VALUE             a fixed environment variable
//! inherit-env  *              the whole host environment
//! inherit-env  NAME           one variable of it, where the host has it
//! audit  DIRECTORY  NAME      a file there in which the program's requests are recorded
//! ```
//!
//! In a field, `\\` stands for a backslash, `\t` for a tab, `\n` for a newline and `\r` for a
//! carriage return; no field holds a NUL. HOST is relative to the working directory at run time
//! unless it is absolute or begins with a known folder: `exe:` (where the executable lies), `home:`,
//! `config:`, `cache:` or `temp:`. Preopened directories get descriptors from 3 upwards in the
//! order of their lines, listeners those that follow.

use crate::exception::{CallSite, Handler};
use core::mem::{offset_of, size_of};

/// First line of the capability manifest.
pub const POLICY_HEADER: &str = "kiln-policy 1";

/// What the runtime is told of the program it starts.
#[derive(Debug)]
#[repr(C)]
pub struct Program {
    /// Address of [`symbol::ABI`](crate::symbol::ABI).
    pub abi: *const u8,
    /// The program's linear memories, `memory_count` of them, in one array.
    pub memories: *mut Memory,
    /// Number of memories.
    pub memory_count: u64,
    /// Compiled code in ascending order of address, `code_count` ranges.
    pub code: *const CodeRange,
    /// Number of code ranges.
    pub code_count: u64,
    /// Bytes of stack that wasm code may use, a multiple of 64 KiB.
    pub stack_size: u64,
    /// Features that code needs beyond the target's baseline, as bits of [`crate::cpu`].
    pub cpu: u64,
    /// [`symbol::CHECK_PROCESSOR`](crate::symbol::CHECK_PROCESSOR) if `cpu` has bits, else null.
    pub check_processor: Option<unsafe extern "C" fn()>,
}

/// A linear memory. Compiled code reads `base` and `length`; the runtime alone writes them.
#[derive(Debug)]
#[repr(C)]
pub struct Memory {
    /// Address of byte 0. With [`MEMORY_FIXED`] the compiler set it and compiled code holds it as
    /// a constant; otherwise it is null, or what [`MEMORY_IN_PLACE`] says, until the runtime
    /// reserved the memory. It never changes after that.
    pub base: *mut u8,
    /// Bytes that can be accessed now; at first, the module's initial size.
    pub length: u64,
    /// Bytes that the memory may grow to.
    pub limit: u64,
    /// Address space to reserve from `base`: at least `limit`; with [`MEMORY_CHECKED`] off, also
    /// every address that an unchecked access can form.
    pub reservation: u64,
    /// Initial contents in ascending order of offset, disjoint, `run_count` of them. What no run
    /// covers is zero.
    pub runs: *const Run,
    /// Number of runs.
    pub run_count: u64,
    /// `MEMORY_*` bits.
    pub flags: u32,
    /// Binary logarithm of the page size in bytes; 16 but for custom page sizes.
    pub page_log2: u32,
}

/// `base` is a link-time constant, and runs with null `bytes` already lie there.
pub const MEMORY_FIXED: u32 = 1;
/// Compiled code compares every access with `length`; no guard region is needed.
pub const MEMORY_CHECKED: u32 = 2;
/// The memory is shared between threads.
pub const MEMORY_SHARED: u32 = 4;
/// The image holds the memory's beginning at `base`, which the runtime may leave there: writable,
/// up to the end of the last run, rounded up to 64 KiB; with each run at its offset, and zeros
/// between them. Nothing else of the image lies behind it.
pub const MEMORY_IN_PLACE: u32 = 8;

/// A piece of a memory's initial contents.
#[derive(Debug)]
#[repr(C)]
pub struct Run {
    /// Offset in the memory, in bytes.
    pub offset: u64,
    /// Where the image has the bytes; null when they are mapped in place already. A run mapped in
    /// place starts at and covers whole pages of the target, and so may others, with `bytes` at
    /// the start of a page too: they can be mapped rather than copied.
    pub bytes: *const u8,
    /// Number of bytes.
    pub length: u64,
}

/// A passive data segment.
#[derive(Debug)]
#[repr(C)]
pub struct DataSegment {
    /// The segment's bytes.
    pub bytes: *const u8,
    /// Number of bytes; 0 once it is dropped.
    pub length: u64,
}

/// A contiguous piece of compiled code and what is known about its addresses.
#[derive(Debug)]
#[repr(C)]
pub struct CodeRange {
    /// Address of the first instruction.
    pub start: *const u8,
    /// Bytes of code.
    pub length: u64,
    /// Functions in ascending order of `code_offset`, `function_count` of them.
    pub functions: *const Function,
    /// Number of functions.
    pub function_count: u64,
    /// Trap sites of all functions, encoded as [`crate::trap`] says.
    pub trap_sites: *const u8,
    /// Bytes of trap sites.
    pub trap_sites_length: u64,
    /// Function names, referred to by [`Function::name_offset`].
    pub names: *const u8,
    /// Bytes of names.
    pub names_length: u64,
    /// Calls with handlers in ascending order of `return_offset`, `call_site_count` of them.
    pub call_sites: *const CallSite,
    /// Number of such calls.
    pub call_site_count: u64,
    /// Their handlers, `handler_count` of them.
    pub handlers: *const Handler,
    /// Number of handlers.
    pub handler_count: u64,
}

/// A function's place in its [`CodeRange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Function {
    /// Offset of its first instruction.
    pub code_offset: u32,
    /// Index in the module's function index space; [`NO_INDEX`] for code of no wasm function.
    pub index: u32,
    /// Where its trap sites begin; they end where the next function's begin.
    pub trap_sites_offset: u32,
    /// Where its name begins in `names`: UTF-8, ended by a NUL byte; [`NO_INDEX`] without a name.
    pub name_offset: u32,
}

/// Stands for "none" in a field that holds an index or offset.
pub const NO_INDEX: u32 = u32::MAX;

const _: () = {
    assert!(size_of::<Program>() == 64);
    assert!(size_of::<Memory>() == 56);
    assert!(offset_of!(Memory, length) == 8);
    assert!(size_of::<Run>() == 24);
    assert!(size_of::<DataSegment>() == 16);
    assert!(size_of::<CodeRange>() == 96);
    assert!(size_of::<Function>() == 16);
};
