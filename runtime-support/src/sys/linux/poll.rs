//! Waiting for handles and for time to pass.

use super::errno::translate;
use crate::sys::types::Waited;
use crate::sys::{Result, memory};
use core::mem::MaybeUninit;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;
use rustix::io::Errno as HostErrno;
use rustix::time::Timespec;

/// Handles that are waited for without asking for memory.
const FEW: usize = 256;

/// See [`contract`](crate::sys).
pub fn wait(waited: &mut [Waited<'_>], timeout: Option<u64>) -> Result<()> {
    if waited.len() <= FEW {
        return wait_in(&mut [const { MaybeUninit::uninit() }; FEW], waited, timeout);
    }
    let bytes = (waited.len() * size_of::<PollFd<'_>>()).next_multiple_of(memory::page_size());
    let room = memory::allocate(bytes)?;
    // SAFETY: the memory is new, large enough, and given back after its last use.
    unsafe {
        let records = core::slice::from_raw_parts_mut(room.cast(), waited.len());
        let result = wait_in(records, waited, timeout);
        memory::release(room, bytes);
        result
    }
}

/// Waits with the kernel's records in `room`, one for each handle.
fn wait_in<'a>(
    room: &mut [MaybeUninit<PollFd<'a>>],
    waited: &mut [Waited<'a>],
    timeout: Option<u64>,
) -> Result<()> {
    for (record, wanted) in room.iter_mut().zip(waited.iter()) {
        let events = if wanted.write { PollFlags::OUT } else { PollFlags::IN };
        record.write(PollFd::from_borrowed_fd(wanted.handle.as_fd(), events));
    }
    // SAFETY: as many records were just written.
    let records = unsafe { core::slice::from_raw_parts_mut(room.as_mut_ptr().cast(), waited.len()) };
    let timeout = timeout.map(|nanoseconds| Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as i64,
    });
    match poll(records, timeout.as_ref()) {
        Ok(_) | Err(HostErrno::INTR) => {}
        Err(error) => return Err(translate(error)),
    }
    for (record, waited) in records.iter().zip(waited) {
        note(waited, record.revents());
    }
    Ok(())
}

/// Notes what the kernel said of one handle.
fn note(waited: &mut Waited<'_>, events: PollFlags) {
    waited.ready = !events.is_empty();
    waited.hangup = events.contains(PollFlags::HUP);
    if events.contains(PollFlags::NVAL) {
        waited.error = Some(crate::errno::Errno::BADF);
    } else if events.contains(PollFlags::IN) {
        waited.bytes = rustix::io::ioctl_fionread(waited.handle).unwrap_or(1);
    }
}
