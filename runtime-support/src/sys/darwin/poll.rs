//! Waiting for handles and for time to pass.

use super::errno::{last, was_interrupted};
use crate::errno::Errno;
use crate::scratch::Scratch;
use crate::sys::Result;
use crate::sys::types::Waited;
use core::ffi::c_int;
use core::ptr::null_mut;
use libc::{pollfd, timespec};

/// Handles that are waited for without asking for memory.
const FEW: usize = 64;

/// See [`contract`](crate::sys).
pub fn wait(waited: &mut [Waited<'_>], timeout: Option<u64>) -> Result<()> {
    if let ([], Some(nanoseconds)) = (&*waited, timeout) {
        sleep(nanoseconds);
        return Ok(());
    }
    let mut records = Scratch::<pollfd, FEW>::new(waited.len())?;
    for wanted in waited.iter() {
        let events = if wanted.write { libc::POLLOUT } else { libc::POLLIN };
        records.push(pollfd { fd: wanted.handle.descriptor(), events, revents: 0 });
    }
    // The system counts milliseconds; rounding up keeps a wait from ending before its time.
    let timeout = timeout.map_or(-1, |nanoseconds| {
        c_int::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(c_int::MAX)
    });
    let records = records.values();
    // SAFETY: as many records lie there.
    let ready = unsafe { libc::poll(records.as_mut_ptr(), records.len() as u32, timeout) };
    if ready < 0 && !was_interrupted() {
        return Err(last());
    }
    for (record, waited) in records.iter().zip(waited) {
        note(waited, record.revents);
    }
    Ok(())
}

/// Lets time pass, maybe less than asked for if a signal comes.
fn sleep(nanoseconds: u64) {
    let time = timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as i64,
    };
    // SAFETY: the record can be read, and nothing is written.
    unsafe { libc::nanosleep(&raw const time, null_mut()) };
}

/// Notes what the system said of one handle.
fn note(waited: &mut Waited<'_>, events: i16) {
    waited.ready = events != 0;
    waited.hangup = events & libc::POLLHUP != 0;
    if events & libc::POLLNVAL != 0 {
        waited.error = Some(Errno::BADF);
    } else if events & libc::POLLIN != 0 {
        let mut bytes: c_int = 0;
        // SAFETY: the call writes one number.
        let known =
            unsafe { libc::ioctl(waited.handle.descriptor(), libc::FIONREAD, &raw mut bytes) == 0 };
        waited.bytes = if known { bytes as u64 } else { 1 };
    }
}
