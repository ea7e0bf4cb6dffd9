//! Clocks.

use super::syscall::{
    CURRENT_PROCESS, CURRENT_THREAD, GetProcessTimes, GetSystemTimePreciseAsFileTime,
    GetThreadTimes, QueryPerformanceCounter, QueryPerformanceFrequency, RawHandle,
};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::Clock;

const NANOSECONDS: u128 = 1_000_000_000;
/// Nanoseconds of a tick of Windows' clocks.
const TICK: u64 = 100;
/// Ticks from 1601, where Windows begins to count, to 1970.
const EPOCH: u64 = 116_444_736_000_000_000;

/// See [`contract`](crate::sys).
pub fn now(clock: Clock) -> Result<u64> {
    match clock {
        Clock::Realtime => Ok(nanoseconds(ticks())),
        Clock::Monotonic => Ok(monotonic()),
        Clock::ProcessCpu => processor_time(GetProcessTimes, CURRENT_PROCESS),
        Clock::ThreadCpu => processor_time(GetThreadTimes, CURRENT_THREAD),
    }
}

/// See [`contract`](crate::sys).
pub fn resolution(clock: Clock) -> Result<u64> {
    Ok(match clock {
        Clock::Realtime | Clock::ProcessCpu | Clock::ThreadCpu => TICK,
        Clock::Monotonic => (NANOSECONDS as u64).checked_div(frequency()).unwrap_or(0).max(1),
    })
}

/// The time of day in ticks since 1601.
pub(super) fn ticks() -> u64 {
    let mut ticks = 0;
    // SAFETY: the call writes 8 bytes.
    unsafe { GetSystemTimePreciseAsFileTime(&mut ticks) };
    ticks
}

/// Nanoseconds since 1970 of ticks since 1601; 0 for times before, and after 2554.
pub(super) fn nanoseconds(ticks: u64) -> u64 {
    ticks.checked_sub(EPOCH).and_then(|ticks| ticks.checked_mul(TICK)).unwrap_or(0)
}

/// Ticks since 1601 of nanoseconds since 1970.
pub(super) fn from_nanoseconds(nanoseconds: u64) -> u64 {
    nanoseconds / TICK + EPOCH
}

/// Nanoseconds of the clock that never runs backwards.
pub(super) fn monotonic() -> u64 {
    let mut count = 0;
    // SAFETY: the call writes 8 bytes; it cannot fail since Windows XP.
    unsafe { QueryPerformanceCounter(&mut count) };
    let nanoseconds = u128::from(count) * NANOSECONDS;
    nanoseconds.checked_div(frequency().into()).unwrap_or(0) as u64
}

fn frequency() -> u64 {
    let mut frequency = 0;
    // SAFETY: the call writes 8 bytes; it cannot fail since Windows XP.
    unsafe { QueryPerformanceFrequency(&mut frequency) };
    frequency
}

/// `GetProcessTimes` or `GetThreadTimes`.
type Times = unsafe extern "system" fn(RawHandle, *mut u64, *mut u64, *mut u64, *mut u64) -> i32;

fn processor_time(times: Times, of: RawHandle) -> Result<u64> {
    let (mut created, mut ended, mut kernel, mut user) = (0, 0, 0, 0);
    // SAFETY: the handle stands for the caller itself; the call writes 8 bytes four times.
    let done = unsafe { times(of, &mut created, &mut ended, &mut kernel, &mut user) };
    if done == 0 { Err(Errno::NOTSUP) } else { Ok((kernel + user) * TICK) }
}
