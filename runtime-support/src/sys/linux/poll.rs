//! Waiting for handles and for time to pass.

use super::errno::translate;
use crate::errno::Errno;
use crate::scratch::Scratch;
use crate::sys::Result;
use crate::sys::types::Waited;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;
use rustix::io::Errno as HostErrno;
use rustix::time::Timespec;

/// Handles that are waited for without asking for memory.
const FEW: usize = 64;

/// See [`contract`](crate::sys).
pub fn wait(waited: &mut [Waited<'_>], timeout: Option<u64>) -> Result<()> {
    let mut records = Scratch::<PollFd<'_>, FEW>::new(waited.len())?;
    for wanted in waited.iter() {
        let events = if wanted.write { PollFlags::OUT } else { PollFlags::IN };
        records.push(PollFd::from_borrowed_fd(wanted.handle.as_fd(), events));
    }
    let timeout = timeout.map(|nanoseconds| Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as i64,
    });
    match poll(records.values(), timeout.as_ref()) {
        Ok(_) | Err(HostErrno::INTR) => {}
        Err(error) => return Err(translate(error)),
    }
    for (record, waited) in records.values().iter().zip(waited) {
        note(waited, record.revents());
    }
    Ok(())
}

/// Notes what the kernel said of one handle.
fn note(waited: &mut Waited<'_>, events: PollFlags) {
    waited.ready = !events.is_empty();
    waited.hangup = events.contains(PollFlags::HUP);
    if events.contains(PollFlags::NVAL) {
        waited.error = Some(Errno::BADF);
    } else if events.contains(PollFlags::IN) {
        waited.bytes = rustix::io::ioctl_fionread(waited.handle).unwrap_or(1);
    }
}
