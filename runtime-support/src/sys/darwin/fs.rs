//! Files and streams; directories are read in [`directory`].

use super::directory::Reader;
use super::errno::{check, last, was_interrupted};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::posix::nanoseconds;
use crate::sys::types::{Advice, Buffer, FdFlags, FileType, Open, Stat, TimeChange, Whence};
use core::ffi::{CStr, c_int};
use core::mem::MaybeUninit;
use libc::{AT_SYMLINK_NOFOLLOW, iovec, timespec};

pub use super::directory::read_directory;

/// The standard streams' descriptors lie below this.
const FIRST_OWN: c_int = 3;

/// An open file, directory or stream.
#[derive(Debug)]
pub struct Handle {
    descriptor: c_int,
    /// How far the entries of a directory were read, once they were.
    pub(super) reader: Option<Reader>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.descriptor >= FIRST_OWN {
            // SAFETY: nothing else owns the descriptor.
            unsafe { libc::close(self.descriptor) };
        }
    }
}

impl Handle {
    /// The descriptor that the system knows it by.
    pub(super) fn descriptor(&self) -> c_int {
        self.descriptor
    }

    /// Owns what the system just opened. A descriptor that took the place of a closed standard
    /// stream is moved away from it.
    pub(super) fn new(descriptor: c_int) -> Result<Self> {
        if descriptor >= FIRST_OWN {
            return Ok(Self { descriptor, reader: None });
        }
        // SAFETY: no memory is involved, and nothing else owns the descriptor.
        let moved = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, FIRST_OWN) };
        let moved = check(moved);
        // SAFETY: as above.
        unsafe { libc::close(descriptor) };
        Ok(Self { descriptor: moved?, reader: None })
    }
}

/// Makes a call again as long as a signal interrupts it; gives its result, which is not negative.
pub(super) fn retry(mut call: impl FnMut() -> isize) -> Result<usize> {
    loop {
        match usize::try_from(call()) {
            Ok(result) => return Ok(result),
            Err(_) if was_interrupted() => {}
            Err(_) => return Err(last()),
        }
    }
}

/// See [`contract`](crate::sys).
pub fn standard_stream(number: u32) -> Option<Handle> {
    let descriptor = c_int::try_from(number).ok()?;
    (descriptor < FIRST_OWN).then_some(Handle { descriptor, reader: None })
}

/// See [`contract`](crate::sys).
pub fn open_preopen(path: &CStr) -> Result<Handle> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path ends in NUL.
    Handle::new(retry(|| unsafe { libc::open(path.as_ptr(), flags) } as isize)? as c_int)
}

/// See [`contract`](crate::sys).
pub fn create_preopen(path: &CStr) {
    // SAFETY: the path ends in NUL.
    unsafe { libc::mkdirat(libc::AT_FDCWD, path.as_ptr(), 0o700) };
}

/// See [`contract`](crate::sys).
pub fn is_own(directory: &Handle) -> Result<bool> {
    let mut stat = MaybeUninit::uninit();
    // SAFETY: the call writes one record, unless it fails.
    unsafe {
        check(libc::fstat(directory.descriptor, stat.as_mut_ptr()))?;
        Ok(stat.assume_init_ref().st_uid == libc::geteuid())
    }
}

/// See [`contract`](crate::sys).
pub fn open_at(directory: &Handle, name: &CStr, how: &Open) -> Result<Handle> {
    let mut flags = libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NOCTTY;
    flags |= match (how.read, how.write) {
        (true, true) => libc::O_RDWR,
        (false, true) => libc::O_WRONLY,
        (_, false) => libc::O_RDONLY,
    };
    for (asked, flag) in [
        (how.create, libc::O_CREAT),
        (how.exclusive, libc::O_EXCL),
        (how.truncate, libc::O_TRUNC),
        (how.directory, libc::O_DIRECTORY),
    ] {
        flags |= if asked { flag } else { 0 };
    }
    flags |= open_flags(how.flags);
    let mode: c_int = 0o666;
    // SAFETY: the name ends in NUL.
    let open =
        || unsafe { libc::openat(directory.descriptor, name.as_ptr(), flags, mode) as isize };
    Handle::new(retry(open)? as c_int)
}

