//! Listeners and connections.

use super::handle::{Handle, Kind};
use super::poll::Input;
use super::stream::transfer;
use super::syscall::{INVALID_HANDLE, RawHandle};
use super::winsock::{FIONBIO, FIONREAD, PollRecord, SOCKET_ERROR, load, loaded};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Buffer, FdFlags, Waited};
use core::net::SocketAddr;
use core::ptr::{from_ref, null, null_mut};

// Source: `winsock2.h`, `ws2def.h`, `ws2ipdef.h`.
const AF_INET: i32 = 2;
const AF_INET6: i32 = 23;
const SOCK_STREAM: i32 = 1;
const SOL_SOCKET: i32 = 0xFFFF;
const SO_EXCLUSIVEADDRUSE: i32 = !4;
const WSA_FLAG_NO_HANDLE_INHERIT: u32 = 0x80;
const MSG_PEEK: i32 = 2;
const MSG_WAITALL: i32 = 8;
const SD_RECEIVE: i32 = 0;
const SD_SEND: i32 = 1;
const SD_BOTH: i32 = 2;
const POLLRDNORM: i16 = 0x100;
const POLLWRNORM: i16 = 0x10;
const POLLHUP: i16 = 2;

/// Connections that may wait to be accepted: as many as the system finds reasonable.
const SOMAXCONN: i32 = 0x7FFF_FFFF;
/// Most bytes of one call.
const MOST: usize = 1 << 30;
/// Sockets that are waited for at once.
const SOCKETS: usize = 64;

/// See [`contract`](crate::sys).
pub fn listen(address: &SocketAddr) -> Result<Handle> {
    let winsock = load()?;
    let family = if address.is_ipv6() { AF_INET6 } else { AF_INET };
    // SAFETY: the call reads no memory.
    let raw =
        unsafe { (winsock.socket)(family, SOCK_STREAM, 0, null(), 0, WSA_FLAG_NO_HANDLE_INHERIT) };
    let socket = own(raw)?;
    let (record, size) = record(address);
    let yes = 1_u32;
    // SAFETY: number and record can be read. Without the option, another process could take the
    // address over.
    unsafe {
        let option = (SO_EXCLUSIVEADDRUSE, from_ref(&yes).cast(), size_of::<u32>() as i32);
        winsock.check((winsock.set_option)(raw, SOL_SOCKET, option.0, option.1, option.2))?;
        winsock.check((winsock.bind)(raw, record.as_ptr().cast(), size))?;
        winsock.check((winsock.listen)(raw, SOMAXCONN))?;
    }
    Ok(socket)
}

/// Owns a new socket.
fn own(raw: RawHandle) -> Result<Handle> {
    if raw == INVALID_HANDLE {
        return Err(loaded()?.error());
    }
    Ok(Handle::new(raw, Kind::Socket, FdFlags::default()))
}

/// An address as `sockaddr_in` or `sockaddr_in6`, and the bytes that it takes.
fn record(address: &SocketAddr) -> ([u8; 28], i32) {
    let mut record = [0; 28];
    let (ip, port) = match address {
        SocketAddr::V4(address) => {
            record[0] = AF_INET as u8;
            record[4..8].copy_from_slice(&address.ip().octets());
            (16, address.port())
        }
        SocketAddr::V6(address) => {
            record[0] = AF_INET6 as u8;
            record[8..24].copy_from_slice(&address.ip().octets());
            record[24..].copy_from_slice(&address.scope_id().to_le_bytes());
            (28, address.port())
        }
    };
    record[2..4].copy_from_slice(&port.to_be_bytes());
    (record, ip)
}

/// See [`contract`](crate::sys).
pub fn accept(listener: &Handle, flags: FdFlags) -> Result<Handle> {
    let winsock = loaded()?;
    // SAFETY: the call writes no address.
    let mut connection = own(unsafe { (winsock.accept)(listener.raw, null_mut(), null_mut()) })?;
    // A connection begins with the listener's mode.
    set_flags(&mut connection, flags)?;
    Ok(connection)
}

