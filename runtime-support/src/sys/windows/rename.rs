//! Renaming, linking and removing names.
//!
//! POSIX's ways are asked for first (a name goes at once, whoever has the file open); a file system
//! that does not know them is asked for the old ways.

use super::errno::{check, is_unknown};
use super::handle::{Handle, Node, Opening};
use super::name::{Name, Purpose};
use super::syscall::{
    DELETE, FILE_OPEN, FILE_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
    RawHandle, RenameInformation, class,
};
use crate::errno::Errno;
use crate::sys::Result;
use core::ffi::CStr;

// `FILE_RENAME_INFORMATION`'s flags.
const RENAME_REPLACE: u32 = 0x1;
const RENAME_POSIX: u32 = 0x2;
const RENAME_IGNORE_READONLY: u32 = 0x40;
// `FILE_DISPOSITION_INFORMATION_EX`'s flags.
const DISPOSITION_DELETE: u32 = 0x1;
const DISPOSITION_POSIX: u32 = 0x2;
const DISPOSITION_IGNORE_READONLY: u32 = 0x10;

/// Opens what a name stands for, a link itself, to change the name.
fn open(directory: &Handle, name: &Name, access: u32) -> Result<Handle> {
    let opening = Opening {
        access: access | FILE_READ_ATTRIBUTES,
        disposition: FILE_OPEN,
        options: FILE_OPEN_REPARSE_POINT,
    };
    opening.at(directory, name)
}

/// Removes the name by which a handle was opened; the handle has the right `DELETE`.
pub(super) fn delete(handle: &Handle) -> Result<()> {
    let flags = DISPOSITION_DELETE | DISPOSITION_POSIX | DISPOSITION_IGNORE_READONLY;
    let status = handle.set(class::DISPOSITION_EX, &flags);
    if is_unknown(status) {
        return check(handle.set(class::DISPOSITION, &1_u8));
    }
    check(status)
}

/// See [`contract`](crate::sys): `unlink_file_at`.
pub(super) fn unlink_at(directory: &Handle, name: &CStr) -> Result<()> {
    let name = Name::of_entry(name, Purpose::Lookup, Errno::ISDIR)?;
    let file = open(directory, &name, DELETE)?;
    if file.node()? == Node::Directory {
        return Err(Errno::ISDIR);
    }
    delete(&file)
}

/// See [`contract`](crate::sys): `remove_directory_at`.
pub(super) fn remove_directory_at(directory: &Handle, name: &CStr) -> Result<()> {
    let name = Name::of_entry(name, Purpose::Lookup, Errno::INVAL)?;
    let victim = open(directory, &name, DELETE)?;
    if victim.node()? != Node::Directory {
        return Err(Errno::NOTDIR);
    }
    delete(&victim)
}

/// See [`contract`](crate::sys): `rename_at`.
pub(super) fn rename_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    let old = Name::of_entry(old, Purpose::Lookup, Errno::BUSY)?;
    let new = Name::of_entry(new, Purpose::Create, Errno::BUSY)?;
    let source = open(from, &old, DELETE)?;
    if let Ok(present) = open(to, &new, 0) {
        make_way(&source, present, to, &new)?;
    }
    let flags = RENAME_REPLACE | RENAME_POSIX | RENAME_IGNORE_READONLY;
    let status = source.set(class::RENAME_EX, &destination(flags, to.raw, &new));
    if is_unknown(status) {
        return check(source.set(class::RENAME, &destination(RENAME_REPLACE, to.raw, &new)));
    }
    check(status)
}

/// Checks what the new name stands for now against POSIX's rules, and removes an empty directory,
/// which Windows never replaces.
fn make_way(source: &Handle, present: Handle, to: &Handle, new: &Name) -> Result<()> {
    match (source.node()? == Node::Directory, present.node()? == Node::Directory) {
        (false, false) => Ok(()),
        (true, false) => Err(Errno::NOTDIR),
        (false, true) => Err(Errno::ISDIR),
        // The directory itself: only the case of letters may change.
        (true, true) if source.index()? == present.index()? => Ok(()),
        (true, true) => {
            drop(present);
            delete(&open(to, new, DELETE)?)
        }
    }
}

/// See [`contract`](crate::sys): `link_at`.
pub(super) fn link_at(from: &Handle, old: &CStr, to: &Handle, new: &CStr) -> Result<()> {
    let old = Name::of_entry(old, Purpose::Lookup, Errno::PERM)?;
    let new = Name::of_entry(new, Purpose::Create, Errno::EXIST)?;
    let file = open(from, &old, FILE_WRITE_ATTRIBUTES)?;
    if file.node()? == Node::Directory {
        return Err(Errno::PERM);
    }
    check(file.set(class::LINK, &destination(0, to.raw, &new)))
}

/// The record that names the destination of a rename or link.
fn destination(flags: u32, root: RawHandle, name: &Name) -> RenameInformation {
    let (units, length) = name.units();
    RenameInformation { flags, root, name_length: (length * 2) as u32, name: *units }
}
