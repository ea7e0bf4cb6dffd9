//! `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`.
//!
//! Preview 1 has no function that makes a socket, so a program only ever has the listeners that
//! its policy grants, and the connections that come from them. All are streams.

use super::descriptor::{self, Descriptor, InUse, Kind, table};
use super::fd::fd_flags;
use super::files::{Handle, host};
use super::guest::functions;
use super::rights::Rights;
use crate::errno::Errno;
use crate::sys::types::FdFlags;
use crate::sys::{Result, fs, socket};

// `riflags`.
const PEEK: u32 = 1;
const WAIT_ALL: u32 = 2;

// `sdflags`.
const RECEIVING: u32 = 1;
const SENDING: u32 = 2;

functions! {
    /// Accepts a connection and writes its descriptor. The one flag that it can begin with is
    /// `nonblock`.
    fn sock_accept(guest, fd: u32, flags: u32, connection: u32) {
        let listener = socket(fd, Rights::SOCK_ACCEPT)?;
        let flags = fd_flags(flags)?;
        if flags.0 & !FdFlags::NONBLOCK != 0 {
            return Err(Errno::INVAL);
        }
        guest.check_result(connection, 4)?;
        let accepted = Descriptor {
            handle: Handle::Host(socket::accept(host(&listener.handle)?, flags)?),
            kind: Kind::Socket,
            rights: Rights::CONNECTION.both(listener.inheriting),
            inheriting: Rights::NONE,
            read_only: false,
        };
        guest.write_u32(connection, table().insert(accepted)?)
    }

    /// Receives into the buffers in turn; writes how many bytes came and that none were cut off.
    fn sock_recv(
        guest,
        fd: u32,
        buffers: u32,
        count: u32,
        flags: u32,
        received: u32,
        flags_out: u32,
    ) {
        let connection = socket(fd, Rights::FD_READ)?;
        if flags & !(PEEK | WAIT_ALL) != 0 {
            return Err(Errno::INVAL);
        }
        let (peek, wait_all) = (flags & PEEK != 0, flags & WAIT_ALL != 0);
        guest.write(flags_out, &[0; 2])?;
        guest.transfer(buffers, count, received, |buffers| {
            socket::receive(host(&connection.handle)?, buffers, peek, wait_all)
        })
    }

    /// Sends the buffers in turn and writes how many bytes went. There are no flags.
    fn sock_send(guest, fd: u32, buffers: u32, count: u32, flags: u32, sent: u32) {
        let connection = socket(fd, Rights::FD_WRITE)?;
        if flags != 0 {
            return Err(Errno::INVAL);
        }
        guest.transfer(buffers, count, sent, |buffers| fs::write(host(&connection.handle)?, buffers))
    }

    /// Ends one or both directions of a connection.
    fn sock_shutdown(_guest, fd: u32, how: u32) {
        let connection = socket(fd, Rights::SOCK_SHUTDOWN)?;
        if how == 0 || how & !(RECEIVING | SENDING) != 0 {
            return Err(Errno::INVAL);
        }
        socket::shut_down(host(&connection.handle)?, how & RECEIVING != 0, how & SENDING != 0)
    }
}

/// A socket with these rights: `BADF`, `NOTSOCK`, `NOTCAPABLE`.
fn socket(fd: u32, rights: Rights) -> Result<InUse> {
    if descriptor::get(fd, Rights::NONE)?.kind != Kind::Socket {
        return Err(Errno::NOTSOCK);
    }
    descriptor::get(fd, rights)
}
