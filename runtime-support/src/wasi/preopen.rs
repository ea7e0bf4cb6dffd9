//! The directories and listeners that the program was granted, opened before it begins.
//!
//! Where a grant's HOST lies is decided here, when the program starts: relative to the working
//! directory, or to a folder that each operating system has in a place of its own. A grant that
//! cannot be given ends the process.

use super::descriptor::{self, Descriptor, Kind};
use super::files::{self, Handle};
use super::policy::{grants, split, text};
use super::rights::Rights;
use crate::errno::Errno;
use crate::start::{fail, fail_because};
use crate::sys::types::{Folder, HostPath, Open};
use crate::sys::{self, folder, fs, memory, socket};

/// The folders that HOST can begin with, before a colon.
const FOLDERS: [(&[u8], Folder); 5] = [
    (b"exe", Folder::Executable),
    (b"home", Folder::Home),
    (b"config", Folder::Config),
    (b"cache", Folder::Cache),
    (b"temp", Folder::Temporary),
];

/// Opens the granted directories in the manifest's order.
#[unsafe(no_mangle)]
pub extern "C" fn kiln_open_directories() {
    for (kind, grant) in grants() {
        match kind {
            b"dir" => open_granted(grant),
            b"dir-from-env" => open_listed(grant),
            _ => {}
        }
    }
}

/// Opens the embedded directories, after the granted ones.
pub fn open_embedded() {
    for (handle, guest) in files::roots() {
        if insert(handle, guest, false).is_err() {
            fail("not enough memory", "");
        }
    }
}

/// Opens the granted listeners in the manifest's order.
#[unsafe(no_mangle)]
pub extern "C" fn kiln_open_listeners() {
    for (kind, grant) in grants() {
        if kind == b"listen" {
            open_listener(grant);
        }
    }
}

/// Opens the listener of a grant `tcp ADDRESS`, divided by a tab.
fn open_listener(grant: &'static [u8]) {
    let Some((_, address)) = split(grant, b'\t') else { return };
    let address = core::str::from_utf8(address).unwrap_or("?");
    let opened = address
        .parse()
        .map_err(|_| Errno::INVAL)
        .and_then(|parsed| socket::listen(&parsed))
        .and_then(|handle| {
            descriptor::table().insert(Descriptor {
                handle: Handle::Host(handle),
                kind: Kind::Socket,
                rights: Rights::LISTENER,
                inheriting: Rights::CONNECTION,
                read_only: false,
            })
        });
    if let Err(errno) = opened {
        fail_because("cannot listen at", address, errno);
    }
}

/// Opens the directory of a grant `ACCESS HOST GUEST`, divided by tabs.
fn open_granted(grant: &'static [u8]) {
    let Some((access, names)) = split(grant, b'\t') else { return };
    let Some((host, guest)) = split(names, b'\t') else { return };
    let writable = access == b"rw";
    let opened = find(host, writable)
        .and_then(|handle| insert(Handle::Host(handle), plain(guest)?, writable));
    if let Err(errno) = opened {
        let host = core::str::from_utf8(host).unwrap_or("?");
        fail_because("cannot open the directory", host, errno);
    }
}

/// Opens the directories that a variable of the environment lists, for a grant
/// `ACCESS NAME` or `ACCESS NAME GUEST`, divided by tabs. With GUEST, the variable names one
/// directory; without, each is known by the path that the variable has.
fn open_listed(grant: &'static [u8]) {
    let Some((access, names)) = split(grant, b'\t') else { return };
    let (name, guest) = split(names, b'\t').map_or((names, None), |(n, g)| (n, Some(g)));
    let Some(list) = super::environ::host_variable(name) else { return };
    let is_divider = |byte: &u8| guest.is_none() && *byte == folder::LIST_DIVIDER;
    for host in list.split(is_divider).filter(|host| !host.is_empty()) {
        let opened = open_path(host).and_then(|handle| {
            insert(Handle::Host(handle), guest.map_or(Ok(host), plain)?, access == b"rw")
        });
        if let Err(errno) = opened {
            let host = core::str::from_utf8(host).unwrap_or("?");
            fail_because("cannot open the directory", host, errno);
        }
    }
}

/// Opens a path as it stands.
fn open_path(host: &[u8]) -> sys::Result<fs::Handle> {
    let mut path = HostPath::empty();
    path.push(host.iter().copied())?;
    fs::open_preopen(path.as_c_str())
}

/// Opens what the field HOST stands for. What a program may change below a folder for its own data
/// is made, as such a folder is empty until somebody uses it.
fn find(host: &[u8], writable: bool) -> sys::Result<fs::Handle> {
    let mut path = HostPath::empty();
    let known = split(host, b':').and_then(|(name, below)| {
        FOLDERS.iter().find(|(known, _)| *known == name).map(|&(_, folder)| (folder, below))
    });
    let Some((folder, below)) = known else {
        path.push(text(host))?;
        return fs::open_preopen(path.as_c_str());
    };
    folder::find(folder, &mut path)?;
    let base = path.length();
    if !below.is_empty() {
        path.push([b'/'].into_iter().chain(text(below)))?;
    }
    let own = matches!(folder, Folder::Config | Folder::Cache | Folder::Temporary);
    if writable && own {
        path.each_prefix(fs::create_preopen);
    }
    if folder == Folder::Temporary {
        return open_temporary(&path, base);
    }
    fs::open_preopen(path.as_c_str())
}

/// Opens a directory below the one for temporary files. Others may have been faster to put
/// something there, so no link is followed, and every directory must be the user's own.
fn open_temporary(path: &HostPath, base: usize) -> sys::Result<fs::Handle> {
    let mut top = HostPath::empty();
    let (top_path, below) = path.bytes().split_at_checked(base).ok_or(Errno::NOENT)?;
    top.push(top_path.iter().copied())?;
    let mut handle = fs::open_preopen(top.as_c_str())?;
    let how = Open { read: true, directory: true, ..Open::default() };
    for name in below.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        let mut component = HostPath::empty();
        component.push(name.iter().copied())?;
        handle = fs::open_at(&handle, component.as_c_str(), &how)?;
        if !fs::is_own(&handle)? {
            return Err(Errno::PERM);
        }
    }
    Ok(handle)
}

/// Gives a directory its descriptor.
fn insert(handle: Handle, guest: &'static [u8], writable: bool) -> sys::Result<()> {
    let opened = Descriptor {
        handle,
        kind: Kind::Preopen(guest),
        rights: Rights::DIRECTORY,
        inheriting: Rights::DIRECTORY.and(Rights::FILE),
        read_only: !writable,
    };
    descriptor::table().insert(opened).map(|_| ())
}

/// The text of a field, kept as long as the program runs.
fn plain(field: &'static [u8]) -> sys::Result<&'static [u8]> {
    let length = text(field).count();
    if length == field.len() {
        return Ok(field);
    }
    let room = memory::allocate(length.next_multiple_of(memory::page_size()))?;
    for (index, byte) in text(field).enumerate() {
        // SAFETY: the room is new and holds that many bytes.
        unsafe { room.add(index).write(byte) };
    }
    // SAFETY: as many bytes were just written; nothing writes or frees them again.
    Ok(unsafe { core::slice::from_raw_parts(room, length) })
}
