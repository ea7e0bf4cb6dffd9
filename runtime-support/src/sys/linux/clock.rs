//! Clocks, read through the vDSO where the kernel offers it.

use crate::sys::Result;
use crate::sys::posix;
use crate::sys::types::Clock;
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

/// See [`contract`](crate::sys).
pub fn now(clock: Clock) -> Result<u64> {
    nanoseconds(&clock_gettime(id(clock)))
}

/// See [`contract`](crate::sys).
pub fn resolution(clock: Clock) -> Result<u64> {
    nanoseconds(&clock_getres(id(clock))).map(|nanoseconds| nanoseconds.max(1))
}

fn id(clock: Clock) -> ClockId {
    match clock {
        Clock::Realtime => ClockId::Realtime,
        Clock::Monotonic => ClockId::Monotonic,
        Clock::ProcessCpu => ClockId::ProcessCPUTime,
        Clock::ThreadCpu => ClockId::ThreadCPUTime,
    }
}

fn nanoseconds(time: &Timespec) -> Result<u64> {
    posix::nanoseconds(time.tv_sec, time.tv_nsec)
}
