//! Reading directories.
//!
//! Positions that the system itself can give are kept in a list that it searches for each, so the
//! cookie of an entry is its number here. Reading on from where the last call stopped, as programs
//! do, takes no seeking and is not disturbed by entries that come and go; any other cookie begins
//! anew and skips.

use super::errno::{clear, last, pending};
use super::fs::{Handle, open_at};
use crate::sys::Result;
use crate::sys::types::{Entry, FileType, Open, Visit};
use core::ffi::CStr;
use core::ptr::NonNull;
use libc::{DIR, dirent};

/// How far a directory's entries were read.
#[derive(Debug)]
pub(super) struct Reader {
    stream: NonNull<DIR>,
    /// The last entry that was read, which the stream holds until the next one.
    entry: Option<NonNull<dirent>>,
    /// Entries that were read, the last one included.
    count: u64,
}

impl Drop for Reader {
    fn drop(&mut self) {
        // SAFETY: nothing else owns the stream.
        unsafe { libc::closedir(self.stream.as_ptr()) };
    }
}

impl Reader {
    fn new(directory: &Handle) -> Result<Self> {
        let how = Open { read: true, directory: true, ..Open::default() };
        // The stream owns its descriptor, so it gets one of its own.
        let own = core::mem::ManuallyDrop::new(open_at(directory, c".", &how)?);
        // SAFETY: the descriptor has no other owner, unless the call fails.
        let stream = unsafe { libc::fdopendir(own.descriptor()) };
        match NonNull::new(stream) {
            Some(stream) => Ok(Self { stream, entry: None, count: 0 }),
            None => {
                let error = last();
                drop(core::mem::ManuallyDrop::into_inner(own));
                Err(error)
            }
        }
    }

    /// Reads the next entry, if there is one.
    fn advance(&mut self) -> Result<bool> {
        clear();
        // SAFETY: the stream is open.
        self.entry = NonNull::new(unsafe { libc::readdir(self.stream.as_ptr()) });
        if self.entry.is_some() {
            self.count += 1;
            return Ok(true);
        }
        pending().map_or(Ok(false), Err)
    }

    /// Makes entry number `cookie` the current one; false if there are not as many.
    fn go_to(&mut self, cookie: u64) -> Result<bool> {
        if self.entry.is_some() && self.count == cookie + 1 {
            return Ok(true);
        }
        if self.count > cookie {
            // SAFETY: the stream is open.
            unsafe { libc::rewinddir(self.stream.as_ptr()) };
            self.entry = None;
            self.count = 0;
        }
        while self.count <= cookie {
            if !self.advance()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// See [`contract`](crate::sys).
pub fn read_directory(directory: &mut Handle, cookie: u64, visit: Visit<'_>) -> Result<()> {
    if cookie == 0 {
        // A new reader sees the directory as it is now.
        directory.reader = None;
    }
    if directory.reader.is_none() {
        directory.reader = Some(Reader::new(directory)?);
    }
    let Some(reader) = directory.reader.as_mut() else { return Ok(()) };
    let mut more = reader.go_to(cookie)?;
    while more {
        let Some(entry) = reader.entry else { return Ok(()) };
        // SAFETY: the stream holds the entry until the next one is read, and its name ends in NUL.
        let (name, inode, kind) = unsafe {
            let entry = entry.as_ref();
            (CStr::from_ptr(entry.d_name.as_ptr()).to_bytes(), entry.d_ino, entry.d_type)
        };
        let entry = Entry { name, inode, file_type: file_type(kind), next: reader.count };
        if !visit(&entry) {
            return Ok(());
        }
        more = reader.advance()?;
    }
    Ok(())
}

fn file_type(kind: u8) -> FileType {
    match kind {
        libc::DT_REG => FileType::RegularFile,
        libc::DT_DIR => FileType::Directory,
        libc::DT_LNK => FileType::SymbolicLink,
        libc::DT_CHR => FileType::CharacterDevice,
        libc::DT_BLK => FileType::BlockDevice,
        libc::DT_SOCK => FileType::SocketStream,
        _ => FileType::Unknown,
    }
}
