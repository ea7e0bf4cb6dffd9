//! From a path to the one name that it ends in, without ever leaving the directory it starts at.
//!
//! The path is walked component by component: each directory on the way is opened relative to the
//! former one and no link is followed by the host. Links are read and their text walked like the
//! rest of the path. `..` goes back along the directories that were opened, so it ends where the
//! walk began; nothing that others rename or replace meanwhile can change that. What would lead
//! out gives `PERM`: an absolute path or link, or `..` from the first directory.
//!
//! Where the host itself can open a directory by its path and guarantee as much, one call takes
//! the place of the walk up to the last component. Only if that is a link, the walk begins anew.

use super::guest::Guest;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::fs::{self, Handle};
use crate::sys::types::Open;
use core::ffi::CStr;

/// Bytes of the longest path, links' texts included, with the NUL that ends it.
const PATH: usize = 4096;
/// Links that one path may lead through.
const LINKS: u32 = 40;
/// Directories that one path may lead down.
const DEPTH: usize = 128;

/// A walk along a path.
pub struct Walk<'a> {
    base: &'a Handle,
    /// Directories below `base`, the last one being where the walk is.
    down: [Option<Handle>; DEPTH],
    depth: usize,
    /// What is left of the path, at the end of the room so that a link's text can be put before
    /// it. It ends in NUL; components that were walked end in NUL too.
    text: [u8; PATH],
    /// Where the rest begins, after the current name.
    rest: usize,
    /// Where the current name begins.
    name: usize,
    links: u32,
    /// Where the path began, if the host went to the last component's directory at once.
    jump: Option<usize>,
    /// The path ends in a slash: it must lead to a directory.
    directory: bool,
}

impl<'a> Walk<'a> {
    /// A walk that has not begun. It is large: where it is made it stays.
    #[inline(always)]
    pub fn from(base: &'a Handle) -> Self {
        Self {
            base,
            down: [const { None }; DEPTH],
            depth: 0,
            text: [0; PATH],
            rest: PATH - 1,
            name: PATH - 1,
            links: 0,
            jump: None,
            directory: false,
        }
    }

    /// Walks a path of a program up to its last component. Besides what the host says: `NOENT` if
    /// it is empty, `ILSEQ` if it is not UTF-8, `INVAL` if it holds a NUL, `PERM` if it leads out.
    pub fn begin(&mut self, guest: &Guest, path: u32, length: u32) -> Result<()> {
        let start = (PATH - 1).checked_sub(length as usize).ok_or(Errno::NAMETOOLONG)?;
        let place = self.text.get_mut(start..PATH - 1).ok_or(Errno::NAMETOOLONG)?;
        guest.read_into(path, place)?;
        check(place)?;
        self.rest = start;
        self.name = start;
        if self.jump_to_last()? { Ok(()) } else { self.walk_to_last() }
    }

    /// The directory that holds the last component.
    pub fn parent(&self) -> &Handle {
        let last = self.depth.checked_sub(1).and_then(|last| self.down.get(last));
        last.and_then(Option::as_ref).unwrap_or(self.base)
    }

    /// The last component: a name, or `.` for the directory itself.
    pub fn name(&self) -> &CStr {
        let text = self.text.get(self.name..).unwrap_or_default();
        CStr::from_bytes_until_nul(text).ok().filter(|name| !name.is_empty()).unwrap_or(c".")
    }

    /// Whether the path says that it leads to a directory.
    pub fn is_directory(&self) -> bool {
        self.directory
    }

    /// Does something with the last component. An operation that meets a link there, as it says
    /// with `LOOP` or `NOTDIR`, is done again with what the link leads to, if `follow` is set.
    pub fn run<T>(&mut self, follow: bool, operation: impl Fn(&Self) -> Result<T>) -> Result<T> {
        loop {
            match operation(self) {
                Err(error @ (Errno::LOOP | Errno::NOTDIR)) if follow || self.directory => {
                    self.follow(error)?;
                }
                result => return result,
            }
        }
    }

