//! What descriptors refer to: what the host opened, or a file in the executable.
//!
//! The functions are those of `sys::fs`, by the same names and with the same meanings. Embedded
//! files cannot be changed: whatever would gives `ROFS`.

use super::embed::{self, Reader};
use crate::errno::Errno;
use crate::sys::types::{Advice, Buffer, FdFlags, FileType, Open, Stat, TimeChange, Visit, Whence};
use crate::sys::{Result, fs};
use core::ffi::CStr;
use core::sync::atomic::{AtomicU64, Ordering};

/// Something open.
#[derive(Debug)]
pub enum Handle {
    /// What the host opened.
    Host(fs::Handle),
    /// A file or directory in the executable.
    Embedded(Embedded),
}

/// An embedded file or directory that is open.
#[derive(Debug)]
pub struct Embedded {
    node: u32,
    flags: FdFlags,
    position: AtomicU64,
}

impl Embedded {
    const fn new(node: u32, flags: FdFlags) -> Self {
        Self { node, flags, position: AtomicU64::new(0) }
    }

    /// Its attributes.
    fn stat(&self) -> Result<Stat> {
        (reader()?.stat)(self.node)
    }

    /// The node of a name in it.
    fn find(&self, name: &CStr) -> Result<u32> {
        (reader()?.find)(self.node, name)
    }

    /// Opens a name in it. A link is not followed.
    fn open(&self, name: &CStr, how: &Open) -> Result<Self> {
        let node = self.find(name)?;
        if how.exclusive && how.create {
            return Err(Errno::EXIST);
        }
        match (reader()?.stat)(node)?.file_type {
            FileType::SymbolicLink => Err(Errno::LOOP),
            FileType::Directory if how.write => Err(Errno::ISDIR),
            FileType::RegularFile if how.directory => Err(Errno::NOTDIR),
            FileType::RegularFile if how.write || how.truncate => Err(Errno::ROFS),
            _ => Ok(Self::new(node, how.flags)),
        }
    }

    /// Reads from the position and moves it. Each byte goes to one of the threads that read.
    fn read(&self, buffers: &[Buffer<'_>]) -> Result<usize> {
        let wanted: usize = buffers.iter().map(Buffer::length).sum();
        let size = self.stat()?.size;
        let end = |start: u64| start.saturating_add(wanted as u64).min(size.max(start));
        let order = Ordering::Relaxed;
        let moved = self.position.fetch_update(order, order, |start| Some(end(start)));
        (reader()?.read)(self.node, buffers, moved.unwrap_or_else(|start| start))
    }

    /// Bytes between the position and the end.
    pub fn left(&self) -> Result<u64> {
        let position = self.position.load(Ordering::Relaxed);
        Ok(self.stat()?.size.saturating_sub(position))
    }

    fn seek(&self, offset: i64, whence: Whence) -> Result<u64> {
        let size = self.stat()?.size;
        let target = |position: u64| {
            let from = match whence {
                Whence::Start => 0,
                Whence::Current => position,
                Whence::End => size,
            };
            from.checked_add_signed(offset).filter(|to| i64::try_from(*to).is_ok())
        };
        let order = Ordering::Relaxed;
        let before = self.position.fetch_update(order, order, target);
        before.ok().and_then(target).ok_or(Errno::INVAL)
    }
}

/// By what an embedded file is read: it is there where a handle is.
fn reader() -> Result<&'static Reader> {
    embed::reader().ok_or(Errno::BADF)
}

/// The embedded trees, with the names that the program knows them by.
pub fn roots() -> impl Iterator<Item = (Handle, &'static [u8])> {
    let reader = embed::reader();
    (0..).map_while(move |number| {
        let name = (reader?.root)(number)?;
        Some((Handle::Embedded(Embedded::new(number, FdFlags::default())), name))
    })
}

/// What the host opened, to change it: nothing embedded can be.
pub fn host(handle: &Handle) -> Result<&fs::Handle> {
    match handle {
        Handle::Host(host) => Ok(host),
        Handle::Embedded(_) => Err(Errno::ROFS),
    }
}

/// Functions that only read: what the host does, and what is done with an embedded file.
macro_rules! reading {
    ($($name:ident($($parameter:ident: $type:ty),*) -> $result:ty, |$embedded:ident| $body:expr;)*) => {$(
        /// See [`contract`](crate::sys).
        pub fn $name(handle: &Handle $(, $parameter: $type)*) -> $result {
            match handle {
                Handle::Host(host) => fs::$name(host $(, $parameter)*),
                Handle::Embedded($embedded) => $body,
            }
        }
    )*};
}

