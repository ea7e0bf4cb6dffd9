//! What paths name: `path_open`, `path_create_directory`, `path_filestat_*`, `path_link`,
//! `path_readlink`, `path_remove_directory`, `path_rename`, `path_symlink`, `path_unlink_file`.
//!
//! Every path is walked by [`Walk`], so each function here works on one name in one directory.
//! Below a read-only grant, whatever would change something gives `ROFS`.

use super::descriptor::{self, Descriptor, InUse, Kind, table};
use super::fd::fd_flags;
use super::file::{time_changes, write_filestat};
use super::files as fs;
use super::guest::{Guest, functions};
use super::resolve::{Walk, check};
use super::rights::Rights;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{FileType, Open, Stat};
use core::ffi::CStr;

/// `lookupflags`: follow a link at the end of the path.
const SYMLINK_FOLLOW: u32 = 1;

// `oflags`.
const CREAT: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCL: u32 = 4;
const TRUNC: u32 = 8;

/// Bytes of the longest link text, with the NUL that ends it.
const LINK: usize = 4096;

functions! {
    /// Opens a file or directory and writes its descriptor. The rights asked for decide whether
    /// the host opens it for reading, writing or both; it gets those of them that apply to its
    /// kind. `NOTCAPABLE` if the directory's rights do not allow as much.
    fn path_open(
        guest,
        fd: u32,
        lookup: u32,
        path: u32,
        length: u32,
        how: u32,
        rights: u64,
        inheriting: u64,
        flags: u64,
        opened: u64,
    ) {
        // Behind the eighth parameter all are wide.
        let (flags, opened) = (flags as u32, opened as u32);
        let directory = directory(fd, Rights::PATH_OPEN)?;
        guest.check_result(opened, 4)?;
        let (rights, inheriting) = (Rights(rights), Rights(inheriting));
        let how = open_how(&directory, how, rights, inheriting, flags)?;
        let rights = if how.write { rights } else { rights.without(Rights::WRITING) };
        let mut walk = Walk::from(&directory.handle);
        walk.begin(&guest, path, length)?;
        let handle = walk.run(follows(lookup) && !how.exclusive, |walk| {
            if walk.is_directory() && how.create {
                return Err(Errno::ISDIR);
            }
            let directory = how.directory || walk.is_directory();
            fs::open_at(walk.parent(), walk.name(), &Open { directory, ..how })
        })?;
        let is_directory = fs::stat(&handle)?.file_type == FileType::Directory;
        let (kind, applicable) = if is_directory {
            (Kind::Directory, Rights::DIRECTORY)
        } else {
            (Kind::File, Rights::FILE)
        };
        let read_only = directory.read_only;
        let number = table().insert(Descriptor {
            handle,
            kind,
            rights: rights.both(applicable),
            inheriting,
            read_only,
        })?;
        guest.write_u32(opened, number)
    }

    /// Makes a directory.
    fn path_create_directory(guest, fd: u32, path: u32, length: u32) {
        let directory = changeable(fd, Rights::PATH_CREATE_DIRECTORY)?;
        let mut walk = Walk::from(&directory.handle);
        walk.begin(&guest, path, length)?;
        fs::create_directory_at(walk.parent(), walk.name())
    }

    /// Writes the attributes of what a path names.
    fn path_filestat_get(guest, fd: u32, lookup: u32, path: u32, length: u32, filestat: u32) {
        write_filestat(&guest, filestat, &stat(&guest, fd, lookup, path, length)?)
    }

    /// Sets the times of what a path names.
    fn path_filestat_set_times(
        guest,
        fd: u32,
        lookup: u32,
        path: u32,
        length: u32,
        accessed: u64,
        modified: u64,
        which: u32,
    ) {
        let directory = changeable(fd, Rights::PATH_FILESTAT_SET_TIMES)?;
        let (accessed, modified) = time_changes(accessed, modified, which)?;
        let mut walk = Walk::from(&directory.handle);
        walk.begin(&guest, path, length)?;
        stat_last(&mut walk, follows(lookup))?;
        fs::set_times_at(walk.parent(), walk.name(), accessed, modified)
    }

    /// Gives a file another name.
    fn path_link(
        guest,
        old_fd: u32,
        lookup: u32,
        old_path: u32,
        old_length: u32,
        new_fd: u32,
        new_path: u32,
        new_length: u32,
    ) {
        let new_directory = changeable(new_fd, Rights::PATH_LINK_TARGET)?;
        let old_directory = changeable(old_fd, Rights::PATH_LINK_SOURCE)?;
        let mut old = Walk::from(&old_directory.handle);
        old.begin(&guest, old_path, old_length)?;
        stat_last(&mut old, follows(lookup))?;
        let mut new = Walk::from(&new_directory.handle);
        new.begin(&guest, new_path, new_length)?;
        if new.is_directory() {
            return Err(Errno::NOENT);
        }
        fs::link_at(old.parent(), old.name(), new.parent(), new.name())
    }

    /// Writes a link's text, as far as it fits, and its length.
    fn path_readlink(
        guest,
        fd: u32,
        path: u32,
        length: u32,
        buffer: u32,
        buffer_length: u32,
        used: u32,
    ) {
        let directory = directory(fd, Rights::PATH_READLINK)?;
        let mut walk = Walk::from(&directory.handle);
        walk.begin(&guest, path, length)?;
        let mut text = [0; LINK];
        let count = fs::read_link_at(walk.parent(), walk.name(), &mut text)?;
        let count = count.min(buffer_length as usize);
        guest.write(buffer, text.get(..count).unwrap_or_default())?;
        guest.write_u32(used, count as u32)
    }

    /// Removes an empty directory.
    fn path_remove_directory(guest, fd: u32, path: u32, length: u32) {
        let directory = changeable(fd, Rights::PATH_REMOVE_DIRECTORY)?;
        let mut walk = Walk::from(&directory.handle);
        walk.begin(&guest, path, length)?;
        fs::remove_directory_at(walk.parent(), walk.name())
    }

    /// Renames, replacing what has the new name.
    fn path_rename(
        guest,
        old_fd: u32,
        old_path: u32,
        old_length: u32,
        new_fd: u32,
        new_path: u32,
        new_length: u32,
    ) {
        let new_directory = changeable(new_fd, Rights::PATH_RENAME_TARGET)?;
        let old_directory = changeable(old_fd, Rights::PATH_RENAME_SOURCE)?;
        let mut old = Walk::from(&old_directory.handle);
        old.begin(&guest, old_path, old_length)?;
        let mut new = Walk::from(&new_directory.handle);
        new.begin(&guest, new_path, new_length)?;
        if old.is_directory() || new.is_directory() {
            let moved = fs::stat_at(old.parent(), old.name())?;
            if moved.file_type != FileType::Directory {
                return Err(Errno::NOTDIR);
            }
        }
        fs::rename_at(old.parent(), old.name(), new.parent(), new.name())
    }

    /// Makes a symbolic link. A text that is an absolute path gives `PERM`: no program could
    /// follow it.
    fn path_symlink(
        guest,
        target: u32,
        target_length: u32,
        fd: u32,
        path: u32,
        length: u32,
    ) {
        let directory = changeable(fd, Rights::PATH_SYMLINK)?;
        let mut text = [0; LINK];
        let place = text.get_mut(..target_length as usize).filter(|place| place.len() < LINK);
        let place = place.ok_or(Errno::NAMETOOLONG)?;
        guest.read_into(target, place)?;
        check(place)?;
        let target = CStr::from_bytes_until_nul(&text).map_err(|_| Errno::NAMETOOLONG)?;
        let mut walk = Walk::from(&directory.handle);
        walk.begin(&guest, path, length)?;
        if walk.is_directory() {
            let existing = fs::stat_at(walk.parent(), walk.name())?;
            return Err(match existing.file_type {
                FileType::Directory => Errno::EXIST,
                _ => Errno::NOTDIR,
            });
        }
        fs::symlink_at(target, walk.parent(), walk.name())
    }

    /// Removes a file's name.
    fn path_unlink_file(guest, fd: u32, path: u32, length: u32) {
        let directory = changeable(fd, Rights::PATH_UNLINK_FILE)?;
        let mut walk = Walk::from(&directory.handle);
        walk.begin(&guest, path, length)?;
        if walk.is_directory() {
            let existing = fs::stat_at(walk.parent(), walk.name())?;
            return Err(match existing.file_type {
                FileType::Directory => Errno::ISDIR,
                _ => Errno::NOTDIR,
            });
        }
        fs::unlink_file_at(walk.parent(), walk.name())
    }
}

