//! Reading and writing: files, pipes, consoles and other devices.
//!
//! Files are opened for synchronous calls. A standard stream may have been opened otherwise by who
//! started the program; then a call is waited for.

use super::console;
use super::errno::{check, translate};
use super::handle::{Handle, Kind};
use super::poll::{self, Input};
use super::socket;
use super::syscall::{
    FILE_WRITE_TO_END_OF_FILE, INFINITE, IoStatus, NtReadFile, NtWriteFile, Status,
    WaitForSingleObject, class, status,
};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Buffer, FdFlags};
use core::ptr::{copy_nonoverlapping, from_ref, null, null_mut};

/// Most bytes of one call: lengths are 32-bit numbers, and a multiple of a page is best.
const MOST: usize = 1 << 30;

/// Buffers that hold no more than this are written with one call.
const GATHERED: usize = 8192;

/// See [`contract`](crate::sys).
pub fn read(handle: &Handle, buffers: &[Buffer<'_>]) -> Result<usize> {
    match handle.kind {
        Kind::Directory => return Err(Errno::ISDIR),
        Kind::Socket => return socket::receive(handle, buffers, false, false),
        Kind::Console | Kind::Pipe if handle.flags.has(FdFlags::NONBLOCK) => {
            if poll::input(handle) == Input::Pending {
                return Err(Errno::AGAIN);
            }
        }
        _ => {}
    }
    // A stream gives what it has: asking again could wait.
    let is_file = handle.kind == Kind::File;
    transfer(buffers, |buffer| {
        let count = match handle.kind {
            // SAFETY: the buffer can be written.
            Kind::Console => {
                unsafe { console::read(handle.raw, buffer.pointer(), buffer.length()) }?
            }
            _ => read_once(handle, buffer, None)?,
        };
        Ok((count, is_file && count == buffer.length()))
    })
}

/// See [`contract`](crate::sys).
pub fn read_at(handle: &Handle, buffers: &[Buffer<'_>], offset: u64) -> Result<usize> {
    at_offset(handle, offset, |mut offset| {
        transfer(buffers, |buffer| {
            let count = read_once(handle, buffer, Some(offset))?;
            offset += count as u64;
            Ok((count, count == buffer.length()))
        })
    })
}

/// See [`contract`](crate::sys).
pub fn write(handle: &Handle, buffers: &[Buffer<'_>]) -> Result<usize> {
    let total: usize = buffers.iter().map(Buffer::length).sum();
    if buffers.len() > 1 && total <= GATHERED {
        let mut gathered = [0; GATHERED];
        let mut length = 0;
        for buffer in buffers {
            if let Some(place) = gathered.get_mut(length..length + buffer.length()) {
                // SAFETY: the buffer can be read, and the place is as large.
                unsafe {
                    copy_nonoverlapping(buffer.pointer(), place.as_mut_ptr(), place.len());
                }
                length += buffer.length();
            }
        }
        // SAFETY: the memory is this function's own.
        let whole = unsafe { Buffer::new(gathered.as_mut_ptr(), length) };
        return write_to(handle, &whole);
    }
    transfer(buffers, |buffer| {
        let count = write_to(handle, buffer)?;
        Ok((count, count == buffer.length()))
    })
}

/// Writes at the handle's position, or at the end of a file that is appended to.
fn write_to(handle: &Handle, buffer: &Buffer<'_>) -> Result<usize> {
    match handle.kind {
        Kind::Directory => Err(Errno::BADF),
        Kind::Socket => socket::send(handle, buffer),
        Kind::Console => {
            // SAFETY: the buffer can be read.
            let bytes = unsafe { core::slice::from_raw_parts(buffer.pointer(), buffer.length()) };
            console::write(handle.raw, bytes)
        }
        Kind::File if handle.flags.has(FdFlags::APPEND) => {
            write_once(handle, buffer, Some(FILE_WRITE_TO_END_OF_FILE))
        }
        _ => write_once(handle, buffer, None),
    }
}

/// See [`contract`](crate::sys).
pub fn write_at(handle: &Handle, buffers: &[Buffer<'_>], offset: u64) -> Result<usize> {
    at_offset(handle, offset, |mut offset| {
        transfer(buffers, |buffer| {
            let count = write_once(handle, buffer, Some(offset))?;
            offset += count as u64;
            Ok((count, count == buffer.length()))
        })
    })
}

/// Moves the bytes of each buffer in turn until `once`, which gives the number of bytes and whether
/// there may be more, stops or fails. An error after some bytes is left for the next call.
pub(super) fn transfer(
    buffers: &[Buffer<'_>],
    mut once: impl FnMut(&Buffer<'_>) -> Result<(usize, bool)>,
) -> Result<usize> {
    let mut total = 0;
    for buffer in buffers.iter().filter(|buffer| buffer.length() > 0) {
        match once(buffer) {
            Ok((count, more)) => {
                total += count;
                if !more {
                    break;
                }
            }
            Err(error) if total == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(total)
}

/// Has `transfer` work at an offset, and sets the position back, which the kernel moves.
fn at_offset(
    handle: &Handle,
    offset: u64,
    transfer: impl FnOnce(u64) -> Result<usize>,
) -> Result<usize> {
    match handle.kind {
        Kind::File => {}
        Kind::Directory => return Err(Errno::ISDIR),
        _ => return Err(Errno::SPIPE),
    }
    if i64::try_from(offset).is_err() {
        return Err(Errno::INVAL);
    }
    let position: u64 = handle.query(class::POSITION)?;
    let result = transfer(offset);
    check(handle.set(class::POSITION, &position))?;
    result
}

/// Reads with one call; 0 at the end.
fn read_once(handle: &Handle, buffer: &Buffer<'_>, offset: Option<u64>) -> Result<usize> {
    let mut io = IoStatus::default();
    let offset = offset.as_ref().map_or(null(), from_ref);
    let length = buffer.length().min(MOST) as u32;
    // SAFETY: the buffer can be written; the records live until the call ends.
    let status = unsafe {
        let pointer = buffer.pointer().cast();
        let null = null_mut();
        NtReadFile(handle.raw, null, null, null, &mut io, pointer, length, offset, null.cast())
    };
    match wait(handle, status, &io) {
        // The other end of a pipe is closed.
        status::END_OF_FILE | status::PIPE_BROKEN => Ok(0),
        status::PIPE_EMPTY => Err(Errno::AGAIN),
        status => check_access(status).map(|()| io.information),
    }
}

/// Writes with one call.
fn write_once(handle: &Handle, buffer: &Buffer<'_>, offset: Option<u64>) -> Result<usize> {
    let mut io = IoStatus::default();
    let offset = offset.as_ref().map_or(null(), from_ref);
    let length = buffer.length().min(MOST) as u32;
    // SAFETY: the buffer can be read; the records live until the call ends.
    let status = unsafe {
        let pointer = buffer.pointer().cast();
        let null = null_mut();
        NtWriteFile(handle.raw, null, null, null, &mut io, pointer, length, offset, null.cast())
    };
    check_access(wait(handle, status, &io)).map(|()| io.information)
}

/// Waits for a call on a handle that does not wait by itself; gives the call's final status.
fn wait(handle: &Handle, status: Status, io: &IoStatus) -> Status {
    if status != status::PENDING {
        return status;
    }
    // SAFETY: the handle is open; the kernel has written the record by the time this returns, which
    // is why it is read anew.
    unsafe {
        WaitForSingleObject(handle.raw, INFINITE);
        from_ref(&io.status).read_volatile() as Status
    }
}

/// The result of a call for which a handle may lack the right.
fn check_access(status: Status) -> Result<()> {
    match status {
        status::ACCESS_DENIED => Err(Errno::BADF),
        status if status < 0 => Err(translate(status)),
        _ => Ok(()),
    }
}
