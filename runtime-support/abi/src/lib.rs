//! The contract between compiled code and the runtime.
//!
//! The compiler emits the records described here as data of the object file; the runtime reads
//! them in place. Nothing is looked up by name at run time: a record points to what it needs, and
//! the linker resolves the pointers. Every target is 64-bit and little-endian, so a record has one
//! layout everywhere; the layout is `repr(C)` and held by the assertions at the end of each module.
//!
//! Requires nothing. Guarantees that both sides agree, or that linking fails: the program record
//! refers to [`symbol::ABI`], whose name carries the version.

#![no_std]

pub mod cpu;
pub mod embed;
pub mod exception;
pub mod library;
pub mod part;
pub mod program;
pub mod symbol;
pub mod table;
pub mod thread;
pub mod trap;
pub mod wasi;

/// Bytes of a page of a wasm linear memory.
pub const WASM_PAGE_SIZE: u64 = 65536;

/// Address space behind the base of a guarded 32-bit linear memory: a `u32` index plus a `u32`
/// offset plus the widest access stay inside it, so no access needs a check.
pub const GUARDED_RESERVATION: u64 = (8 << 30) + WASM_PAGE_SIZE;

/// Exit code of an executable that trapped, as a shell reports SIGABRT.
pub const EXIT_TRAP: u8 = 134;

/// Exit code of an executable that could not start: an address space too small, a granted
/// directory that is missing, a processor that lacks a feature the code was compiled for.
pub const EXIT_START: u8 = 125;
