//! Exit codes of `kiln` itself.
//!
//! The numbers from 65 on are those of BSD's `sysexits.h`. `kiln run` passes the program's own
//! code on instead. The README and `kiln --help` hold the same table.

/// `kiln verify` found a difference.
pub(crate) const DIFFERENT: u8 = 1;
/// The command line or `kiln.toml` is wrong; also what the argument parser uses.
pub(crate) const USAGE: u8 = 2;
/// The input is no module, is invalid, or needs what Kiln does not support.
pub(crate) const BAD_INPUT: u8 = 65;
/// The input cannot be read.
pub(crate) const NO_INPUT: u8 = 66;
/// A defect of Kiln.
pub(crate) const INTERNAL: u8 = 70;
/// The operating system refused to execute the program.
pub(crate) const CANNOT_EXECUTE: u8 = 71;
/// The output cannot be created.
pub(crate) const CANNOT_CREATE: u8 = 73;
/// Reading or writing failed half-way, as on a full disk.
pub(crate) const IO: u8 = 74;
/// Ended by Ctrl-C, as a shell reports SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;
/// Added to the number of the signal that ended the program of `kiln run`, as shells do.
#[cfg(unix)]
pub(crate) const SIGNAL_BASE: i32 = 128;
