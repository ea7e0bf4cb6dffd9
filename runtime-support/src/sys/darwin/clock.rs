//! Clocks.

use super::errno::last;
use crate::sys::Result;
use crate::sys::posix::nanoseconds;
use crate::sys::types::Clock;
use libc::{clockid_t, timespec};

/// See [`contract`](crate::sys).
pub fn now(clock: Clock) -> Result<u64> {
    ask(libc::clock_gettime, clock)
}

/// See [`contract`](crate::sys).
pub fn resolution(clock: Clock) -> Result<u64> {
    ask(libc::clock_getres, clock).map(|nanoseconds| nanoseconds.max(1))
}

fn ask(
    function: unsafe extern "C" fn(clockid_t, *mut timespec) -> i32,
    clock: Clock,
) -> Result<u64> {
    let mut time = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the function writes one record.
    match unsafe { function(id(clock), &raw mut time) } {
        0 => nanoseconds(time.tv_sec, time.tv_nsec),
        _ => Err(last()),
    }
}

fn id(clock: Clock) -> clockid_t {
    match clock {
        Clock::Realtime => libc::CLOCK_REALTIME,
        // The other monotonic clock counts microseconds.
        Clock::Monotonic => libc::CLOCK_MONOTONIC_RAW,
        Clock::ProcessCpu => libc::CLOCK_PROCESS_CPUTIME_ID,
        Clock::ThreadCpu => libc::CLOCK_THREAD_CPUTIME_ID,
    }
}
