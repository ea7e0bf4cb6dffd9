//! Files, directories and streams.

use super::directory::Reader;
pub use super::directory::read_directory;
use super::errno::translate;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::posix::nanoseconds;
use crate::sys::types::{Advice, Buffer, FdFlags, FileType, Open, Stat, TimeChange, Whence};
use core::ffi::CStr;
use core::mem::ManuallyDrop;
use core::num::NonZeroU64;
use core::sync::atomic::{AtomicBool, Ordering};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use rustix::fs::{
    self as host, AtFlags, FallocateFlags, Mode, OFlags, ResolveFlags, SeekFrom, Timestamps,
    UTIME_NOW, UTIME_OMIT,
};
use rustix::io::{Errno as HostErrno, IoSlice, IoSliceMut};
use rustix::time::Timespec;

/// The standard streams' descriptors lie below this.
const FIRST_OWN: i32 = 3;

/// An open file, directory or stream.
#[derive(Debug)]
pub struct Handle {
    pub(super) fd: ManuallyDrop<OwnedFd>,
    /// Of a directory that was read.
    pub(super) reader: Option<Reader>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.fd.as_raw_fd() >= FIRST_OWN {
            // SAFETY: the descriptor is taken once, here.
            drop(unsafe { ManuallyDrop::take(&mut self.fd) });
        }
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Handle {
    /// Owns what the kernel just opened. A descriptor that took the place of a closed standard
    /// stream is moved away from it.
    pub(super) fn new(mut fd: OwnedFd) -> Result<Self> {
        if fd.as_raw_fd() < FIRST_OWN {
            fd = rustix::io::fcntl_dupfd_cloexec(&fd, FIRST_OWN).map_err(translate)?;
        }
        Ok(Self { fd: ManuallyDrop::new(fd), reader: None })
    }
}

/// Makes a call again as long as a signal interrupts it.
pub(super) fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(HostErrno::INTR) => {}
            result => return result.map_err(translate),
        }
    }
}

/// See [`contract`](crate::sys).
pub fn standard_stream(number: u32) -> Option<Handle> {
    if number >= FIRST_OWN as u32 {
        return None;
    }
    // SAFETY: these three are never closed, and calls on one that is not open just fail.
    let fd = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number as i32) });
    Some(Handle { fd, reader: None })
}

/// See [`contract`](crate::sys).
pub fn open_preopen(path: &CStr) -> Result<Handle> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Handle::new(retry(|| host::open(path, flags, Mode::empty()))?)
}

/// See [`contract`](crate::sys).
pub fn create_preopen(path: &CStr) {
    let _ = host::mkdir(path, Mode::RWXU);
}

/// See [`contract`](crate::sys).
pub fn is_own(directory: &Handle) -> Result<bool> {
    let owner = host::fstat(directory).map_err(translate)?.st_uid;
    Ok(owner == rustix::process::geteuid().as_raw())
}

/// See [`contract`](crate::sys).
pub fn open_at(directory: &Handle, name: &CStr, how: &Open) -> Result<Handle> {
    let mut flags = OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NOCTTY | open_flags(how.flags);
    flags |= match (how.read, how.write) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (false, false) if how.directory => OFlags::PATH,
        (_, false) => OFlags::RDONLY,
    };
    flags.set(OFlags::CREATE, how.create);
    flags.set(OFlags::EXCL, how.exclusive);
    flags.set(OFlags::TRUNC, how.truncate);
    flags.set(OFlags::DIRECTORY, how.directory);
    Handle::new(retry(|| host::openat(directory, name, flags, Mode::from_raw_mode(0o666)))?)
}

/// The kernel has no `openat2`, or a filter of system calls keeps it away.
static LACKS_OPENAT2: AtomicBool = AtomicBool::new(false);

/// See [`contract`](crate::sys).
pub fn open_beneath(base: &Handle, path: &CStr) -> Result<Option<Handle>> {
    if LACKS_OPENAT2.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match host::openat2(base, path, flags, Mode::empty(), resolve) {
        Ok(directory) => Handle::new(directory).map(Some),
        Err(error @ (HostErrno::NOENT | HostErrno::NOTDIR | HostErrno::ACCESS)) => {
            Err(translate(error))
        }
        Err(HostErrno::NOSYS | HostErrno::PERM | HostErrno::INVAL | HostErrno::TOOBIG) => {
            LACKS_OPENAT2.store(true, Ordering::Relaxed);
            Ok(None)
        }
        // XDEV for what leads out, AGAIN where names moved meanwhile, INTR, and so on.
        Err(_) => Ok(None),
    }
}