/// See [`contract`](crate::sys). macOS 11 has no such call.
pub fn open_beneath(_: &Handle, _: &CStr) -> Result<Option<Handle>> {
    Ok(None)
}

/// The system's flags for those of WASI.
fn open_flags(flags: FdFlags) -> c_int {
    FLAGS.iter().filter(|&&(ours, _)| flags.has(ours)).fold(0, |all, &(_, theirs)| all | theirs)
}

/// WASI's flags and the system's.
const FLAGS: [(u16, c_int); 5] = [
    (FdFlags::APPEND, libc::O_APPEND),
    (FdFlags::NONBLOCK, libc::O_NONBLOCK),
    (FdFlags::DSYNC, libc::O_DSYNC),
    (FdFlags::SYNC, libc::O_SYNC),
    (FdFlags::RSYNC, libc::O_SYNC),
];

/// See [`contract`](crate::sys).
pub fn close(handle: Handle) -> Result<()> {
    let descriptor = handle.descriptor;
    let mut handle = core::mem::ManuallyDrop::new(handle);
    drop(handle.reader.take());
    if descriptor < FIRST_OWN {
        return Ok(());
    }
    // SAFETY: nothing else owns the descriptor, and the handle is not dropped.
    match unsafe { libc::close(descriptor) } {
        0 => Ok(()),
        _ if was_interrupted() => Ok(()),
        _ => Err(last()),
    }
}

/// Buffers as the system's records, which have the same layout.
fn records(buffers: &[Buffer<'_>]) -> (*const iovec, c_int) {
    (buffers.as_ptr().cast(), buffers.len() as c_int)
}

/// See [`contract`](crate::sys).
pub fn read(handle: &Handle, buffers: &[Buffer<'_>]) -> Result<usize> {
    let (records, count) = records(buffers);
    if count == 0 {
        return Ok(0);
    }
    // SAFETY: the buffers can be written.
    retry(|| unsafe { libc::readv(handle.descriptor, records, count) })
}

/// See [`contract`](crate::sys).
pub fn read_at(handle: &Handle, buffers: &[Buffer<'_>], offset: u64) -> Result<usize> {
    let (records, count) = records(buffers);
    let offset = i64::try_from(offset).map_err(|_| Errno::INVAL)?;
    if count == 0 {
        return Ok(0);
    }
    // SAFETY: the buffers can be written.
    retry(|| unsafe { libc::preadv(handle.descriptor, records, count, offset) })
}

/// See [`contract`](crate::sys).
pub fn write(handle: &Handle, buffers: &[Buffer<'_>]) -> Result<usize> {
    let (records, count) = records(buffers);
    if count == 0 {
        return Ok(0);
    }
    // SAFETY: the buffers can be read.
    retry(|| unsafe { libc::writev(handle.descriptor, records, count) })
}

/// See [`contract`](crate::sys).
pub fn write_at(handle: &Handle, buffers: &[Buffer<'_>], offset: u64) -> Result<usize> {
    let (records, count) = records(buffers);
    let offset = i64::try_from(offset).map_err(|_| Errno::INVAL)?;
    if count == 0 {
        return Ok(0);
    }
    // SAFETY: the buffers can be read.
    retry(|| unsafe { libc::pwritev(handle.descriptor, records, count, offset) })
}

/// See [`contract`](crate::sys).
pub fn seek(handle: &Handle, offset: i64, whence: Whence) -> Result<u64> {
    let whence = match whence {
        Whence::Start => libc::SEEK_SET,
        Whence::Current => libc::SEEK_CUR,
        Whence::End => libc::SEEK_END,
    };
    // SAFETY: no memory is involved.
    let position = unsafe { libc::lseek(handle.descriptor, offset, whence) };
    u64::try_from(position).map_err(|_| last())
}

/// See [`contract`](crate::sys).
pub fn stat(handle: &Handle) -> Result<Stat> {
    let mut stat = MaybeUninit::uninit();
    // SAFETY: the call writes one record, unless it fails.
    unsafe {
        check(libc::fstat(handle.descriptor, stat.as_mut_ptr()))?;
        Ok(describe(stat.assume_init_ref()))
    }
}

/// See [`contract`](crate::sys).
pub fn stat_at(directory: &Handle, name: &CStr) -> Result<Stat> {
    let mut stat = MaybeUninit::uninit();
    let (directory, name) = (directory.descriptor, name.as_ptr());
    // SAFETY: the name ends in NUL; the call writes one record, unless it fails.
    unsafe {
        check(libc::fstatat(directory, name, stat.as_mut_ptr(), AT_SYMLINK_NOFOLLOW))?;
        Ok(describe(stat.assume_init_ref()))
    }
}

fn describe(stat: &libc::stat) -> Stat {
    Stat {
        device: stat.st_dev as u64,
        inode: stat.st_ino,
        file_type: match stat.st_mode & libc::S_IFMT {
            libc::S_IFREG => FileType::RegularFile,
            libc::S_IFDIR => FileType::Directory,
            libc::S_IFLNK => FileType::SymbolicLink,
            libc::S_IFCHR => FileType::CharacterDevice,
            libc::S_IFBLK => FileType::BlockDevice,
            libc::S_IFSOCK => FileType::SocketStream,
            _ => FileType::Unknown,
        },
        links: stat.st_nlink.into(),
        size: stat.st_size as u64,
        accessed: nanoseconds(stat.st_atime, stat.st_atime_nsec).unwrap_or(0),
        modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec).unwrap_or(0),
        changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec).unwrap_or(0),
    }
}

/// The status flags of an open file.
fn status(handle: &Handle) -> Result<c_int> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::fcntl(handle.descriptor, libc::F_GETFL) })
}

