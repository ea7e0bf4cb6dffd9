//! Reading, writing and what descriptors are: `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`,
//! `fd_seek`, `fd_tell`, `fd_close`, `fd_renumber`, `fd_fdstat_*`, `fd_prestat_*`.

use super::descriptor::{self, Descriptor, InUse, Kind, table};
use super::files as fs;
use super::guest::{Guest, functions};
use super::rights::Rights;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{FdFlags, FileType, Whence};

functions! {
    /// Reads into the buffers in turn and writes how many bytes came.
    fn fd_read(guest, fd: u32, buffers: u32, count: u32, read: u32) {
        let file = descriptor::get(fd, Rights::FD_READ)?;
        guest.transfer(buffers, count, read, |buffers| fs::read(&file.handle, buffers))
    }

    /// Reads from an offset, leaving the position alone.
    fn fd_pread(guest, fd: u32, buffers: u32, count: u32, offset: u64, read: u32) {
        let file = descriptor::get(fd, Rights::FD_READ.and(Rights::FD_SEEK))?;
        guest.transfer(buffers, count, read, |buffers| fs::read_at(&file.handle, buffers, offset))
    }

    /// Writes the buffers in turn and writes how many bytes went.
    fn fd_write(guest, fd: u32, buffers: u32, count: u32, written: u32) {
        let file = descriptor::get(fd, Rights::FD_WRITE)?;
        guest.transfer(buffers, count, written, |buffers| fs::write(&file.handle, buffers))
    }

    /// Writes at an offset, leaving the position alone.
    fn fd_pwrite(guest, fd: u32, buffers: u32, count: u32, offset: u64, written: u32) {
        let file = descriptor::get(fd, Rights::FD_WRITE.and(Rights::FD_SEEK))?;
        guest.transfer(buffers, count, written, |buffers| fs::write_at(&file.handle, buffers, offset))
    }

    /// Moves the position and writes the new one.
    fn fd_seek(guest, fd: u32, offset: i64, whence: u32, position: u32) {
        let whence = match whence {
            0 => Whence::Start,
            1 => Whence::Current,
            2 => Whence::End,
            _ => return Err(Errno::INVAL),
        };
        seek(&guest, fd, offset, whence, position)
    }

    /// Writes the position.
    fn fd_tell(guest, fd: u32, position: u32) {
        let file = seekable(fd, Rights::FD_TELL)?;
        guest.write_u64(position, fs::seek(&file.handle, 0, Whence::Current)?)
    }

    /// Closes a descriptor. The host's standard streams stay open for the host.
    fn fd_close(_guest, fd: u32) {
        let removed = table().remove(fd)?;
        removed.map_or(Ok(()), |removed| fs::close(removed.handle))
    }

    /// Moves a descriptor to the number of another open one, which is closed.
    fn fd_renumber(_guest, from: u32, to: u32) {
        let replaced = table().renumber(from, to)?;
        replaced.map_or(Ok(()), |replaced| fs::close(replaced.handle))
    }

    /// Writes a descriptor's kind, flags and rights: the 24 bytes of `fdstat`.
    fn fd_fdstat_get(guest, fd: u32, fdstat: u32) {
        let file = descriptor::get(fd, Rights::NONE)?;
        let file_type = file_type(&file)?;
        let flags = match file.kind {
            Kind::Stream | Kind::File | Kind::Socket => fs::flags(&file.handle)?,
            Kind::Directory | Kind::Preopen(_) => FdFlags::default(),
        };
        let mut rights = file.rights;
        // This is how programs tell a terminal from other character devices.
        if file_type == FileType::CharacterDevice && fs::is_terminal(&file.handle) {
            rights = rights.without(Rights::FD_SEEK.and(Rights::FD_TELL));
        }
        let mut record = [0; 24];
        record[0] = file_type as u8;
        record[2..4].copy_from_slice(&flags.0.to_le_bytes());
        record[8..16].copy_from_slice(&rights.0.to_le_bytes());
        record[16..].copy_from_slice(&file.inheriting.0.to_le_bytes());
        guest.write(fdstat, &record)
    }

    /// Sets a descriptor's flags.
    fn fd_fdstat_set_flags(_guest, fd: u32, flags: u32) {
        let mut file = descriptor::get_alone(fd, Rights::FD_FDSTAT_SET_FLAGS)?;
        if file.kind.is_directory() {
            return Err(Errno::BADF);
        }
        fs::set_flags(&mut file.handle, fd_flags(flags)?)
    }

    /// Takes rights away from a descriptor; `NOTCAPABLE` if it lacks one that shall stay.
    fn fd_fdstat_set_rights(_guest, fd: u32, rights: u64, inheriting: u64) {
        let mut file = descriptor::get_alone(fd, Rights::NONE)?;
        let (rights, inheriting) = (Rights(rights), Rights(inheriting));
        if !file.rights.has(rights) || !file.inheriting.has(inheriting) {
            return Err(Errno::NOTCAPABLE);
        }
        file.rights = rights;
        file.inheriting = inheriting;
        Ok(())
    }

    /// Writes what is known of a preopened directory: the 8 bytes of `prestat`.
    fn fd_prestat_get(guest, fd: u32, prestat: u32) {
        let Kind::Preopen(name) = descriptor::get(fd, Rights::NONE)?.kind else { return Err(Errno::BADF) };
        // The tag of a directory, and the length of its name.
        guest.write_u64(prestat, (name.len() as u64) << 32)
    }

    /// Writes the name of a preopened directory. `NAMETOOLONG` if it does not fit.
    fn fd_prestat_dir_name(guest, fd: u32, path: u32, length: u32) {
        let Kind::Preopen(name) = descriptor::get(fd, Rights::NONE)?.kind else { return Err(Errno::BADF) };
        if name.len() > length as usize {
            return Err(Errno::NAMETOOLONG);
        }
        guest.write(path, name)
    }
}

/// Moves the position and writes the new one; with nothing to move, only tells it.
pub fn seek(guest: &Guest, fd: u32, offset: i64, whence: Whence, position: u32) -> Result<()> {
    let asking = offset == 0 && whence == Whence::Current;
    let needed = if asking { Rights::FD_TELL } else { Rights::FD_SEEK };
    let file = seekable(fd, needed)?;
    guest.check_result(position, 8)?;
    guest.write_u64(position, fs::seek(&file.handle, offset, whence)?)
}

/// A descriptor that has a position. A directory has none.
fn seekable(fd: u32, rights: Rights) -> Result<InUse> {
    if descriptor::get(fd, Rights::NONE)?.kind.is_directory() {
        return Err(Errno::BADF);
    }
    descriptor::get(fd, rights)
}

/// A descriptor's kind of file.
fn file_type(file: &Descriptor) -> Result<FileType> {
    match file.kind {
        Kind::Directory | Kind::Preopen(_) => Ok(FileType::Directory),
        Kind::Stream | Kind::File | Kind::Socket => {
            fs::stat(&file.handle).map(|stat| stat.file_type)
        }
    }
}

/// Flags that a program gave. `INVAL` for unknown ones.
pub fn fd_flags(flags: u32) -> Result<FdFlags> {
    if flags & !u32::from(FdFlags::ALL) != 0 {
        return Err(Errno::INVAL);
    }
    Ok(FdFlags(flags as u16))
}