/// A directory's descriptor with these rights: `BADF`, `NOTDIR`, `NOTCAPABLE`.
fn directory(fd: u32, rights: Rights) -> Result<InUse> {
    let descriptor = descriptor::get(fd, Rights::NONE)?;
    if !descriptor.kind.is_directory() {
        return Err(Errno::NOTDIR);
    }
    if !descriptor.rights.has(rights) {
        return Err(Errno::NOTCAPABLE);
    }
    Ok(descriptor)
}

/// The same for an operation that changes something: `ROFS`.
fn changeable(fd: u32, rights: Rights) -> Result<InUse> {
    let directory = directory(fd, rights)?;
    if directory.read_only { Err(Errno::ROFS) } else { Ok(directory) }
}

/// Whether a link at the end of a path shall be followed.
fn follows(lookup: u32) -> bool {
    lookup & SYMLINK_FOLLOW != 0
}

/// The attributes of what a path names.
pub fn stat(guest: &Guest, fd: u32, lookup: u32, path: u32, length: u32) -> Result<Stat> {
    let directory = directory(fd, Rights::PATH_FILESTAT_GET)?;
    let mut walk = Walk::from(&directory.handle);
    walk.begin(guest, path, length)?;
    stat_last(&mut walk, follows(lookup))
}

/// What is known of a walk's last component, once links there are followed if they shall be.
fn stat_last(walk: &mut Walk<'_>, follow: bool) -> Result<Stat> {
    walk.run(follow, |walk| {
        let stat = fs::stat_at(walk.parent(), walk.name())?;
        match stat.file_type {
            FileType::Directory => Ok(stat),
            FileType::SymbolicLink if follow => Err(Errno::LOOP),
            _ if walk.is_directory() => Err(Errno::NOTDIR),
            _ => Ok(stat),
        }
    })
}

/// How the host shall open what a program asks for.
fn open_how(
    directory: &Descriptor,
    how: u32,
    rights: Rights,
    inheriting: Rights,
    flags: u32,
) -> Result<Open> {
    const READING: Rights = Rights::FD_READ.and(Rights::FD_READDIR);
    let open = Open {
        read: rights.has_any(READING),
        write: rights.writes(),
        create: how & CREAT != 0,
        exclusive: how & EXCL != 0,
        truncate: how & TRUNC != 0,
        directory: how & DIRECTORY != 0,
        flags: fd_flags(flags)?,
    };
    if how > (CREAT | DIRECTORY | EXCL | TRUNC)
        || (open.directory && (open.create || open.exclusive || open.truncate))
    {
        return Err(Errno::INVAL);
    }
    let lacks = |asked: bool, right| asked && !directory.rights.has(right);
    if !directory.inheriting.has(rights.and(inheriting))
        || lacks(open.create, Rights::PATH_CREATE_FILE)
        || lacks(open.truncate, Rights::PATH_FILESTAT_SET_SIZE)
    {
        return Err(Errno::NOTCAPABLE);
    }
    if directory.read_only && (open.write || open.create || open.truncate) {
        return Err(Errno::ROFS);
    }
    Ok(open)
}
