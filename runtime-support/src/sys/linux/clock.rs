//! Clocks, read through the vDSO where the kernel offers it.

use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::Clock;
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

/// See [`contract`](crate::sys).
pub fn now(clock: Clock) -> Result<u64> {
    nanoseconds(clock_gettime(id(clock)))
}

/// See [`contract`](crate::sys).
pub fn resolution(clock: Clock) -> Result<u64> {
    nanoseconds(clock_getres(id(clock))).map(|nanoseconds| nanoseconds.max(1))
}

fn id(clock: Clock) -> ClockId {
    match clock {
        Clock::Realtime => ClockId::Realtime,
        Clock::Monotonic => ClockId::Monotonic,
        Clock::ProcessCpu => ClockId::ProcessCPUTime,
        Clock::ThreadCpu => ClockId::ThreadCPUTime,
    }
}

/// A time since 1970 as one number; times that it cannot hold give `OVERFLOW`.
pub(super) fn nanoseconds(time: Timespec) -> Result<u64> {
    u64::try_from(time.tv_sec)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000_000))
        .and_then(|nanoseconds| nanoseconds.checked_add(time.tv_nsec as u64))
        .ok_or(Errno::OVERFLOW)
}
