//! Exceptions and how they find their handlers.
//!
//! A handler is found by walking frame pointers: for each return address, the code range's
//! [`CallSite`]s say which handlers the caller has around that call, innermost first, and where
//! its stack pointer was. Control goes on at the landing with the address of the [`Exception`] in
//! the first register that the `Tail` convention of compiled code passes exceptions in: `rax` on
//! amd64, `x0` on arm64.
//!
//! A trap looks for a handler of [`TRAP_TAG`] in the same way, and leaves its number there.

use core::mem::{offset_of, size_of};

/// An exception. Its payload follows: `count` values of 16 bytes each.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Exception {
    /// Number of its tag over the whole program.
    pub tag: u32,
    /// Number of payload values.
    pub count: u32,
    /// Keeps the payload aligned.
    pub reserved: u64,
}

/// Bytes of a payload value.
pub const PAYLOAD_SIZE: u64 = 16;

/// Values that a payload can have at most: the validator's limit on parameters.
pub const MAXIMUM_PAYLOAD: usize = 1000;

/// Stands for traps in [`Handler::tag`]; a handler of all exceptions does not catch them.
pub const TRAP_TAG: u32 = u32::MAX - 1;

/// A call with handlers around it.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct CallSite {
    /// Offset of its return address in the code range.
    pub return_offset: u32,
    /// Distance from the frame pointer down to the stack pointer at the call.
    pub frame_offset: u32,
    /// Where its handlers begin; they end where the next call site's begin.
    pub handlers_start: u32,
}

/// A handler.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Handler {
    /// The tag that it catches; [`NO_INDEX`](crate::program::NO_INDEX) for all.
    pub tag: u32,
    /// Offset of its landing in the code range.
    pub landing_offset: u32,
}

const _: () = {
    assert!(size_of::<Exception>() == 16);
    assert!(offset_of!(Exception, count) == 4);
    assert!(size_of::<CallSite>() == 12);
    assert!(size_of::<Handler>() == 8);
};
