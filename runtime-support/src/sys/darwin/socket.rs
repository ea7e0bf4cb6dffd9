//! Listeners and connections.

use super::errno::check;
use super::fs::{Handle, retry, set_flags};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Buffer, FdFlags};
use core::ffi::c_int;
use core::net::SocketAddr;
use core::ptr::null_mut;
use libc::{in_addr, in6_addr, msghdr, sockaddr_in, sockaddr_in6, socklen_t};

/// Connections that may wait to be accepted; the system's own limit is lower.
const BACKLOG: c_int = 1024;

/// See [`contract`](crate::sys).
pub fn listen(address: &SocketAddr) -> Result<Handle> {
    let family = if address.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    // SAFETY: no memory is involved.
    let socket = own(check(unsafe { libc::socket(family, libc::SOCK_STREAM, 0) })?)?;
    let yes: c_int = 1;
    // SAFETY: the call reads one number. A program that ended a moment ago keeps nobody from
    // listening there.
    check(unsafe {
        let (value, size) = ((&raw const yes).cast(), size_of::<c_int>() as socklen_t);
        let option = libc::SO_REUSEADDR;
        libc::setsockopt(socket.descriptor(), libc::SOL_SOCKET, option, value, size)
    })?;
    bind(&socket, address)?;
    // SAFETY: no memory is involved.
    check(unsafe { libc::listen(socket.descriptor(), BACKLOG) })?;
    Ok(socket)
}

/// Owns a new socket, which no other process shall inherit.
fn own(descriptor: c_int) -> Result<Handle> {
    let socket = Handle::new(descriptor)?;
    // SAFETY: no memory is involved.
    check(unsafe { libc::fcntl(socket.descriptor(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
    Ok(socket)
}

fn bind(socket: &Handle, address: &SocketAddr) -> Result<()> {
    let descriptor = socket.descriptor();
    let bound = match address {
        SocketAddr::V4(address) => {
            let record = sockaddr_in {
                sin_len: size_of::<sockaddr_in>() as u8,
                sin_family: libc::AF_INET as u8,
                sin_port: address.port().to_be(),
                sin_addr: in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                sin_zero: [0; 8],
            };
            let size = size_of::<sockaddr_in>() as socklen_t;
            // SAFETY: the record can be read.
            unsafe { libc::bind(descriptor, (&raw const record).cast(), size) }
        }
        SocketAddr::V6(address) => {
            let record = sockaddr_in6 {
                sin6_len: size_of::<sockaddr_in6>() as u8,
                sin6_family: libc::AF_INET6 as u8,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: in6_addr { s6_addr: address.ip().octets() },
                sin6_scope_id: address.scope_id(),
            };
            let size = size_of::<sockaddr_in6>() as socklen_t;
            // SAFETY: the record can be read.
            unsafe { libc::bind(descriptor, (&raw const record).cast(), size) }
        }
    };
    check(bound).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn accept(listener: &Handle, flags: FdFlags) -> Result<Handle> {
    // SAFETY: no memory is involved.
    let accept = || unsafe { libc::accept(listener.descriptor(), null_mut(), null_mut()) as isize };
    let mut connection = own(retry(accept)? as c_int)?;
    // A connection begins with the listener's flags.
    set_flags(&mut connection, flags)?;
    Ok(connection)
}

/// See [`contract`](crate::sys).
pub fn receive(
    connection: &Handle,
    buffers: &[Buffer<'_>],
    peek: bool,
    wait_all: bool,
) -> Result<usize> {
    let mut message = msghdr {
        msg_name: null_mut(),
        msg_namelen: 0,
        // The layout is that of `struct iovec`; the call writes to what they name alone.
        msg_iov: buffers.as_ptr().cast_mut().cast(),
        msg_iovlen: buffers.len() as c_int,
        msg_control: null_mut(),
        msg_controllen: 0,
        msg_flags: 0,
    };
    let peek = if peek { libc::MSG_PEEK } else { 0 };
    let wait_all = if wait_all { libc::MSG_WAITALL } else { 0 };
    // SAFETY: the buffers can be written.
    retry(|| unsafe { libc::recvmsg(connection.descriptor(), &raw mut message, peek | wait_all) })
}

/// See [`contract`](crate::sys).
pub fn shut_down(connection: &Handle, receiving: bool, sending: bool) -> Result<()> {
    let how = match (receiving, sending) {
        (true, true) => libc::SHUT_RDWR,
        (true, false) => libc::SHUT_RD,
        (false, true) => libc::SHUT_WR,
        (false, false) => return Err(Errno::INVAL),
    };
    // SAFETY: no memory is involved.
    check(unsafe { libc::shutdown(connection.descriptor(), how) }).map(|_| ())
}