/// Has calls on a socket wait or not, as the flags say.
pub(super) fn set_flags(socket: &mut Handle, flags: FdFlags) -> Result<()> {
    let winsock = loaded()?;
    let mut nonblock = u32::from(flags.has(FdFlags::NONBLOCK));
    // SAFETY: the call reads one number.
    winsock.check(unsafe { (winsock.control)(socket.raw, FIONBIO, &mut nonblock) })?;
    socket.flags = flags;
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn receive(
    connection: &Handle,
    buffers: &[Buffer<'_>],
    peek: bool,
    wait_all: bool,
) -> Result<usize> {
    let winsock = loaded()?;
    // A peek cannot go on where it ended: it would see the same bytes again.
    let (flags, several) = match (peek, wait_all) {
        (true, true) => (MSG_PEEK | MSG_WAITALL, false),
        (true, false) => (MSG_PEEK, false),
        (false, several) => (0, several),
    };
    transfer(buffers, |buffer| {
        let mut total = 0;
        loop {
            let length = (buffer.length() - total).min(MOST);
            // SAFETY: so many bytes from there can be written.
            let received = winsock.check(unsafe {
                let place = buffer.pointer().add(total);
                (winsock.receive)(connection.raw, place, length as i32, flags)
            });
            match received {
                Ok(count) => total += count,
                Err(error) if total == 0 => return Err(error),
                Err(_) => return Ok((total, false)),
            }
            let is_full = total == buffer.length();
            if !several || is_full || received == Ok(0) {
                return Ok((total, several && is_full));
            }
        }
    })
}

/// Sends a buffer.
pub(super) fn send(connection: &Handle, buffer: &Buffer<'_>) -> Result<usize> {
    let winsock = loaded()?;
    let length = buffer.length().min(MOST);
    // SAFETY: the buffer can be read.
    winsock.check(unsafe { (winsock.send)(connection.raw, buffer.pointer(), length as i32, 0) })
}

/// See [`contract`](crate::sys).
pub fn shut_down(connection: &Handle, receiving: bool, sending: bool) -> Result<()> {
    let how = match (receiving, sending) {
        (true, true) => SD_BOTH,
        (true, false) => SD_RECEIVE,
        (false, true) => SD_SEND,
        (false, false) => return Err(Errno::INVAL),
    };
    let winsock = loaded()?;
    // SAFETY: the call has no conditions.
    winsock.check(unsafe { (winsock.shut_down)(connection.raw, how) }).map(drop)
}

/// Closes a socket.
pub(super) fn close(raw: RawHandle) {
    if let Ok(winsock) = loaded() {
        // SAFETY: the socket is owned, and this is its end.
        unsafe { (winsock.close)(raw) };
    }
}

/// What a socket has to be read, or room to be written.
pub(super) fn state(socket: &Handle, write: bool) -> Input {
    let Ok(winsock) = loaded() else { return Input::Closed };
    let mut record = poll_record(socket, write);
    // SAFETY: one record lies there.
    let ready = unsafe { (winsock.poll)(&mut record, 1, 0) };
    if ready == 0 {
        return Input::Pending;
    }
    let mut bytes = 0;
    // SAFETY: the call writes one number.
    if write || unsafe { (winsock.control)(socket.raw, FIONREAD, &mut bytes) } == SOCKET_ERROR {
        return Input::Bytes(1);
    }
    if record.found & POLLHUP != 0 && bytes == 0 {
        Input::Closed
    } else {
        Input::Bytes(bytes.into())
    }
}

/// Waits until a socket may have become ready, if there is nothing but sockets to wait for; false
/// if there is.
pub(super) fn wait(waited: &[Waited<'_>], milliseconds: i32) -> bool {
    let Ok(winsock) = loaded() else { return false };
    let are_sockets = waited.iter().all(|waited| waited.handle.kind == Kind::Socket);
    let mut records = [PollRecord { socket: null_mut(), events: 0, found: 0 }; SOCKETS];
    if waited.is_empty() || !are_sockets || waited.len() > SOCKETS {
        return false;
    }
    for (record, waited) in records.iter_mut().zip(waited) {
        *record = poll_record(waited.handle, waited.write);
    }
    // SAFETY: as many records lie there.
    unsafe { (winsock.poll)(records.as_mut_ptr(), waited.len() as u32, milliseconds) };
    true
}

fn poll_record(socket: &Handle, write: bool) -> PollRecord {
    let events = if write { POLLWRNORM } else { POLLRDNORM };
    PollRecord { socket: socket.raw, events, found: 0 }
}
