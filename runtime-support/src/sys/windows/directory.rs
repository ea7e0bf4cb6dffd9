//! A directory's entries, read once and kept.
//!
//! The kernel's own position in a directory cannot be kept as a number. So the entries are read
//! into memory when a program starts to read the directory; a cookie is an offset in that memory,
//! and stays valid whatever happens to the directory meanwhile.

use super::errno::translate;
use super::handle::{Handle, Node, Opening, node};
use super::memory;
use super::name::{Name, Purpose};
use super::syscall::{
    DirectoryRecord, FILE_DIRECTORY_FILE, FILE_OPEN, FILE_READ_DATA, IoStatus,
    NtQueryDirectoryFile, class, status,
};
use super::text;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Entry, FileType, Visit};
use core::ptr::{copy_nonoverlapping, from_mut, null, null_mut};

/// Bytes that the kernel fills at once. Source: `NtQueryDirectoryFile` on network drives takes no
/// more than this.
const BATCH: usize = 0x1_0000;
/// Bytes of the longest name in UTF-8: three for each of 255 units.
const NAME: usize = 3 * super::name::CAPACITY;
/// Bytes before an entry's name: inode, length of the name in 2 bytes, kind.
const HEADER: usize = 11;

const DIRECTORY: u8 = FileType::Directory as u8;
const LINK: u8 = FileType::SymbolicLink as u8;

/// Entries in memory, one after another: a header and the name.
#[derive(Debug)]
pub(super) struct Listing {
    bytes: *mut u8,
    length: usize,
    capacity: usize,
}

impl Drop for Listing {
    fn drop(&mut self) {
        // SAFETY: the memory is this listing's, and one allocation.
        unsafe { memory::release(self.bytes, self.capacity) };
    }
}

impl Listing {
    /// Reads all entries of a directory, through a handle of its own: one that was read before may
    /// still show what there was then.
    pub(super) fn read(directory: &Handle) -> Result<Self> {
        let opening = Opening {
            access: FILE_READ_DATA,
            disposition: FILE_OPEN,
            options: FILE_DIRECTORY_FILE,
        };
        let fresh = opening.at(directory, &Name::new(c".", Purpose::Lookup)?)?;
        let mut listing = Self { bytes: memory::allocate(BATCH)?, length: 0, capacity: BATCH };
        let batch = Batch(memory::allocate(BATCH)?);
        while batch.fill(&fresh)? {
            batch.each(|record, name| listing.push(record, name))?;
        }
        Ok(listing)
    }

    /// Calls `visit` for the entries from a cookie on until it returns false.
    pub(super) fn visit(&self, cookie: u64, visit: Visit<'_>) {
        // SAFETY: as many bytes were written.
        let bytes = unsafe { core::slice::from_raw_parts(self.bytes, self.length) };
        let mut offset = cookie as usize;
        while let Some((header, rest)) =
            bytes.get(offset..).and_then(|rest| rest.split_first_chunk::<HEADER>())
        {
            let [i0, i1, i2, i3, i4, i5, i6, i7, n0, n1, kind] = *header;
            let Some(name) = rest.get(..u16::from_le_bytes([n0, n1]).into()) else { return };
            offset += HEADER + name.len();
            let entry = Entry {
                name,
                inode: u64::from_le_bytes([i0, i1, i2, i3, i4, i5, i6, i7]),
                file_type: match kind {
                    DIRECTORY => FileType::Directory,
                    LINK => FileType::SymbolicLink,
                    _ => FileType::RegularFile,
                },
                next: offset as u64,
            };
            if !visit(&entry) {
                return;
            }
        }
    }

    /// Adds an entry.
    fn push(&mut self, record: &DirectoryRecord, name: &[u16]) -> Result<()> {
        let mut bytes = [0; NAME];
        let length = text::to_utf8(name.iter().copied(), &mut bytes);
        let name = bytes.get(..length).ok_or(Errno::NAMETOOLONG)?;
        let file_type = match node(record.attributes, record.tag) {
            Node::File => FileType::RegularFile,
            Node::Directory => FileType::Directory,
            Node::Link => FileType::SymbolicLink,
        };
        self.append(&record.id.to_le_bytes())?;
        self.append(&(length as u16).to_le_bytes())?;
        self.append(&[file_type as u8])?;
        self.append(name)
    }

    /// Adds bytes, in more memory if need be.
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.length + bytes.len() > self.capacity {
            let larger = memory::allocate(self.capacity * 2)?;
            // SAFETY: the new memory is twice as large; the old one has no other user.
            unsafe {
                copy_nonoverlapping(self.bytes, larger, self.length);
                memory::release(self.bytes, self.capacity);
            }
            self.bytes = larger;
            self.capacity *= 2;
        }
        // SAFETY: there is room: no entry is larger than the first allocation.
        unsafe { copy_nonoverlapping(bytes.as_ptr(), self.bytes.add(self.length), bytes.len()) };
        self.length += bytes.len();
        Ok(())
    }
}

/// Memory that the kernel writes records into.
struct Batch(*mut u8);

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: the memory is this batch's, and one allocation.
        unsafe { memory::release(self.0, BATCH) };
    }
}

impl Batch {
    /// Reads the next entries; false at the end.
    fn fill(&self, directory: &Handle) -> Result<bool> {
        let mut io = IoStatus::default();
        // SAFETY: the memory is as large as the call is told; it is called with nothing to wait for.
        let result = unsafe {
            NtQueryDirectoryFile(
                directory.raw,
                null_mut(),
                null(),
                null(),
                from_mut(&mut io),
                self.0.cast(),
                BATCH as u32,
                class::ID_BOTH_DIRECTORY,
                0,
                null(),
                0,
            )
        };
        match result {
            status::NO_MORE_FILES | status::NO_SUCH_FILE => Ok(false),
            status if status < 0 => Err(translate(status)),
            _ => Ok(true),
        }
    }

    /// Calls `visit` for each record and its name.
    fn each(&self, mut visit: impl FnMut(&DirectoryRecord, &[u16]) -> Result<()>) -> Result<()> {
        let mut offset = 0;
        loop {
            // SAFETY: the kernel wrote a record there, aligned to 8 bytes, and its name behind it.
            let (record, name) = unsafe {
                let start = self.0.add(offset);
                let record = &*start.cast::<DirectoryRecord>();
                let name = start.add(DirectoryRecord::NAME).cast::<u16>();
                (record, core::slice::from_raw_parts(name, record.name_length as usize / 2))
            };
            visit(record, name)?;
            if record.next == 0 {
                return Ok(());
            }
            offset += record.next as usize;
        }
    }
}
