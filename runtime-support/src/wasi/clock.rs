//! `clock_res_get`, `clock_time_get`.

use super::guest::functions;
use crate::errno::Errno;
use crate::sys::types::Clock;
use crate::sys::{Result, clock};

functions! {
    /// Writes the nanoseconds between two ticks of a clock.
    fn clock_res_get(guest, id: u32, resolution: u32) {
        guest.write_u64(resolution, clock::resolution(by_id(id)?)?)
    }

    /// Writes the time that a clock shows. Clocks are always read as precisely as the host can.
    fn clock_time_get(guest, id: u32, _precision: u64, time: u32) {
        guest.write_u64(time, clock::now(by_id(id)?)?)
    }
}

/// The clock with that `clockid`.
pub fn by_id(id: u32) -> Result<Clock> {
    match id {
        0 => Ok(Clock::Realtime),
        1 => Ok(Clock::Monotonic),
        2 => Ok(Clock::ProcessCpu),
        3 => Ok(Clock::ThreadCpu),
        _ => Err(Errno::INVAL),
    }
}