reading! {
    read(buffers: &[Buffer<'_>]) -> Result<usize>, |file| file.read(buffers);
    read_at(buffers: &[Buffer<'_>], offset: u64) -> Result<usize>,
        |file| (reader()?.read)(file.node, buffers, offset);
    seek(offset: i64, whence: Whence) -> Result<u64>, |file| file.seek(offset, whence);
    stat() -> Result<Stat>, |file| file.stat();
    stat_at(name: &CStr) -> Result<Stat>, |directory| (reader()?.stat)(directory.find(name)?);
    flags() -> Result<FdFlags>, |file| Ok(file.flags);
    is_terminal() -> bool, |_file| false;
    advise(offset: u64, length: u64, advice: Advice) -> Result<()>, |_file| Ok(());
    sync() -> Result<()>, |_file| Ok(());
    sync_data() -> Result<()>, |_file| Ok(());
}

/// Functions that change something.
macro_rules! changing {
    ($($name:ident($($parameter:ident: $type:ty),*) -> $result:ty;)*) => {$(
        /// See [`contract`](crate::sys).
        pub fn $name(handle: &Handle $(, $parameter: $type)*) -> Result<$result> {
            fs::$name(host(handle)? $(, $parameter)*)
        }
    )*};
}

changing! {
    write(buffers: &[Buffer<'_>]) -> usize;
    write_at(buffers: &[Buffer<'_>], offset: u64) -> usize;
    set_size(size: u64) -> ();
    set_times(accessed: TimeChange, modified: TimeChange) -> ();
    set_times_at(name: &CStr, accessed: TimeChange, modified: TimeChange) -> ();
    allocate(offset: u64, length: u64) -> ();
    create_directory_at(name: &CStr) -> ();
    remove_directory_at(name: &CStr) -> ();
    unlink_file_at(name: &CStr) -> ();
}

/// See [`contract`](crate::sys).
pub fn open_at(directory: &Handle, name: &CStr, how: &Open) -> Result<Handle> {
    match directory {
        Handle::Host(directory) => fs::open_at(directory, name, how).map(Handle::Host),
        Handle::Embedded(directory) => directory.open(name, how).map(Handle::Embedded),
    }
}

/// See [`contract`](crate::sys). Embedded directories are walked.
pub fn open_beneath(base: &Handle, path: &CStr) -> Result<Option<Handle>> {
    match base {
        Handle::Host(base) => Ok(fs::open_beneath(base, path)?.map(Handle::Host)),
        Handle::Embedded(_) => Ok(None),
    }
}

/// See [`contract`](crate::sys).
pub fn close(handle: Handle) -> Result<()> {
    match handle {
        Handle::Host(host) => fs::close(host),
        Handle::Embedded(_) => Ok(()),
    }
}

/// See [`contract`](crate::sys).
pub fn set_flags(handle: &mut Handle, flags: FdFlags) -> Result<()> {
    const CHANGEABLE: u16 = FdFlags::APPEND | FdFlags::NONBLOCK;
    match handle {
        Handle::Host(host) => fs::set_flags(host, flags),
        Handle::Embedded(file) if (file.flags.0 ^ flags.0) & !CHANGEABLE != 0 => Err(Errno::NOTSUP),
        Handle::Embedded(file) => {
            file.flags = flags;
            Ok(())
        }
    }
}

/// See [`contract`](crate::sys).
pub fn read_directory(handle: &mut Handle, cookie: u64, visit: Visit<'_>) -> Result<()> {
    match handle {
        Handle::Host(host) => fs::read_directory(host, cookie, visit),
        Handle::Embedded(directory) => (reader()?.list)(directory.node, cookie, visit),
    }
}

/// See [`contract`](crate::sys).
pub fn read_link_at(directory: &Handle, name: &CStr, text: &mut [u8]) -> Result<usize> {
    let directory = match directory {
        Handle::Host(directory) => return fs::read_link_at(directory, name, text),
        Handle::Embedded(directory) => directory,
    };
    let link = (reader()?.link)(directory.find(name)?)?;
    let count = link.len().min(text.len());
    for (place, byte) in text.iter_mut().zip(link) {
        *place = *byte;
    }
    Ok(count)
}

/// See [`contract`](crate::sys).
pub fn rename_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    fs::rename_at(host(from)?, old, host(to)?, new)
}

/// See [`contract`](crate::sys).
pub fn link_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    fs::link_at(host(from)?, old, host(to)?, new)
}

/// See [`contract`](crate::sys).
pub fn symlink_at(target: &CStr, directory: &Handle, name: &CStr) -> Result<()> {
    fs::symlink_at(target, host(directory)?, name)
}