/// See [`contract`](crate::sys).
pub fn flags(handle: &Handle) -> Result<FdFlags> {
    let status = status(handle)?;
    let mut flags = FdFlags::default();
    for (ours, theirs) in FLAGS {
        if status & theirs == theirs && ours != FdFlags::RSYNC {
            flags.0 |= ours;
        }
    }
    Ok(flags)
}

/// See [`contract`](crate::sys).
pub fn set_flags(handle: &mut Handle, flags: FdFlags) -> Result<()> {
    const SETTABLE: c_int = libc::O_APPEND | libc::O_NONBLOCK;
    const FIXED: c_int = libc::O_SYNC | libc::O_DSYNC;
    let (present, wanted) = (status(handle)?, open_flags(flags));
    if present & FIXED != wanted & FIXED {
        return Err(Errno::NOTSUP);
    }
    let flags = present & !SETTABLE | wanted & SETTABLE;
    // SAFETY: no memory is involved.
    check(unsafe { libc::fcntl(handle.descriptor, libc::F_SETFL, flags) }).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn is_terminal(handle: &Handle) -> bool {
    // SAFETY: no memory is involved.
    unsafe { libc::isatty(handle.descriptor) == 1 }
}

/// See [`contract`](crate::sys).
pub fn set_size(handle: &Handle, size: u64) -> Result<()> {
    let size = i64::try_from(size).map_err(|_| Errno::INVAL)?;
    // SAFETY: no memory is involved.
    retry(|| unsafe { libc::ftruncate(handle.descriptor, size) } as isize).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn set_times(handle: &Handle, accessed: TimeChange, modified: TimeChange) -> Result<()> {
    let times = [accessed, modified].map(change);
    // SAFETY: two records lie there.
    check(unsafe { libc::futimens(handle.descriptor, times.as_ptr()) }).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn set_times_at(
    directory: &Handle,
    name: &CStr,
    accessed: TimeChange,
    modified: TimeChange,
) -> Result<()> {
    let times = [accessed, modified].map(change);
    let (directory, name) = (directory.descriptor, name.as_ptr());
    // SAFETY: the name ends in NUL; two records lie there.
    check(unsafe { libc::utimensat(directory, name, times.as_ptr(), AT_SYMLINK_NOFOLLOW) })
        .map(|_| ())
}

fn change(change: TimeChange) -> timespec {
    match change {
        TimeChange::Keep => timespec { tv_sec: 0, tv_nsec: libc::UTIME_OMIT },
        TimeChange::Now => timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW },
        TimeChange::At(nanoseconds) => timespec {
            tv_sec: (nanoseconds / 1_000_000_000) as i64,
            tv_nsec: (nanoseconds % 1_000_000_000) as i64,
        },
    }
}

/// See [`contract`](crate::sys).
pub fn allocate(handle: &Handle, offset: u64, length: u64) -> Result<()> {
    let end = offset.checked_add(length).and_then(|end| i64::try_from(end).ok());
    let end = end.ok_or(Errno::FBIG)?;
    let size = stat(handle)?.size as i64;
    if end <= size {
        return Ok(());
    }
    let mut room = libc::fstore_t {
        fst_flags: libc::F_ALLOCATEALL,
        fst_posmode: libc::F_PEOFPOSMODE,
        fst_offset: 0,
        fst_length: end - size,
        fst_bytesalloc: 0,
    };
    // SAFETY: the call reads and writes one record.
    check(unsafe { libc::fcntl(handle.descriptor, libc::F_PREALLOCATE, &raw mut room) })?;
    set_size(handle, end as u64)
}

/// See [`contract`](crate::sys). The system only knows of ranges that will be read soon.
pub fn advise(handle: &Handle, offset: u64, length: u64, advice: Advice) -> Result<()> {
    if advice == Advice::WillNeed {
        let mut range = libc::radvisory {
            ra_offset: i64::try_from(offset).map_err(|_| Errno::INVAL)?,
            ra_count: c_int::try_from(length).unwrap_or(c_int::MAX),
        };
        // SAFETY: the call reads one record. Advice that is not taken is no error.
        unsafe { libc::fcntl(handle.descriptor, libc::F_RDADVISE, &raw mut range) };
    }
    Ok(())
}

/// See [`contract`](crate::sys). Only F_FULLFSYNC makes the drive store what it was sent; where a
/// file system does not know it, `fsync` does what there is to do.
pub fn sync(handle: &Handle) -> Result<()> {
    // SAFETY: no memory is involved.
    unsafe {
        if libc::fcntl(handle.descriptor, libc::F_FULLFSYNC) == 0 {
            return Ok(());
        }
        retry(|| libc::fsync(handle.descriptor) as isize).map(|_| ())
    }
}

/// See [`contract`](crate::sys).
pub fn sync_data(handle: &Handle) -> Result<()> {
    sync(handle)
}

/// See [`contract`](crate::sys).
pub fn create_directory_at(directory: &Handle, name: &CStr) -> Result<()> {
    // SAFETY: the name ends in NUL.
    check(unsafe { libc::mkdirat(directory.descriptor, name.as_ptr(), 0o777) }).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn remove_directory_at(directory: &Handle, name: &CStr) -> Result<()> {
    let flag = libc::AT_REMOVEDIR;
    // SAFETY: the name ends in NUL.
    check(unsafe { libc::unlinkat(directory.descriptor, name.as_ptr(), flag) }).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn unlink_file_at(directory: &Handle, name: &CStr) -> Result<()> {
    // SAFETY: the name ends in NUL.
    match check(unsafe { libc::unlinkat(directory.descriptor, name.as_ptr(), 0) }) {
        // This is what the system says of a directory.
        Err(Errno::PERM) => match stat_at(directory, name) {
            Ok(Stat { file_type: FileType::Directory, .. }) => Err(Errno::ISDIR),
            _ => Err(Errno::PERM),
        },
        result => result.map(|_| ()),
    }
}

/// See [`contract`](crate::sys).
pub fn rename_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    let (from, to) = (from.descriptor, to.descriptor);
    // SAFETY: both names end in NUL.
    check(unsafe { libc::renameat(from, old.as_ptr(), to, new.as_ptr()) }).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn link_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    let (from, to) = (from.descriptor, to.descriptor);
    // SAFETY: both names end in NUL.
    check(unsafe { libc::linkat(from, old.as_ptr(), to, new.as_ptr(), 0) }).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn symlink_at(target: &CStr, directory: &Handle, name: &CStr) -> Result<()> {
    let directory = directory.descriptor;
    // SAFETY: text and name end in NUL.
    check(unsafe { libc::symlinkat(target.as_ptr(), directory, name.as_ptr()) }).map(|_| ())
}

/// See [`contract`](crate::sys).
pub fn read_link_at(directory: &Handle, name: &CStr, text: &mut [u8]) -> Result<usize> {
    let (directory, name) = (directory.descriptor, name.as_ptr());
    // SAFETY: the name ends in NUL; the call writes inside the text.
    retry(|| unsafe { libc::readlinkat(directory, name, text.as_mut_ptr().cast(), text.len()) })
}
