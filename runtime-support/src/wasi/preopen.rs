//! The capability manifest: the directories and environment that the program was granted.
//!
//! The manifest's lines are described in `kiln_abi::program`.

use super::descriptor::{self, Descriptor, Kind};
use super::rights::Rights;
use crate::errno::Errno;
use crate::start::fail;
use crate::sys::fs;
use crate::{program, sys};
use core::ffi::CStr;

/// Bytes of the longest host path of a preopen, with the NUL that ends it.
const PATH: usize = 4096;

/// The manifest's grants: each line's first field and the rest.
pub fn grants() -> impl Iterator<Item = (&'static [u8], &'static [u8])> {
    let lines = program::policy().to_bytes().split(|&byte| byte == b'\n');
    lines.skip(1).filter_map(|line| split(line, b'\t'))
}

/// What lies before and after the first `divider`.
pub fn split(text: &[u8], divider: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == divider)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Opens the standard streams and the granted directories, in the manifest's order. A directory
/// that cannot be opened ends the process.
pub fn open_all() {
    if descriptor::table().insert_standard_streams().is_err() {
        fail("not enough memory", "");
    }
    for (kind, grant) in grants() {
        if kind == b"dir" && open(grant).is_err() {
            let host = split(grant, b'\t').and_then(|(_, names)| split(names, b'\t'));
            let host = host.and_then(|(host, _)| core::str::from_utf8(host).ok());
            fail("cannot open the directory", host.unwrap_or("?"));
        }
    }
}

/// Opens the directory of one grant: `ACCESS HOST GUEST`, divided by tabs.
fn open(grant: &'static [u8]) -> sys::Result<()> {
    let (access, names) = split(grant, b'\t').ok_or(Errno::INVAL)?;
    let (host, guest) = split(names, b'\t').ok_or(Errno::INVAL)?;
    let mut path = [0; PATH];
    path.get_mut(..host.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(host);
    let path = CStr::from_bytes_until_nul(&path).map_err(|_| Errno::NAMETOOLONG)?;
    let opened = Descriptor {
        handle: fs::open_preopen(path)?,
        kind: Kind::Preopen(guest),
        rights: Rights::DIRECTORY,
        inheriting: Rights::DIRECTORY.and(Rights::FILE),
        read_only: access == b"ro",
    };
    descriptor::table().insert(opened).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_the_lines_after_the_header() {
        let all: Vec<_> = grants().collect();
        assert_eq!(
            all,
            [
                (&b"dir"[..], &b"rw\t.\t/"[..]),
                (b"env", b"A=1"),
                (b"env", b"B=x=y"),
                (b"inherit-env", b"PATH"),
            ]
        );
    }

    #[test]
    fn the_first_divider_counts() {
        assert_eq!(split(b"B=x=y", b'='), Some((&b"B"[..], &b"x=y"[..])));
        assert_eq!(split(b"none", b'='), None);
    }
}
