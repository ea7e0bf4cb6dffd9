//! Reading directories.
//!
//! A cookie is the file system's own position behind an entry, so it stays valid while entries come
//! and go. What the kernel gave at once and the program has not taken yet is kept with the handle:
//! a program that reads on where it stopped, or from an entry that its buffer cut, has the kernel
//! read nothing twice. Cookie 0 begins anew, and any other cookie is a position to go to.

use super::errno::translate;
use super::fs::{Handle, retry};
use super::memory;
use super::syscall::getdents64;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Entry, FileType, Visit};
use core::ffi::CStr;
use core::ptr::NonNull;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::SeekFrom;

/// Bytes that the kernel fills at most, as in C libraries.
const ROOM: usize = 0x8000;
/// Where the parts of a `struct linux_dirent64` lie, whose name ends with a NUL.
/// Source: the kernel's `include/linux/dirent.h`.
const NEXT: usize = 8;
const LENGTH: usize = 16;
const KIND: usize = 18;
const NAME: usize = 19;

/// How far a directory's entries were read.
#[derive(Debug)]
pub(super) struct Reader {
    /// [`ROOM`] bytes, the first of which the kernel filled with records.
    records: NonNull<u8>,
    filled: usize,
    /// Offset of the record that the program may ask for next, and its cookie; behind the last
    /// record, the position that the kernel itself is at.
    offset: usize,
    cookie: u64,
}

impl Drop for Reader {
    fn drop(&mut self) {
        // SAFETY: the memory is this reader's, and one allocation.
        unsafe { memory::release(self.records.as_ptr(), ROOM) };
    }
}

impl Reader {
    /// A reader of a directory that nothing was read from.
    fn new() -> Result<Self> {
        let records = NonNull::new(memory::allocate(ROOM)?).ok_or(Errno::NOMEM)?;
        Ok(Self { records, filled: 0, offset: 0, cookie: 0 })
    }

    /// The record that the program may ask for next, and the offset behind it; none if the kernel
    /// has to be asked.
    fn record(&self) -> Option<(Entry<'_>, usize)> {
        // SAFETY: as many bytes were filled.
        let filled = unsafe { core::slice::from_raw_parts(self.records.as_ptr(), self.filled) };
        let record = filled.get(self.offset..)?;
        let length = u16::from_le_bytes(*record.get(LENGTH..)?.first_chunk()?);
        let entry = Entry {
            name: CStr::from_bytes_until_nul(record.get(NAME..length.into())?).ok()?.to_bytes(),
            inode: u64::from_le_bytes(*record.first_chunk()?),
            file_type: file_type(*record.get(KIND)?),
            next: u64::from_le_bytes(*record.get(NEXT..)?.first_chunk()?),
        };
        Some((entry, self.offset + usize::from(length)))
    }

    /// Goes to the entry of a cookie if it is one of the two that the program may ask for next.
    fn reach(&mut self, cookie: u64) -> bool {
        if cookie != self.cookie
            && let Some((Entry { next, .. }, behind)) = self.record()
        {
            (self.cookie, self.offset) = (next, behind);
        }
        cookie == self.cookie
    }

    /// Has the kernel go to a position of its own.
    fn go_to(&mut self, directory: BorrowedFd<'_>, cookie: u64) -> Result<()> {
        rustix::fs::seek(directory, SeekFrom::Start(cookie)).map_err(translate)?;
        (self.filled, self.offset, self.cookie) = (0, 0, cookie);
        Ok(())
    }

    /// Asks the kernel for the next records; false at the end.
    fn fill(&mut self, directory: BorrowedFd<'_>) -> Result<bool> {
        // Nothing is kept of what came before, should the call fail.
        (self.filled, self.offset) = (0, 0);
        let records = self.records.as_ptr();
        // SAFETY: the memory is as large, and no reference to it is in use.
        self.filled = retry(|| unsafe { getdents64(directory, records, ROOM) })?;
        Ok(self.filled > 0)
    }
}

/// See [`contract`](crate::sys).
pub fn read_directory(directory: &mut Handle, cookie: u64, visit: Visit<'_>) -> Result<()> {
    let (fd, reader) = (directory.fd.as_fd(), &mut directory.reader);
    let reader = match reader {
        Some(reader) => {
            if cookie == 0 || !reader.reach(cookie) {
                reader.go_to(fd, cookie)?;
            }
            reader
        }
        None => {
            let reader = reader.insert(Reader::new()?);
            if cookie != 0 {
                reader.go_to(fd, cookie)?;
            }
            reader
        }
    };
    loop {
        while let Some((entry, behind)) = reader.record() {
            let next = entry.next;
            if !visit(&entry) {
                return Ok(());
            }
            (reader.cookie, reader.offset) = (next, behind);
        }
        if !reader.fill(fd)? {
            return Ok(());
        }
    }
}

/// The kind of file that `d_type` says. Source: the kernel's `include/linux/fs_types.h`.
fn file_type(kind: u8) -> FileType {
    match kind {
        2 => FileType::CharacterDevice,
        4 => FileType::Directory,
        6 => FileType::BlockDevice,
        8 => FileType::RegularFile,
        10 => FileType::SymbolicLink,
        12 => FileType::SocketStream,
        _ => FileType::Unknown,
    }
}
