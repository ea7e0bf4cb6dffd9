//! Waiting for handles and for time to pass.
//!
//! Windows has no one call that waits for pipes, consoles and files. A console is waited for as
//! such, sockets if there is nothing else to wait for; a pipe is looked at from time to time, more
//! and more rarely.

use super::clock;
use super::console;
use super::handle::{Handle, Kind};
use super::socket;
use super::syscall::{
    CreateWaitableTimerExW, ERROR_BROKEN_PIPE, GetLastError, GetNumberOfConsoleInputEvents,
    INFINITE, NtClose, PeekNamedPipe, RawHandle, SYNCHRONIZE, SetWaitableTimer, Sleep,
    StandardInformation, WaitForMultipleObjects, WaitForSingleObject, class,
};
use crate::sys::Result;
use crate::sys::types::Waited;
use core::ptr::{null, null_mut};

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;
/// Longest time between two looks at a pipe.
const LONGEST_PAUSE: u64 = 10 * NANOSECONDS_PER_MILLISECOND;
/// First time between two looks.
const FIRST_PAUSE: u64 = NANOSECONDS_PER_MILLISECOND / 2;
/// Consoles that are waited for at once; all of them are the same one.
const CONSOLES: usize = 4;

// Source: `winnt.h`, `synchapi.h`.
const CREATE_WAITABLE_TIMER_HIGH_RESOLUTION: u32 = 2;
const TIMER_MODIFY_STATE: u32 = 2;

/// See [`contract`](crate::sys).
pub fn wait(waited: &mut [Waited<'_>], timeout: Option<u64>) -> Result<()> {
    let end = timeout.map(|timeout| clock::monotonic().saturating_add(timeout));
    let mut pause = FIRST_PAUSE;
    loop {
        let mut ready = false;
        for waited in waited.iter_mut() {
            look(waited);
            ready |= waited.ready;
        }
        let left = end.map(|end| end.saturating_sub(clock::monotonic()));
        if ready || left == Some(0) {
            return Ok(());
        }
        rest(waited, left, pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What a handle has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// So many bytes; 1 stands for more where the number is not known, 0 for the end.
    Bytes(u64),
    /// Nothing yet.
    Pending,
    /// Nothing ever: the other side closed the pipe.
    Closed,
}

/// Notes whether a handle is ready.
fn look(waited: &mut Waited<'_>) {
    waited.ready = true;
    let state = match waited.handle.kind {
        Kind::Socket => socket::state(waited.handle, waited.write),
        _ if waited.write => return,
        _ => input(waited.handle),
    };
    match state {
        Input::Bytes(bytes) => waited.bytes = bytes,
        Input::Pending => waited.ready = false,
        Input::Closed => waited.hangup = true,
    }
}

/// What can be read at once. Where Windows cannot tell, a read is taken not to wait.
pub(super) fn input(handle: &Handle) -> Input {
    match handle.kind {
        Kind::Console if console::has_input() => Input::Bytes(1),
        Kind::Console => {
            let mut events = 0;
            // SAFETY: the call writes 4 bytes.
            let done = unsafe { GetNumberOfConsoleInputEvents(handle.raw, &mut events) };
            if done != 0 && events == 0 { Input::Pending } else { Input::Bytes(1) }
        }
        Kind::Pipe => pipe_input(handle),
        Kind::File => Input::Bytes(left(handle).unwrap_or(0)),
        Kind::Socket => socket::state(handle, false),
        Kind::Device | Kind::Directory => Input::Bytes(1),
    }
}

/// What a pipe has to be read.
fn pipe_input(pipe: &Handle) -> Input {
    let mut available = 0;
    let null = null_mut();
    // SAFETY: the first call writes 4 bytes and reads nothing from the pipe.
    let error = unsafe {
        if PeekNamedPipe(pipe.raw, null, 0, null.cast(), &mut available, null.cast()) != 0 {
            0
        } else {
            GetLastError()
        }
    };
    match (error, available) {
        (0, 0) => Input::Pending,
        (0, bytes) => Input::Bytes(bytes.into()),
        (ERROR_BROKEN_PIPE, _) => Input::Closed,
        _ => Input::Bytes(1),
    }
}

/// Bytes from the position to the end of a file.
fn left(file: &Handle) -> Result<u64> {
    let size = file.query::<StandardInformation>(class::STANDARD)?.size;
    Ok(size.saturating_sub(file.query(class::POSITION)?))
}

/// Waits until a handle may have become ready: for the consoles among them, or for a pause if there
/// are pipes.
fn rest(waited: &[Waited<'_>], left: Option<u64>, pause: u64) {
    // A negative number waits without end.
    if socket::wait(waited, milliseconds(left).cast_signed()) {
        return;
    }
    let mut consoles = [null_mut(); CONSOLES];
    let mut count = 0;
    let mut time = left;
    for waited in waited.iter().filter(|w| !w.write || w.handle.kind == Kind::Socket) {
        match waited.handle.kind {
            Kind::Console => {
                if let Some(place) = consoles.get_mut(count) {
                    *place = waited.handle.raw;
                    count += 1;
                }
            }
            _ => time = Some(left.map_or(pause, |left| left.min(pause))),
        }
    }
    if count == 0 {
        return sleep(time);
    }
    // SAFETY: as many handles are open.
    unsafe { WaitForMultipleObjects(count as u32, consoles.as_ptr(), 0, milliseconds(time)) };
}

/// Sleeps; without end if there is no time.
fn sleep(time: Option<u64>) {
    let Some(time) = time else {
        // SAFETY: the call has no conditions.
        return unsafe { Sleep(INFINITE) };
    };
    // The plain call sleeps in steps of 15 ms.
    if let Some(timer) = Timer::new() {
        timer.wait(time);
    } else {
        // SAFETY: the call has no conditions.
        unsafe { Sleep(milliseconds(Some(time))) };
    }
}

/// Milliseconds, rounded up; never the number that stands for no end unless there is none.
fn milliseconds(time: Option<u64>) -> u32 {
    time.map_or(INFINITE, |time| {
        time.div_ceil(NANOSECONDS_PER_MILLISECOND).min((INFINITE - 1).into()) as u32
    })
}

/// A timer that is more exact than the system's tick; Windows 10 1803 has them.
struct Timer(RawHandle);

impl Timer {
    fn new() -> Option<Self> {
        let access = SYNCHRONIZE | TIMER_MODIFY_STATE;
        // SAFETY: the call has no conditions.
        let timer = unsafe {
            CreateWaitableTimerExW(null(), null(), CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, access)
        };
        (!timer.is_null()).then_some(Self(timer))
    }

    fn wait(&self, time: u64) {
        // Negative numbers of 100 ns count from now.
        let due = -(time.div_ceil(100).min(i64::MAX as u64) as i64);
        // SAFETY: the timer is open, and the record lives until the call returns.
        unsafe {
            if SetWaitableTimer(self.0, &due, 0, null(), null(), 0) != 0 {
                WaitForSingleObject(self.0, INFINITE);
            }
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the handle is owned, and this is its end.
        unsafe { NtClose(self.0) };
    }
}
