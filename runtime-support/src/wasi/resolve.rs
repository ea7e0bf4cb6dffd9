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

use super::files::{self as fs, Handle};
use super::guest::Guest;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::Open;
use core::ffi::CStr;
use core::mem::MaybeUninit;

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
    down: Down,
    /// What is left of the path; components that were walked end in NUL.
    text: Text,
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
            down: Down { handles: [const { MaybeUninit::uninit() }; DEPTH], depth: 0 },
            text: Text::new(),
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
        let (start, place) = self.text.put_before(PATH - 1, length as usize)?;
        guest.read_into(path, place)?;
        check(place)?;
        self.rest = start;
        self.name = start;
        if self.jump_to_last()? { Ok(()) } else { self.walk_to_last() }
    }

    /// The directory that holds the last component.
    pub fn parent(&self) -> &Handle {
        self.down.handles().last().unwrap_or(self.base)
    }

    /// The last component: a name, or `.` for the directory itself.
    pub fn name(&self) -> &CStr {
        CStr::from_bytes_until_nul(self.text.tail(self.name))
            .ok()
            .filter(|name| !name.is_empty())
            .unwrap_or(c".")
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
        let (_, path) = self.text.tail(begin).split_last().unwrap_or((&0, &[]));
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
        self.text.set(slash, 0);
        let way = CStr::from_bytes_until_nul(self.text.tail(begin));
        let found = way.map_or(Ok(None), |way| fs::open_beneath(self.base, way));
        self.text.set(slash, b'/');
        let Some(parent) = found? else { return Ok(false) };
        (end..PATH).for_each(|index| self.text.set(index, 0));
        self.directory = is_directory;
        self.jump = Some(begin);
        self.name = slash + 1;
        self.rest = PATH - 1;
        self.down.push(parent)?;
        Ok(true)
    }

    /// Walks to where the host went at once.
    #[cold]
    fn walk_instead(&mut self, begin: usize) -> Result<()> {
        self.down.pop();
        self.rest = begin;
        self.walk_to_last()
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
                    self.down.pop().ok_or(Errno::PERM)?;
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
        let text = self.text.tail_mut(self.rest);
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
            Ok(handle) => self.down.push(handle),
            Err(error @ (Errno::LOOP | Errno::NOTDIR)) => self.expand(error),
            Err(error) => Err(error),
        }
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
            let (slash, place) = self.text.put_before(end, 1)?;
            place.copy_from_slice(b"/");
            end = slash;
        }
        let (start, place) = self.text.put_before(end, length)?;
        place.copy_from_slice(link);
        self.rest = start;
        Ok(())
    }
}

/// The directories that a walk went down.
struct Down {
    /// The first `depth` of them are there.
    handles: [MaybeUninit<Handle>; DEPTH],
    depth: usize,
}

impl Down {
    fn handles(&self) -> &[Handle] {
        // SAFETY: as many are there.
        unsafe { core::slice::from_raw_parts(self.handles.as_ptr().cast(), self.depth) }
    }

    /// `NAMETOOLONG` if there are too many.
    fn push(&mut self, handle: Handle) -> Result<()> {
        self.handles.get_mut(self.depth).ok_or(Errno::NAMETOOLONG)?.write(handle);
        self.depth += 1;
        Ok(())
    }

    fn pop(&mut self) -> Option<Handle> {
        self.depth = self.depth.checked_sub(1)?;
        // SAFETY: it was there, and is not any more.
        self.handles.get(self.depth).map(|last| unsafe { last.assume_init_read() })
    }
}

impl Drop for Down {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

/// Room for a path, which lies at its end so that a link's text can be put before it. It ends in
/// NUL.
struct Text {
    /// Written from `start` on.
    bytes: [MaybeUninit<u8>; PATH],
    start: usize,
}

impl Text {
    #[inline(always)]
    fn new() -> Self {
        let mut bytes = [const { MaybeUninit::uninit() }; PATH];
        bytes[PATH - 1].write(0);
        Self { bytes, start: PATH - 1 }
    }

    /// The text from an index on, with the NUL.
    fn tail(&self, index: usize) -> &[u8] {
        let written = self.bytes.get(index.max(self.start)..).unwrap_or_default();
        // SAFETY: all of this was written.
        unsafe { &*(core::ptr::from_ref(written) as *const [u8]) }
    }

    /// The text from an index on, without the NUL.
    fn tail_mut(&mut self, index: usize) -> &mut [u8] {
        let written = self.bytes.get_mut(index.max(self.start)..PATH - 1).unwrap_or_default();
        // SAFETY: all of this was written.
        unsafe { &mut *(core::ptr::from_mut(written) as *mut [u8]) }
    }

    /// Room for more text before what begins at `end`, and where it begins. `NAMETOOLONG`.
    fn put_before(&mut self, end: usize, length: usize) -> Result<(usize, &mut [u8])> {
        // Nothing is left unwritten between the two.
        let end = end.max(self.start);
        let start = end.checked_sub(length).ok_or(Errno::NAMETOOLONG)?;
        let place = self.bytes.get_mut(start..end).ok_or(Errno::NAMETOOLONG)?;
        place.fill(MaybeUninit::new(0));
        self.start = self.start.min(start);
        // SAFETY: all of this was just written.
        Ok((start, unsafe { &mut *(core::ptr::from_mut(place) as *mut [u8]) }))
    }

    fn set(&mut self, index: usize, byte: u8) {
        if let Some(place) = self.tail_mut(index).first_mut() {
            *place = byte;
        }
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