    /// Has the host go to the last component's directory, if there is one on the way and the host
    /// can; false if the path is still to be walked.
    fn jump_to_last(&mut self) -> Result<bool> {
        let begin = self.rest;
        let path = self.text.get(begin..PATH - 1).unwrap_or_default();
        let length = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
        let components = path.get(..length).unwrap_or_default();
        let Some(slash) = components.iter().rposition(|&byte| byte == b'/') else {
            return Ok(false);
        };
        if components.get(slash + 1..) == Some(b"..") {
            return Ok(false);
        }
        let is_directory = length < path.len();
        let (slash, end) = (begin + slash, begin + length);
        self.set(slash, 0);
        let way = self.text.get(begin..).and_then(|way| CStr::from_bytes_until_nul(way).ok());
        let found = way.map_or(Ok(None), |way| fs::open_beneath(self.base, way));
        self.set(slash, b'/');
        let Some(parent) = found? else { return Ok(false) };
        (end..PATH).for_each(|index| self.set(index, 0));
        self.directory = is_directory;
        self.jump = Some(begin);
        self.name = slash + 1;
        self.rest = PATH - 1;
        self.down[0] = Some(parent);
        self.depth = 1;
        Ok(true)
    }

    /// Walks to where the host went at once.
    #[cold]
    fn walk_instead(&mut self, begin: usize) -> Result<()> {
        self.down[0] = None;
        self.depth = 0;
        self.rest = begin;
        self.walk_to_last()
    }

    fn set(&mut self, index: usize, byte: u8) {
        if let Some(place) = self.text.get_mut(index) {
            *place = byte;
        }
    }

    /// Walks on to what the link at the last component leads to. Gives `error` if there is none.
    fn follow(&mut self, error: Errno) -> Result<()> {
        if let Some(begin) = self.jump.take() {
            self.walk_instead(begin)?;
        }
        self.expand(error)?;
        self.walk_to_last()
    }

    /// Walks until only the last component is left.
    fn walk_to_last(&mut self) -> Result<()> {
        loop {
            let last = self.next_name();
            match self.name().to_bytes() {
                b".." => {
                    self.up()?;
                    // The walk is where `..` leads, so what is left to name is `.`.
                    self.name = PATH - 1;
                }
                b"." => {}
                _ if !last => self.enter()?,
                _ => {}
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Makes the next component the current name; true if it is the path's last. Slashes at the
    /// end of the path belong to no component, but ask for a directory.
    fn next_name(&mut self) -> bool {
        self.name = self.rest;
        let text = self.text.get_mut(self.rest..PATH - 1).unwrap_or_default();
        let Some(slash) = text.iter().position(|&byte| byte == b'/') else {
            self.rest = PATH - 1;
            return true;
        };
        let mut end = slash;
        while let Some(place @ b'/') = text.get_mut(end) {
            *place = 0;
            end += 1;
        }
        self.rest += end;
        let last = self.rest == PATH - 1;
        self.directory |= last;
        last
    }

    /// Goes into the directory at the current name, or on to what a link there leads to.
    fn enter(&mut self) -> Result<()> {
        let how = Open { directory: true, ..Open::default() };
        match fs::open_at(self.parent(), self.name(), &how) {
            Ok(handle) => {
                *self.down.get_mut(self.depth).ok_or(Errno::NAMETOOLONG)? = Some(handle);
                self.depth += 1;
                Ok(())
            }
            Err(error @ (Errno::LOOP | Errno::NOTDIR)) => self.expand(error),
            Err(error) => Err(error),
        }
    }

    /// Goes back to the directory that the last one was opened from.
    fn up(&mut self) -> Result<()> {
        self.depth = self.depth.checked_sub(1).ok_or(Errno::PERM)?;
        if let Some(left) = self.down.get_mut(self.depth) {
            *left = None;
        }
        Ok(())
    }

    /// Puts the text of the link at the current name before the rest of the path. Gives `error` if
    /// there is no link.
    #[cold]
    fn expand(&mut self, error: Errno) -> Result<()> {
        self.links += 1;
        if self.links > LINKS {
            return Err(Errno::LOOP);
        }
        let mut link = [0; PATH];
        let length = fs::read_link_at(self.parent(), self.name(), &mut link).map_err(|_| error)?;
        let link = link.get(..length).unwrap_or_default();
        check(link)?;
        let mut end = self.rest;
        if end < PATH - 1 {
            end = end.checked_sub(1).ok_or(Errno::NAMETOOLONG)?;
            *self.text.get_mut(end).ok_or(Errno::NAMETOOLONG)? = b'/';
        }
        self.rest = end.checked_sub(length).ok_or(Errno::NAMETOOLONG)?;
        self.text.get_mut(self.rest..end).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(link);
        Ok(())
    }
}

/// Refuses what no path or link may be: empty, absolute, not UTF-8, with a NUL in it.
pub fn check(path: &[u8]) -> Result<()> {
    match path {
        [] => Err(Errno::NOENT),
        [b'/', ..] => Err(Errno::PERM),
        _ if path.contains(&0) => Err(Errno::INVAL),
        _ if core::str::from_utf8(path).is_err() => Err(Errno::ILSEQ),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
