//! `wasi_unstable`: the functions whose layouts differ from those of preview 1.
//!
//! All others are those of preview 1. Source: `snapshot_0` in the witx documents.

use super::guest::{Guest, functions};
use super::{fd, file, path, poll};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Stat, Whence};

functions! {
    /// Moves the position and writes the new one.
    fn unstable_fd_seek(guest, fd: u32, offset: i64, whence: u32, position: u32) {
        let whence = match whence {
            0 => Whence::Current,
            1 => Whence::End,
            2 => Whence::Start,
            _ => return Err(Errno::INVAL),
        };
        fd::seek(&guest, fd, offset, whence, position)
    }

    /// Writes an open file's attributes: the 56 bytes of `filestat`.
    fn unstable_fd_filestat_get(guest, fd: u32, filestat: u32) {
        write_filestat(&guest, filestat, &file::stat(fd)?)
    }

    /// Writes the attributes of what a path names.
    fn unstable_path_filestat_get(
        guest,
        fd: u32,
        lookup: u32,
        path: u32,
        length: u32,
        filestat: u32,
    ) {
        write_filestat(&guest, filestat, &path::stat(&guest, fd, lookup, path, length)?)
    }

    /// Waits for clocks and descriptors.
    fn unstable_poll_oneoff(guest, subscriptions: u32, events: u32, count: u32, written: u32) {
        poll::poll(&guest, &poll::UNSTABLE, subscriptions, events, count, written)
    }
}

/// Writes the 56 bytes of a `filestat`, whose number of links is a `u32`.
fn write_filestat(guest: &Guest, pointer: u32, stat: &Stat) -> Result<()> {
    let mut record = [0; 56];
    record[..8].copy_from_slice(&stat.device.to_le_bytes());
    record[8..16].copy_from_slice(&stat.inode.to_le_bytes());
    record[16] = stat.file_type as u8;
    record[20..24].copy_from_slice(&u32::try_from(stat.links).unwrap_or(u32::MAX).to_le_bytes());
    for (place, number) in record[24..].chunks_exact_mut(8).zip([
        stat.size,
        stat.accessed,
        stat.modified,
        stat.changed,
    ]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    guest.write(pointer, &record)
}
