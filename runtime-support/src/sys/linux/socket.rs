//! Listeners and connections.

use super::errno::translate;
use super::fs::{Handle, destinations, retry};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Buffer, FdFlags};
use core::net::SocketAddr;
use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{
    self as host, AddressFamily, RecvAncillaryBuffer, RecvFlags, Shutdown, SocketFlags, SocketType,
};

/// Connections that may wait to be accepted; the kernel's own limit may be lower.
const BACKLOG: i32 = 1024;

/// See [`contract`](crate::sys).
pub fn listen(address: &SocketAddr) -> Result<Handle> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = host::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    let socket = Handle::new(socket.map_err(translate)?)?;
    // A program that ended a moment ago keeps nobody from listening there.
    set_socket_reuseaddr(&socket, true).map_err(translate)?;
    host::bind(&socket, address).map_err(translate)?;
    host::listen(&socket, BACKLOG).map_err(translate)?;
    Ok(socket)
}

/// See [`contract`](crate::sys).
pub fn accept(listener: &Handle, flags: FdFlags) -> Result<Handle> {
    let mut host_flags = SocketFlags::CLOEXEC;
    host_flags.set(SocketFlags::NONBLOCK, flags.has(FdFlags::NONBLOCK));
    Handle::new(retry(|| host::accept_with(listener, host_flags))?)
}

/// See [`contract`](crate::sys).
pub fn receive(
    connection: &Handle,
    buffers: &[Buffer<'_>],
    peek: bool,
    wait_all: bool,
) -> Result<usize> {
    let mut flags = RecvFlags::empty();
    flags.set(RecvFlags::PEEK, peek);
    flags.set(RecvFlags::WAITALL, wait_all);
    retry(|| {
        let mut control = RecvAncillaryBuffer::default();
        host::recvmsg(connection, destinations(buffers), &mut control, flags)
    })
    .map(|received| received.bytes)
}

/// See [`contract`](crate::sys).
pub fn shut_down(connection: &Handle, receiving: bool, sending: bool) -> Result<()> {
    let how = match (receiving, sending) {
        (true, true) => Shutdown::Both,
        (true, false) => Shutdown::Read,
        (false, true) => Shutdown::Write,
        (false, false) => return Err(Errno::INVAL),
    };
    host::shutdown(connection, how).map_err(translate)
}
