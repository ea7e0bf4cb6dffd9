//! Threads: waiting for one another.

use super::syscall::{INFINITE, WaitOnAddress, WakeByAddressSingle};
use core::ptr::from_ref;
use core::sync::atomic::AtomicU32;

/// See [`contract`](crate::sys).
pub fn wait(word: &AtomicU32, value: u32, timeout: Option<u64>) {
    // Windows counts milliseconds; rounding up keeps a wait from ending before its time.
    let milliseconds = timeout.map_or(INFINITE, |nanoseconds| {
        u32::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(INFINITE - 1).min(INFINITE - 1)
    });
    // SAFETY: both numbers can be read, and are of that size.
    unsafe {
        WaitOnAddress(
            from_ref(word).cast(),
            from_ref(&value).cast(),
            size_of::<u32>(),
            milliseconds,
        )
    };
}

/// See [`contract`](crate::sys).
pub fn wake(word: *const AtomicU32) {
    // SAFETY: the address is only compared.
    unsafe { WakeByAddressSingle(word.cast()) };
}
