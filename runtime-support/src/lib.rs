//! The runtime that is linked into every executable Kiln writes.
//!
//! Entry point, linear memories, tables, traps and WASI preview 1, with no library beneath but the
//! operating system's own interface. The contract with compiled code is the crate `kiln_abi`; the
//! operating system is behind [`sys`]. Built by `scripts/build-runtime`, one static library for
//! each target.
//!
//! Requires that [`kiln_abi::symbol`]'s `kiln_program`, `kiln_entry` and `kiln_policy` are linked.
//! Guarantees that whatever is not referred to can be left out: every function stands alone.

#![cfg_attr(not(test), no_std)]

pub mod errno;
pub mod sys;