/// The kernel's flags for those of WASI.
fn open_flags(flags: FdFlags) -> OFlags {
    let mut host = OFlags::empty();
    host.set(OFlags::APPEND, flags.has(FdFlags::APPEND));
    host.set(OFlags::NONBLOCK, flags.has(FdFlags::NONBLOCK));
    host.set(OFlags::DSYNC, flags.has(FdFlags::DSYNC));
    if flags.has(FdFlags::SYNC) || flags.has(FdFlags::RSYNC) {
        host |= OFlags::SYNC;
    }
    host
}

/// See [`contract`](crate::sys).
pub fn close(mut handle: Handle) -> Result<()> {
    drop(handle.reader.take());
    // SAFETY: the handle is forgotten, so its descriptor is taken once.
    let fd = unsafe { ManuallyDrop::take(&mut handle.fd) }.into_raw_fd();
    core::mem::forget(handle);
    if fd < FIRST_OWN {
        return Ok(());
    }
    // SAFETY: nothing else owns the descriptor. The kernel has closed it whatever it says.
    match unsafe { rustix::io::try_close(fd) } {
        Ok(()) | Err(HostErrno::INTR) => Ok(()),
        Err(error) => Err(translate(error)),
    }
}

/// Buffers in the form that the kernel writes from.
fn sources<'a>(buffers: &'a [Buffer<'a>]) -> &'a [IoSlice<'a>] {
    // SAFETY: both are a `struct iovec`, and the memory can be read.
    unsafe { core::slice::from_raw_parts(buffers.as_ptr().cast(), buffers.len()) }
}

/// Buffers in the form that the kernel reads into.
pub(super) fn destinations<'a>(buffers: &[Buffer<'a>]) -> &'a mut [IoSliceMut<'a>] {
    // SAFETY: both are a `struct iovec`; the kernel call changes no record, only the memory that
    // they name, which nothing else uses meanwhile.
    unsafe { core::slice::from_raw_parts_mut(buffers.as_ptr().cast_mut().cast(), buffers.len()) }
}

