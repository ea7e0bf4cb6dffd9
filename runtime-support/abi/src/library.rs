//! What a call of a library gives back.
//!
//! A call that returns gives [`OK`], one that traps the number of its
//! [`TrapCode`](crate::trap::TrapCode); the other codes lie above those.

use core::ffi::CStr;

/// Compiled code that a call of a library runs: reads its arguments from 16 bytes each, and writes
/// its results there. Catches what ends it early, and gives its code.
pub type Work = unsafe extern "C" fn(values: *mut u128) -> u32;

/// The call returned.
pub const OK: u32 = 0;
/// The program ended itself by `proc_exit`.
pub const EXITED: u32 = 100;
/// There is no instance to call.
pub const NOT_INSTANTIATED: u32 = 101;
/// There was an instance already, or a failed try to make it.
pub const ALREADY_INSTANTIATED: u32 = 102;
/// The instance could not begin; the runtime's message says why.
pub const START_FAILED: u32 = 103;

/// The codes that are no traps, in words.
pub const TEXTS: [(u32, &CStr); 4] = [
    (OK, c"success"),
    (EXITED, c"the program ended itself"),
    (NOT_INSTANTIATED, c"not instantiated"),
    (ALREADY_INSTANTIATED, c"instantiated already"),
];
