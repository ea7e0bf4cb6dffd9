//! Files, directories and streams.

pub use super::handle::Handle;
pub use super::stream::{read, read_at, write, write_at};

use super::clock;
use super::directory::Listing;
use super::errno::{check, translate};
use super::handle::{Kind, Node, Opening, kind_of};
use super::link;
use super::name::{Name, Purpose};
use super::rename;
use super::socket;
use super::syscall::{
    BasicInformation, CreateDirectoryW, CreateFileW, FILE_CREATE, FILE_DIRECTORY_FILE,
    FILE_FLAG_BACKUP_SEMANTICS, FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_NON_DIRECTORY_FILE,
    FILE_OPEN, FILE_OPEN_IF, FILE_OPEN_REPARSE_POINT, FILE_OVERWRITE, FILE_OVERWRITE_IF,
    FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_SHARE_ALL, FILE_TRAVERSE, FILE_WRITE_ATTRIBUTES,
    FILE_WRITE_THROUGH, GetStdHandle, INVALID_HANDLE, IoStatus, NtFlushBuffersFile,
    NtQueryVolumeInformationFile, OPEN_EXISTING, StandardInformation, VolumeInformation, class,
    status,
};
use super::text;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Advice, FdFlags, FileType, Open, Stat, TimeChange, Visit, Whence};
use core::ffi::CStr;
use core::ptr::{from_mut, null, null_mut};

/// UTF-16 units of the longest path of a preopened directory, its NUL included. Source: "Maximum
/// Path Length Limitation" in the Windows documentation.
const PATH: usize = 32768;

/// See [`contract`](crate::sys).
pub fn standard_stream(number: u32) -> Option<Handle> {
    // `STD_INPUT_HANDLE` is -10, and the others lie below it.
    const STD_INPUT_HANDLE: u32 = -10_i32 as u32;
    if number > 2 {
        return None;
    }
    // SAFETY: the call only reads what the process was given.
    let raw = unsafe { GetStdHandle(STD_INPUT_HANDLE - number) };
    if raw.is_null() || raw == INVALID_HANDLE {
        return None;
    }
    let mut handle = Handle::new(raw, kind_of(raw), FdFlags::default());
    handle.standard = true;
    Some(handle)
}

/// A path for the functions of kernel32: its units, ended by a NUL.
fn units_of(path: &CStr) -> Result<[u16; PATH]> {
    let path = core::str::from_utf8(path.to_bytes()).map_err(|_| Errno::ILSEQ)?;
    let mut units = [0; PATH];
    let (_, room) = units.split_last_mut().ok_or(Errno::NAMETOOLONG)?;
    text::to_utf16(path, room).ok_or(Errno::NAMETOOLONG)?;
    Ok(units)
}

/// See [`contract`](crate::sys). The directories that hold a user's data inherit that nobody else
/// may open them.
pub fn create_preopen(path: &CStr) {
    if let Ok(units) = units_of(path) {
        // SAFETY: the path ends in a NUL.
        unsafe { CreateDirectoryW(units.as_ptr(), null()) };
    }
}

/// See [`contract`](crate::sys). Each user has a folder of their own for temporary files.
pub fn is_own(_: &Handle) -> Result<bool> {
    Ok(true)
}

/// See [`contract`](crate::sys).
pub fn open_preopen(path: &CStr) -> Result<Handle> {
    let units = units_of(path)?;
    // SAFETY: the path ends in a NUL.
    let raw = unsafe {
        CreateFileW(
            units.as_ptr(),
            FILE_READ_DATA | FILE_READ_ATTRIBUTES | FILE_TRAVERSE,
            FILE_SHARE_ALL,
            null(),
            OPEN_EXISTING,
            FILE_FLAG_BACKUP_SEMANTICS,
            null_mut(),
        )
    };
    if raw == INVALID_HANDLE {
        return Err(Errno::NOENT);
    }
    let directory = Handle::new(raw, Kind::Directory, FdFlags::default());
    if directory.node()? == Node::Directory { Ok(directory) } else { Err(Errno::NOTDIR) }
}

/// See [`contract`](crate::sys).
pub fn open_at(directory: &Handle, name: &CStr, how: &Open) -> Result<Handle> {
    let purpose = if how.create { Purpose::Create } else { Purpose::Lookup };
    let name = Name::new(name, purpose)?;
    let mut access = FILE_READ_ATTRIBUTES;
    for (wanted, right) in [
        (how.read, FILE_GENERIC_READ),
        (how.write, FILE_GENERIC_WRITE),
        (how.directory, FILE_TRAVERSE),
    ] {
        if wanted {
            access |= right;
        }
    }
    let disposition = match (how.create, how.exclusive, how.truncate) {
        (true, true, _) => FILE_CREATE,
        (true, false, true) => FILE_OVERWRITE_IF,
        (true, false, false) => FILE_OPEN_IF,
        (false, _, true) => FILE_OVERWRITE,
        (false, _, false) => FILE_OPEN,
    };
    let is_file = how.write || how.create || how.truncate;
    let mut options = match (how.directory, is_file) {
        (true, true) => return Err(Errno::ISDIR),
        (true, false) => FILE_DIRECTORY_FILE,
        (false, true) => FILE_NON_DIRECTORY_FILE,
        (false, false) => 0,
    };
    if how.create && how.exclusive {
        // A link that stands there already is not followed: it exists.
        options |= FILE_OPEN_REPARSE_POINT;
    }
    if how.flags.0 & (FdFlags::DSYNC | FdFlags::RSYNC | FdFlags::SYNC) != 0 {
        options |= FILE_WRITE_THROUGH;
    }
    let mut handle = Opening { access, disposition, options }.at(directory, &name)?;
    handle.flags = how.flags;
    if how.directory || (!is_file && handle.node()? == Node::Directory) {
        handle.kind = Kind::Directory;
    }
    Ok(handle)
}

