//! The runtime that is linked into every executable Kiln writes.
//!
//! Entry point, linear memories, tables, traps and WASI preview 1, with no library beneath but the
//! operating system's own interface. The contract with compiled code is the crate `kiln_abi`; the
//! operating system is behind [`sys`]. Built by `scripts/build-runtime`, one static library for
//! each target.
//!
//! Requires that [`kiln_abi::symbol`]'s `kiln_program`, `kiln_entry` and `kiln_policy` are linked.
//! Guarantees that whatever is not referred to can be left out: every function stands alone, and
//! nothing formats text through `core::fmt`.

#![cfg_attr(not(test), no_std)]

pub mod atomic;
pub mod code_map;
pub mod errno;
pub mod exception;
pub mod global;
pub mod library;
pub mod lock;
pub mod memory;
pub mod program;
pub mod report;
pub mod scratch;
pub mod start;
pub mod sys;
pub mod table;
pub mod thread;
pub mod trap;
pub mod wasi;

/// A defect of the runtime itself; nothing in it panics on purpose.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    start::fail("internal error: the runtime panicked", "")
}
