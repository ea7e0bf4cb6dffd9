//! `poll_oneoff`.

use super::clock::by_id;
use super::descriptor::{self, InUse};
use super::files::Handle;
use super::guest::{Guest, functions};
use super::rights::Rights;
use crate::errno::Errno;
use crate::scratch::Scratch;
use crate::sys::types::{Clock, Waited};
use crate::sys::{Result, clock, poll};

/// Subscriptions that need no memory of their own.
const FEW: usize = 32;

/// Bytes of an `event`.
const EVENT: u32 = 32;

/// Where the parts of a `subscription` lie.
pub struct Layout {
    /// Bytes of a subscription.
    size: u32,
    /// Offset of the clock's number, which time, precision and flags follow.
    clock: u32,
}

/// The subscription of preview 1.
const PREVIEW1: Layout = Layout { size: 48, clock: 16 };
/// The subscription of `wasi_unstable`: a number that the program chose comes before the clock's.
pub const UNSTABLE: Layout = Layout { size: 56, clock: 24 };

/// `subclockflags`: the time is one that the clock shows, not a distance.
const ABSTIME: u16 = 1;
/// `eventrwflags`: the other side hung up.
const HANGUP: u16 = 1;

/// Something that a program waits for.
#[derive(Clone, Copy)]
struct Subscription {
    /// Comes back in the event.
    userdata: [u8; 8],
    /// `eventtype`: 0 clock, 1 readable, 2 writable.
    kind: u8,
    wanted: Result<Wanted>,
}

#[derive(Clone, Copy)]
enum Wanted {
    /// A clock shows this time.
    Time(Clock, u64),
    /// A descriptor is ready.
    Descriptor(u32),
}

functions! {
    /// Waits until at least one subscription has come true and writes an event for each that has,
    /// in their order, and the number of events. A subscription that can never come true is an
    /// event with an error.
    fn poll_oneoff(guest, subscriptions: u32, events: u32, count: u32, written: u32) {
        poll(&guest, &PREVIEW1, subscriptions, events, count, written)
    }
}

/// [`poll_oneoff`] for subscriptions of either layout.
pub fn poll(
    guest: &Guest,
    layout: &Layout,
    subscriptions: u32,
    events: u32,
    count: u32,
    written: u32,
) -> Result<()> {
    if count == 0 {
        return Err(Errno::INVAL);
    }
    // Both arrays must lie in memory, and may overlap: all is read before anything is written.
    let bytes = |size: u32| count.checked_mul(size).ok_or(Errno::FAULT);
    guest.buffer(subscriptions, bytes(layout.size)?)?;
    guest.check_result(events, bytes(EVENT)?)?;
    guest.check_result(written, 4)?;
    let mut list = Scratch::<Subscription, FEW>::new(count as usize)?;
    for index in 0..count {
        list.push(read_subscription(guest, layout, subscriptions + index * layout.size)?);
    }
    let mut out = Events { guest: *guest, next: events, count: 0 };
    while out.count == 0 {
        wait(list.values(), &mut out)?;
    }
    guest.write_u32(written, out.count)
}

fn read_subscription(guest: &Guest, layout: &Layout, pointer: u32) -> Result<Subscription> {
    let [kind] = guest.read(pointer + 8)?;
    let wanted = match kind {
        0 => read_time(guest, pointer + layout.clock),
        1 | 2 => {
            let fd = guest.read_u32(pointer + 16)?;
            descriptor::get(fd, Rights::POLL_FD_READWRITE).map(|_| Wanted::Descriptor(fd))
        }
        _ => return Err(Errno::INVAL),
    };
    Ok(Subscription { userdata: guest.read(pointer)?, kind, wanted })
}

/// The time that a `subscription_clock` waits for.
fn read_time(guest: &Guest, pointer: u32) -> Result<Wanted> {
    let clock = by_id(guest.read_u32(pointer)?)?;
    let timeout = u64::from_le_bytes(guest.read(pointer + 8)?);
    let flags = u16::from_le_bytes(guest.read(pointer + 24)?);
    let time =
        if flags & ABSTIME != 0 { timeout } else { clock::now(clock)?.saturating_add(timeout) };
    Ok(Wanted::Time(clock, time))
}

/// Waits once and writes the events that came of it, maybe none.
fn wait(list: &[Subscription], out: &mut Events) -> Result<()> {
    let files = Files::of(list)?;
    let mut handles = files.handles();
    let mut waited = Scratch::<Waited<'_>, FEW>::new(list.len())?;
    let mut timeout = None;
    for subscription in list {
        match subscription.wanted {
            Ok(Wanted::Time(clock, time)) => {
                let left = time.saturating_sub(clock::now(clock)?);
                timeout = Some(timeout.map_or(left, |shortest: u64| shortest.min(left)));
            }
            Ok(Wanted::Descriptor(_)) => match handles.next() {
                Some(Handle::Host(handle)) => waited.push(Waited {
                    handle,
                    write: subscription.kind == 2,
                    ready: false,
                    hangup: false,
                    error: None,
                    bytes: 0,
                }),
                Some(Handle::Embedded(_)) => timeout = Some(0),
                None => {}
            },
            Err(_) => timeout = Some(0),
        }
    }
    poll::wait(waited.values(), timeout)?;
    let mut handles = files.handles();
    let mut waited = waited.values().iter();
    for subscription in list {
        match subscription.wanted {
            Ok(Wanted::Time(clock, time)) => {
                if clock::now(clock)? >= time {
                    out.write(subscription, None, 0, 0)?;
                }
            }
            Ok(Wanted::Descriptor(_)) => {
                if let Some(Handle::Embedded(file)) = handles.next() {
                    out.write(subscription, None, file.left()?, 0)?;
                    continue;
                }
                let Some(waited) = waited.next() else { continue };
                if waited.ready || waited.error.is_some() {
                    let flags = if waited.hangup { HANGUP } else { 0 };
                    out.write(subscription, waited.error, waited.bytes, flags)?;
                }
            }
            Err(errno) => out.write(subscription, Some(errno), 0, 0)?,
        }
    }
    Ok(())
}

/// The descriptors that a list of subscriptions names, in use while they are waited for.
struct Files(Scratch<InUse, FEW>);

impl Files {
    fn of(list: &[Subscription]) -> Result<Self> {
        let mut files = Self(Scratch::new(list.len())?);
        for subscription in list {
            if let Ok(Wanted::Descriptor(fd)) = subscription.wanted {
                files.0.push(descriptor::get(fd, Rights::POLL_FD_READWRITE)?);
            }
        }
        Ok(files)
    }

    fn handles(&self) -> impl Iterator<Item = &Handle> {
        self.0.written().iter().map(|file| &file.handle)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // SAFETY: the values are not used again, and nothing else drops them.
        unsafe { core::ptr::drop_in_place(self.0.values()) };
    }
}

/// The array of events being written.
struct Events {
    guest: Guest,
    next: u32,
    count: u32,
}

impl Events {
    fn write(
        &mut self,
        subscription: &Subscription,
        error: Option<Errno>,
        bytes: u64,
        flags: u16,
    ) -> Result<()> {
        let mut event = [0; EVENT as usize];
        event[..8].copy_from_slice(&subscription.userdata);
        event[8..10].copy_from_slice(&error.map_or(0, |errno| errno as u16).to_le_bytes());
        event[10] = subscription.kind;
        event[16..24].copy_from_slice(&bytes.to_le_bytes());
        event[24..26].copy_from_slice(&flags.to_le_bytes());
        self.guest.write(self.next, &event)?;
        self.next += EVENT;
        self.count += 1;
        Ok(())
    }
}
