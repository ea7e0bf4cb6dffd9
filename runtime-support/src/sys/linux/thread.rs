//! Threads: waiting for one another.

use super::syscall;
use core::sync::atomic::AtomicU32;
use rustix::thread::futex::{self, Flags, Timespec};

/// See [`contract`](crate::sys).
pub fn wait(word: &AtomicU32, value: u32, timeout: Option<u64>) {
    let timeout = timeout.map(|nanoseconds| Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as i64,
    });
    // Whatever ends the wait, the caller looks at the word again.
    let _ = futex::wait(word, Flags::PRIVATE, value, timeout.as_ref());
}

/// See [`contract`](crate::sys).
pub fn wake(word: *const AtomicU32) {
    syscall::futex_wake(word);
}
