//! Handles of the kernel, and how names are opened.

use super::directory::Listing;
use super::errno::check;
use super::link;
use super::name::Name;
use super::socket;
use super::syscall::{
    AttributeTagInformation, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_SHARE_ALL, FILE_SYNCHRONOUS_IO_NONALERT, FILE_TYPE_CHAR,
    FILE_TYPE_DISK, FILE_TYPE_PIPE, GetConsoleMode, GetFileType, IoStatus, NtClose, NtCreateFile,
    NtQueryInformationFile, NtSetInformationFile, OBJ_CASE_INSENSITIVE, OBJ_DONT_REPARSE,
    ObjectAttributes, RawHandle, SYNCHRONIZE, Status, class,
};
use crate::sys::Result;
use crate::sys::types::FdFlags;
use core::ptr::{from_mut, from_ref, null, null_mut};

/// What lies behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file on a disk.
    File,
    /// A directory.
    Directory,
    /// A console's input or screen.
    Console,
    /// Another device, such as `NUL`.
    Device,
    /// A pipe.
    Pipe,
    /// A socket that the runtime made.
    Socket,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    File,
    Directory,
    /// A symbolic link or a junction, opened as such.
    Link,
}

/// An open file, directory or stream.
#[derive(Debug)]
pub struct Handle {
    pub(super) raw: RawHandle,
    pub(super) kind: Kind,
    pub(super) flags: FdFlags,
    /// A standard stream: not closed when it is dropped.
    pub(super) standard: bool,
    /// The entries as [`read_directory`](super::fs::read_directory) found them.
    pub(super) listing: Option<Listing>,
}

impl Handle {
    /// Owns a handle of that kind.
    pub(super) fn new(raw: RawHandle, kind: Kind, flags: FdFlags) -> Self {
        Self { raw, kind, flags, standard: false, listing: None }
    }

    /// Reads a record of information about the file.
    pub(super) fn query<T: Default>(&self, class: u32) -> Result<T> {
        let mut information = T::default();
        let size = size_of::<T>() as u32;
        let mut status = IoStatus::default();
        // SAFETY: the record is as large as the call is told, and any bytes make one.
        check(unsafe {
            let record = from_mut(&mut information).cast();
            NtQueryInformationFile(self.raw, &mut status, record, size, class)
        })?;
        Ok(information)
    }

    /// What was opened by a name.
    pub(super) fn node(&self) -> Result<Node> {
        let found: AttributeTagInformation = self.query(class::ATTRIBUTE_TAG)?;
        Ok(node(found.attributes, found.tag))
    }

    /// Number of the file on its volume.
    pub(super) fn index(&self) -> Result<u64> {
        self.query(class::INTERNAL)
    }

    /// Sets something of the file by a record.
    pub(super) fn set<T>(&self, class: u32, information: &T) -> Status {
        let mut status = IoStatus::default();
        // SAFETY: the record is as large as the call is told.
        unsafe {
            let record = from_ref(information).cast();
            NtSetInformationFile(self.raw, &mut status, record, size_of::<T>() as u32, class)
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.kind == Kind::Socket {
            socket::close(self.raw);
        } else if !self.standard {
            // SAFETY: the handle is owned, and this is its end.
            unsafe { NtClose(self.raw) };
        }
    }
}

/// What kind of stream a handle from outside is.
pub(super) fn kind_of(raw: RawHandle) -> Kind {
    let mut mode = 0;
    // SAFETY: calls on something that is no open handle just fail.
    unsafe {
        match GetFileType(raw) {
            FILE_TYPE_DISK => Kind::File,
            FILE_TYPE_PIPE => Kind::Pipe,
            FILE_TYPE_CHAR if GetConsoleMode(raw, &mut mode) != 0 => Kind::Console,
            _ => Kind::Device,
        }
    }
}

/// How a name is opened; the values are those of `NtCreateFile`.
pub(super) struct Opening {
    pub(super) access: u32,
    pub(super) disposition: u32,
    pub(super) options: u32,
}

impl Opening {
    /// Opens a name relative to a directory. Follows no link: where the options do not ask for the
    /// link itself, one is an error.
    pub(super) fn at(&self, directory: &Handle, name: &Name) -> Result<Handle> {
        let string = name.string();
        let object = ObjectAttributes {
            size: size_of::<ObjectAttributes>() as u32,
            root: directory.raw,
            name: &string,
            attributes: OBJ_CASE_INSENSITIVE | OBJ_DONT_REPARSE,
            security: null(),
            quality: null(),
        };
        let mut raw = null_mut();
        let mut io = IoStatus::default();
        // SAFETY: every record lives until the call returns.
        let status = unsafe {
            NtCreateFile(
                &mut raw,
                self.access | SYNCHRONIZE,
                &object,
                &mut io,
                null(),
                FILE_ATTRIBUTE_NORMAL,
                FILE_SHARE_ALL,
                self.disposition,
                self.options | FILE_SYNCHRONOUS_IO_NONALERT,
                null(),
                0,
            )
        };
        check(status).map(|()| Handle::new(raw, Kind::File, FdFlags::default()))
    }
}

/// What attributes and the tag of a reparse point tell. Reparse points that stand for no other
/// name are files and directories like any other.
pub(super) fn node(attributes: u32, tag: u32) -> Node {
    if attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 && link::is_link(tag) {
        Node::Link
    } else if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        Node::Directory
    } else {
        Node::File
    }
}