/// See [`contract`](crate::sys).
pub fn read(handle: &Handle, buffers: &[Buffer<'_>]) -> Result<usize> {
    match destinations(buffers) {
        [only] => retry(|| rustix::io::read(handle, only.as_mut_slice())),
        several => retry(|| rustix::io::readv(handle, several)),
    }
}

/// See [`contract`](crate::sys).
pub fn read_at(handle: &Handle, buffers: &[Buffer<'_>], offset: u64) -> Result<usize> {
    retry(|| rustix::io::preadv(handle, destinations(buffers), offset))
}

/// See [`contract`](crate::sys).
pub fn write(handle: &Handle, buffers: &[Buffer<'_>]) -> Result<usize> {
    match sources(buffers) {
        [only] => retry(|| rustix::io::write(handle, only.as_slice())),
        several => retry(|| rustix::io::writev(handle, several)),
    }
}

/// See [`contract`](crate::sys).
pub fn write_at(handle: &Handle, buffers: &[Buffer<'_>], offset: u64) -> Result<usize> {
    retry(|| rustix::io::pwritev(handle, sources(buffers), offset))
}

/// See [`contract`](crate::sys).
pub fn seek(handle: &Handle, offset: i64, whence: Whence) -> Result<u64> {
    let position = match whence {
        Whence::Start => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::INVAL)?),
        Whence::Current => SeekFrom::Current(offset),
        Whence::End => SeekFrom::End(offset),
    };
    host::seek(handle, position).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn stat(handle: &Handle) -> Result<Stat> {
    describe(&host::fstat(handle).map_err(translate)?)
}

/// See [`contract`](crate::sys).
pub fn stat_at(directory: &Handle, name: &CStr) -> Result<Stat> {
    describe(&host::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(translate)?)
}

#[allow(clippy::useless_conversion, reason = "on arm64 the number of links is narrower")]
fn describe(stat: &host::Stat) -> Result<Stat> {
    let time = |seconds, rest: u64| nanoseconds(seconds, rest as i64);
    Ok(Stat {
        device: stat.st_dev,
        inode: stat.st_ino,
        file_type: file_type(host::FileType::from_raw_mode(stat.st_mode)),
        links: u64::from(stat.st_nlink),
        size: stat.st_size as u64,
        accessed: time(stat.st_atime, stat.st_atime_nsec).unwrap_or(0),
        modified: time(stat.st_mtime, stat.st_mtime_nsec).unwrap_or(0),
        changed: time(stat.st_ctime, stat.st_ctime_nsec).unwrap_or(0),
    })
}

fn file_type(file_type: host::FileType) -> FileType {
    match file_type {
        host::FileType::RegularFile => FileType::RegularFile,
        host::FileType::Directory => FileType::Directory,
        host::FileType::Symlink => FileType::SymbolicLink,
        host::FileType::CharacterDevice => FileType::CharacterDevice,
        host::FileType::BlockDevice => FileType::BlockDevice,
        host::FileType::Socket => FileType::SocketStream,
        host::FileType::Fifo | host::FileType::Unknown => FileType::Unknown,
    }
}

/// See [`contract`](crate::sys).
pub fn flags(handle: &Handle) -> Result<FdFlags> {
    let host = host::fcntl_getfl(handle).map_err(translate)?;
    let mut flags = 0;
    for (theirs, ours) in [
        (OFlags::APPEND, FdFlags::APPEND),
        (OFlags::NONBLOCK, FdFlags::NONBLOCK),
        (OFlags::DSYNC, FdFlags::DSYNC),
        (OFlags::SYNC, FdFlags::SYNC),
    ] {
        if host.contains(theirs) {
            flags |= ours;
        }
    }
    Ok(FdFlags(flags))
}

/// See [`contract`](crate::sys).
pub fn set_flags(handle: &mut Handle, flags: FdFlags) -> Result<()> {
    let wanted = open_flags(flags);
    let settable = OFlags::APPEND | OFlags::NONBLOCK;
    let present = host::fcntl_getfl(&*handle).map_err(translate)?;
    let fixed = OFlags::SYNC | OFlags::DSYNC;
    if present & fixed != wanted & fixed {
        return Err(Errno::NOTSUP);
    }
    let flags = (present - settable) | (wanted & settable);
    host::fcntl_setfl(&*handle, flags).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn is_terminal(handle: &Handle) -> bool {
    rustix::termios::isatty(handle)
}

/// See [`contract`](crate::sys).
pub fn set_size(handle: &Handle, size: u64) -> Result<()> {
    retry(|| host::ftruncate(handle, size))
}

/// See [`contract`](crate::sys).
pub fn set_times(handle: &Handle, accessed: TimeChange, modified: TimeChange) -> Result<()> {
    host::futimens(handle, &timestamps(accessed, modified)).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn set_times_at(
    directory: &Handle,
    name: &CStr,
    accessed: TimeChange,
    modified: TimeChange,
) -> Result<()> {
    let times = timestamps(accessed, modified);
    host::utimensat(directory, name, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(translate)
}

fn timestamps(accessed: TimeChange, modified: TimeChange) -> Timestamps {
    let timespec = |change| match change {
        TimeChange::Keep => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        TimeChange::Now => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        TimeChange::At(nanoseconds) => Timespec {
            tv_sec: (nanoseconds / 1_000_000_000) as i64,
            tv_nsec: (nanoseconds % 1_000_000_000) as i64,
        },
    };
    Timestamps { last_access: timespec(accessed), last_modification: timespec(modified) }
}

/// See [`contract`](crate::sys).
pub fn allocate(handle: &Handle, offset: u64, length: u64) -> Result<()> {
    retry(|| host::fallocate(handle, FallocateFlags::empty(), offset, length))
}

/// See [`contract`](crate::sys).
pub fn advise(handle: &Handle, offset: u64, length: u64, advice: Advice) -> Result<()> {
    let advice = match advice {
        Advice::Normal => host::Advice::Normal,
        Advice::Sequential => host::Advice::Sequential,
        Advice::Random => host::Advice::Random,
        Advice::WillNeed => host::Advice::WillNeed,
        Advice::DontNeed => host::Advice::DontNeed,
        Advice::NoReuse => host::Advice::NoReuse,
    };
    host::fadvise(handle, offset, NonZeroU64::new(length), advice).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn sync(handle: &Handle) -> Result<()> {
    retry(|| host::fsync(handle))
}

/// See [`contract`](crate::sys).
pub fn sync_data(handle: &Handle) -> Result<()> {
    retry(|| host::fdatasync(handle))
}

/// See [`contract`](crate::sys).
pub fn create_directory_at(directory: &Handle, name: &CStr) -> Result<()> {
    host::mkdirat(directory, name, Mode::from_raw_mode(0o777)).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn remove_directory_at(directory: &Handle, name: &CStr) -> Result<()> {
    host::unlinkat(directory, name, AtFlags::REMOVEDIR).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn unlink_file_at(directory: &Handle, name: &CStr) -> Result<()> {
    host::unlinkat(directory, name, AtFlags::empty()).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn rename_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    host::renameat(from, old, to, new).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn link_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    host::linkat(from, old, to, new, AtFlags::empty()).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn symlink_at(target: &CStr, directory: &Handle, name: &CStr) -> Result<()> {
    host::symlinkat(target, directory, name).map_err(translate)
}

/// See [`contract`](crate::sys).
pub fn read_link_at(directory: &Handle, name: &CStr, text: &mut [u8]) -> Result<usize> {
    host::readlinkat_raw(directory, name, text).map_err(translate)
}
