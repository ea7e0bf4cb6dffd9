//! `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`.
//!
//! Preview 1 has no function that makes a socket, so a program only ever has sockets that its
//! policy grants. The policy knows no such grant, so no descriptor is a socket.

use super::descriptor::table;
use super::guest::functions;
use crate::errno::Errno;
use crate::sys::Result;

functions! {
    /// Accepts a connection.
    fn sock_accept(_guest, fd: u32, _flags: u32, _connection: u32) {
        not_a_socket(fd)
    }

    /// Receives a message.
    fn sock_recv(
        _guest,
        fd: u32,
        _buffers: u32,
        _count: u32,
        _flags: u32,
        _received: u32,
        _flags_out: u32,
    ) {
        not_a_socket(fd)
    }

    /// Sends a message.
    fn sock_send(_guest, fd: u32, _buffers: u32, _count: u32, _flags: u32, _sent: u32) {
        not_a_socket(fd)
    }

    /// Ends one or both directions of a connection.
    fn sock_shutdown(_guest, fd: u32, _how: u32) {
        not_a_socket(fd)
    }
}

fn not_a_socket(fd: u32) -> Result<()> {
    table().get(fd)?;
    Err(Errno::NOTSOCK)
}