/// See [`contract`](crate::sys). Windows would go `..` before it looks for links.
pub fn open_beneath(_: &Handle, _: &CStr) -> Result<Option<Handle>> {
    Ok(None)
}

/// See [`contract`](crate::sys).
pub fn close(handle: Handle) -> Result<()> {
    drop(handle);
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn seek(handle: &Handle, offset: i64, whence: Whence) -> Result<u64> {
    if handle.kind != Kind::File {
        return Err(Errno::SPIPE);
    }
    let base = match whence {
        Whence::Start => 0,
        Whence::Current => handle.query::<u64>(class::POSITION)?,
        Whence::End => handle.query::<StandardInformation>(class::STANDARD)?.size,
    };
    let position = base.checked_add_signed(offset).ok_or(Errno::INVAL)?;
    if i64::try_from(position).is_err() {
        return Err(Errno::INVAL);
    }
    check(handle.set(class::POSITION, &position)).map(|()| position)
}

/// See [`contract`](crate::sys).
pub fn stat(handle: &Handle) -> Result<Stat> {
    let file_type = match handle.kind {
        Kind::File | Kind::Directory => return stat_node(handle),
        Kind::Console | Kind::Device => FileType::CharacterDevice,
        Kind::Pipe => FileType::Unknown,
        Kind::Socket => FileType::SocketStream,
    };
    let (device, inode, size, accessed, modified, changed) = (0, 0, 0, 0, 0, 0);
    Ok(Stat { device, inode, file_type, links: 1, size, accessed, modified, changed })
}

/// What is known about something on a disk.
fn stat_node(handle: &Handle) -> Result<Stat> {
    let basic: BasicInformation = handle.query(class::BASIC)?;
    let standard: StandardInformation = handle.query(class::STANDARD)?;
    let (file_type, size) = match handle.node()? {
        Node::File => (FileType::RegularFile, standard.size),
        Node::Directory => (FileType::Directory, standard.size),
        Node::Link => (FileType::SymbolicLink, link::read(handle, &mut []).unwrap_or(0) as u64),
    };
    Ok(Stat {
        device: volume(handle)?.into(),
        inode: handle.index()?,
        file_type,
        links: standard.links.into(),
        size,
        accessed: clock::nanoseconds(basic.accessed),
        modified: clock::nanoseconds(basic.modified),
        changed: clock::nanoseconds(basic.changed),
    })
}

/// Serial number of the volume that a file is on.
fn volume(handle: &Handle) -> Result<u32> {
    let mut volume = VolumeInformation::default();
    let mut io = IoStatus::default();
    // SAFETY: the record is as large as the call is told.
    let status = unsafe {
        let record = from_mut(&mut volume).cast();
        let size = size_of::<VolumeInformation>() as u32;
        NtQueryVolumeInformationFile(handle.raw, &mut io, record, size, class::VOLUME)
    };
    // The label may have been cut off.
    if status == status::BUFFER_OVERFLOW || status >= 0 {
        return Ok(volume.serial);
    }
    Err(translate(status))
}

/// Opens what a name stands for, a link itself, to learn or change its attributes.
fn open_node(directory: &Handle, name: &CStr, access: u32) -> Result<Handle> {
    let opening = Opening { access, disposition: FILE_OPEN, options: FILE_OPEN_REPARSE_POINT };
    opening.at(directory, &Name::new(name, Purpose::Lookup)?)
}

/// See [`contract`](crate::sys).
pub fn stat_at(directory: &Handle, name: &CStr) -> Result<Stat> {
    stat_node(&open_node(directory, name, FILE_READ_ATTRIBUTES)?)
}

/// See [`contract`](crate::sys).
pub fn flags(handle: &Handle) -> Result<FdFlags> {
    Ok(handle.flags)
}

/// See [`contract`](crate::sys).
pub fn set_flags(handle: &mut Handle, flags: FdFlags) -> Result<()> {
    let settable = FdFlags::APPEND | FdFlags::NONBLOCK;
    if (handle.flags.0 ^ flags.0) & !settable != 0 {
        return Err(Errno::NOTSUP);
    }
    if handle.kind == Kind::Socket {
        return socket::set_flags(handle, flags);
    }
    handle.flags = flags;
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn is_terminal(handle: &Handle) -> bool {
    handle.kind == Kind::Console
}

/// See [`contract`](crate::sys).
pub fn set_size(handle: &Handle, size: u64) -> Result<()> {
    if handle.kind != Kind::File || i64::try_from(size).is_err() {
        return Err(Errno::INVAL);
    }
    // A handle without the right to write gives EINVAL elsewhere.
    match handle.set(class::END_OF_FILE, &size) {
        status::ACCESS_DENIED => Err(Errno::INVAL),
        status => check(status),
    }
}

/// See [`contract`](crate::sys).
pub fn set_times(handle: &Handle, accessed: TimeChange, modified: TimeChange) -> Result<()> {
    if !matches!(handle.kind, Kind::File | Kind::Directory) {
        return Err(Errno::INVAL);
    }
    match change_times(handle, accessed, modified) {
        // The handle may lack the right that its file grants: it is opened again with it.
        Err(Errno::ACCES) => set_times_at(handle, c".", accessed, modified),
        result => result,
    }
}

/// See [`contract`](crate::sys).
pub fn set_times_at(
    directory: &Handle,
    name: &CStr,
    accessed: TimeChange,
    modified: TimeChange,
) -> Result<()> {
    change_times(&open_node(directory, name, FILE_WRITE_ATTRIBUTES)?, accessed, modified)
}

fn change_times(handle: &Handle, accessed: TimeChange, modified: TimeChange) -> Result<()> {
    let ticks = |change| match change {
        TimeChange::Keep => 0,
        TimeChange::Now => clock::ticks(),
        TimeChange::At(nanoseconds) => clock::from_nanoseconds(nanoseconds),
    };
    let times = BasicInformation {
        accessed: ticks(accessed),
        modified: ticks(modified),
        ..BasicInformation::default()
    };
    check(handle.set(class::BASIC, &times))
}

/// See [`contract`](crate::sys).
pub fn allocate(handle: &Handle, offset: u64, length: u64) -> Result<()> {
    if handle.kind != Kind::File {
        return Err(Errno::NODEV);
    }
    let end = offset.checked_add(length).ok_or(Errno::FBIG)?;
    let present: StandardInformation = handle.query(class::STANDARD)?;
    if end > present.allocated {
        check(handle.set(class::ALLOCATION, &end))?;
    }
    if end > present.size {
        check(handle.set(class::END_OF_FILE, &end))?;
    }
    Ok(())
}

/// See [`contract`](crate::sys). Windows takes such hints only when a file is opened.
pub fn advise(_: &Handle, _offset: u64, _length: u64, _: Advice) -> Result<()> {
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn sync(handle: &Handle) -> Result<()> {
    if !matches!(handle.kind, Kind::File | Kind::Directory) {
        return Err(Errno::INVAL);
    }
    let mut io = IoStatus::default();
    // SAFETY: the record lives until the call returns.
    match unsafe { NtFlushBuffersFile(handle.raw, &mut io) } {
        // Nothing was written through a handle without the right to write.
        status::ACCESS_DENIED => Ok(()),
        status => check(status),
    }
}

/// See [`contract`](crate::sys).
pub fn sync_data(handle: &Handle) -> Result<()> {
    sync(handle)
}

/// See [`contract`](crate::sys).
pub fn read_directory(directory: &mut Handle, cookie: u64, visit: Visit<'_>) -> Result<()> {
    if directory.kind != Kind::Directory {
        return Err(Errno::NOTDIR);
    }
    if cookie == 0 || directory.listing.is_none() {
        directory.listing = Some(Listing::read(directory)?);
    }
    if let Some(listing) = &directory.listing {
        listing.visit(cookie, visit);
    }
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn create_directory_at(directory: &Handle, name: &CStr) -> Result<()> {
    let opening = Opening {
        access: FILE_READ_ATTRIBUTES,
        disposition: FILE_CREATE,
        options: FILE_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT,
    };
    let name = Name::of_entry(name, Purpose::Create, Errno::EXIST)?;
    opening.at(directory, &name).map(drop)
}

/// See [`contract`](crate::sys).
pub fn remove_directory_at(directory: &Handle, name: &CStr) -> Result<()> {
    rename::remove_directory_at(directory, name)
}

/// See [`contract`](crate::sys).
pub fn unlink_file_at(directory: &Handle, name: &CStr) -> Result<()> {
    rename::unlink_at(directory, name)
}

/// See [`contract`](crate::sys).
pub fn rename_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    rename::rename_at(from, old, to, new)
}

/// See [`contract`](crate::sys).
pub fn link_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    rename::link_at(from, old, to, new)
}

/// See [`contract`](crate::sys).
pub fn symlink_at(target: &CStr, directory: &Handle, name: &CStr) -> Result<()> {
    link::create_at(target, directory, name)
}

/// See [`contract`](crate::sys).
pub fn read_link_at(directory: &Handle, name: &CStr, text: &mut [u8]) -> Result<usize> {
    link::read_at(directory, name, text)
}
