//! The table of descriptors.
//!
//! Numbers 0 to 2 are the host's standard streams, the next ones the preopened directories, then
//! the listeners; after that a new descriptor has the lowest number that is free, as POSIX asks. The table grows as far
//! as memory allows; the host's own limit on open files comes first.

use super::files::Handle;
use super::rights::Rights;
use crate::errno::Errno;
use crate::lock::{Guard, Lock};
use crate::sys::{Result, fs, memory, thread};
use crate::trap::require_stack;
use core::ops::{Deref, DerefMut};
use core::ptr::null_mut;
use core::sync::atomic::AtomicU32;

/// What a descriptor refers to, as far as WASI tells the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A standard stream.
    Stream,
    /// Anything opened by path that is no directory.
    File,
    /// A listener that the policy grants, or a connection from one.
    Socket,
    /// A directory opened by path.
    Directory,
    /// A directory that the policy grants, by the name that the program knows it by.
    Preopen(&'static [u8]),
}

impl Kind {
    /// Whether it is a place that paths are relative to.
    #[must_use]
    pub const fn is_directory(self) -> bool {
        matches!(self, Self::Directory | Self::Preopen(_))
    }
}

/// An open descriptor.
#[derive(Debug)]
pub struct Descriptor {
    /// What is open.
    pub handle: Handle,
    /// What it is.
    pub kind: Kind,
    /// What the program may do with it.
    pub rights: Rights,
    /// What the program may do with what it opens through it.
    pub inheriting: Rights,
    /// Nothing below it may be changed.
    pub read_only: bool,
}

/// Descriptors that need no memory of their own. A power of two, and so is what follows: each
/// further piece of the table has room for as many as all pieces before it.
const FEW: usize = 16;
/// Pieces of the table: a program may have 2^20 descriptors open.
const PIECES: usize = 17;

/// A place for a descriptor. It never moves.
struct Slot {
    descriptor: Option<Descriptor>,
    /// Calls that use it now; [`ALONE`] for one that changes it.
    users: u32,
    /// It was closed while it was in use: the last user takes it out.
    closed: bool,
}

/// Stands for one user who must be alone.
const ALONE: u32 = u32::MAX;

impl Slot {
    const FREE: Self = Self { descriptor: None, users: 0, closed: false };
}

/// All descriptors of the program.
pub struct Table {
    first: [Slot; FEW],
    /// The pieces after the first one; null as long as they are not needed.
    pieces: [*mut Slot; PIECES - 1],
    /// Slots that were ever used.
    used: usize,
    /// No slot below this one is free.
    lowest: usize,
}

static TABLE: Lock<Table> = Lock::new(Table {
    first: [const { Slot::FREE }; FEW],
    pieces: [null_mut(); PIECES - 1],
    used: 0,
    lowest: 0,
});

/// The table, for as long as the guard lives: not for the time of a call that may block. Traps
/// where the stack is too short for what follows.
pub fn table() -> Guard<'static, Table> {
    require_stack();
    TABLE.lock()
}

/// A descriptor in use: another thread may close its number, but the host's handle stays open.
pub struct InUse {
    number: usize,
    slot: *mut Slot,
}

impl Deref for InUse {
    type Target = Descriptor;

    fn deref(&self) -> &Descriptor {
        // SAFETY: a slot in use holds a descriptor, which nobody changes but one who is alone.
        unsafe { (*self.slot).descriptor.as_ref().unwrap_unchecked() }
    }
}

impl Drop for InUse {
    #[inline(never)]
    fn drop(&mut self) {
        // What is taken out is dropped after the table is left. The stack suffices, as it did when
        // the use began.
        let _closed = TABLE.lock().leave(self.number, self.slot);
    }
}

/// A descriptor in use by nobody else, so that it can be changed.
pub struct Alone(InUse);

impl Deref for Alone {
    type Target = Descriptor;

    fn deref(&self) -> &Descriptor {
        &self.0
    }
}

impl DerefMut for Alone {
    fn deref_mut(&mut self) -> &mut Descriptor {
        // SAFETY: a slot in use holds a descriptor, and this is its one user.
        unsafe { (*self.0.slot).descriptor.as_mut().unwrap_unchecked() }
    }
}

/// An open descriptor with all of these rights: `BADF`, `NOTCAPABLE`.
#[inline(never)]
pub fn get(fd: u32, rights: Rights) -> Result<InUse> {
    enter(fd, rights, |users| users.checked_add(1).filter(|&users| users != ALONE))
}

/// The same, to change it. Waits until no other thread uses it.
pub fn get_alone(fd: u32, rights: Rights) -> Result<Alone> {
    enter(fd, rights, |users| (users == 0).then_some(ALONE)).map(Alone)
}

/// Has a descriptor used by as many as `more` makes of its users, once that gives a number.
fn enter(fd: u32, rights: Rights, more: impl Fn(u32) -> Option<u32>) -> Result<InUse> {
    /// Nanoseconds between two looks: threads seldom meet here.
    const PAUSE: u64 = 1_000_000;
    /// Nobody wakes who waits for this.
    static NEVER: AtomicU32 = AtomicU32::new(0);
    loop {
        let mut table = table();
        let slot = table.open(fd)?;
        if let Some(users) = more(slot.users) {
            if !slot.descriptor.as_ref().is_some_and(|found| found.rights.has(rights)) {
                return Err(Errno::NOTCAPABLE);
            }
            slot.users = users;
            return Ok(InUse { number: fd as usize, slot });
        }
        drop(table);
        thread::wait(&NEVER, 0, Some(PAUSE));
    }
}

impl Table {
    /// The slot of that number, if it was ever used.
    fn slot(&mut self, number: usize) -> Option<&mut Slot> {
        if number >= self.used {
            return None;
        }
        if let Some(slot) = self.first.get_mut(number) {
            return Some(slot);
        }
        let (piece, start) = place(number);
        // SAFETY: slots that were used lie in pieces that are there.
        unsafe { Some(&mut *self.pieces.get(piece)?.add(number - start)) }
    }

    /// The slot of an open descriptor.
    fn open(&mut self, fd: u32) -> Result<&mut Slot> {
        self.slot(fd as usize)
            .filter(|slot| slot.descriptor.is_some() && !slot.closed)
            .ok_or(Errno::BADF)
    }

    /// The open descriptors.
    pub fn descriptors(&mut self) -> impl Iterator<Item = &Descriptor> {
        let mut number = 0;
        core::iter::from_fn(move || {
            let slot: *const Slot = self.slot(number)?;
            number += 1;
            Some(slot)
        })
        // SAFETY: slots stay, and the table is borrowed for as long as the descriptors are.
        .filter_map(|slot| unsafe { (*slot).descriptor.as_ref() })
    }

    /// Gives a descriptor the lowest free number. `MFILE` if there is none.
    pub fn insert(&mut self, descriptor: Descriptor) -> Result<u32> {
        let mut number = self.lowest;
        while self.slot(number).is_some_and(|slot| slot.descriptor.is_some()) {
            number += 1;
        }
        if number >= self.used {
            self.append()?;
        }
        self.slot(number).ok_or(Errno::MFILE)?.descriptor = Some(descriptor);
        self.lowest = number + 1;
        Ok(number as u32)
    }

    /// Adds a free slot, and makes the piece that it begins.
    fn append(&mut self) -> Result<()> {
        if self.used >= FEW {
            let (piece, start) = place(self.used);
            let place = self.pieces.get_mut(piece).ok_or(Errno::MFILE)?;
            if place.is_null() {
                // A piece has room for as many as there are before it.
                let bytes = (start * size_of::<Slot>()).next_multiple_of(memory::page_size());
                *place = memory::allocate(bytes)?.cast();
            }
            // SAFETY: the slot lies in the piece and was never used.
            unsafe { place.add(self.used - start).write(Slot::FREE) };
        }
        self.used += 1;
        Ok(())
    }

    /// Takes a descriptor out of the table; gives none if it is in use, and its last user takes it
    /// out.
    pub fn remove(&mut self, fd: u32) -> Result<Option<Descriptor>> {
        let slot = self.open(fd)?;
        if slot.users > 0 {
            slot.closed = true;
            return Ok(None);
        }
        let removed = slot.descriptor.take();
        self.lowest = self.lowest.min(fd as usize);
        Ok(removed)
    }

    /// Ends one use of a descriptor; gives the descriptor if it is closed by that.
    fn leave(&mut self, number: usize, slot: *mut Slot) -> Option<Descriptor> {
        // SAFETY: slots stay, and the table is this thread's while it has the lock.
        let slot = unsafe { &mut *slot };
        slot.users = if slot.users == ALONE { 0 } else { slot.users - 1 };
        if slot.users > 0 || !slot.closed {
            return None;
        }
        slot.closed = false;
        self.lowest = self.lowest.min(number);
        slot.descriptor.take()
    }

    /// Moves a descriptor to the number of another one; gives the latter, to be closed. `BUSY` if
    /// a thread uses one of them.
    pub fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Descriptor>> {
        let users = [self.open(from)?.users, self.open(to)?.users];
        if from == to {
            return Ok(None);
        }
        if users != [0, 0] {
            return Err(Errno::BUSY);
        }
        let moved = self.remove(from)?;
        Ok(core::mem::replace(&mut self.open(to)?.descriptor, moved))
    }

    /// Fills the first slots with the host's standard streams.
    pub fn insert_standard_streams(&mut self) -> Result<()> {
        for number in 0..3 {
            self.append()?;
            let slot = self.slot(number as usize).ok_or(Errno::MFILE)?;
            slot.descriptor = fs::standard_stream(number).map(|handle| Descriptor {
                handle: Handle::Host(handle),
                kind: Kind::Stream,
                rights: Rights::STREAM,
                inheriting: Rights::NONE,
                read_only: false,
            });
        }
        self.lowest = 3;
        Ok(())
    }
}

/// The piece after the first one that a slot lies in, and the number of that piece's first slot.
fn place(number: usize) -> (usize, usize) {
    let piece = (number / FEW).ilog2();
    (piece as usize, FEW << piece)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasi::files;

    fn descriptor() -> Descriptor {
        Descriptor {
            handle: Handle::Host(fs::open_preopen(c".").unwrap()),
            kind: Kind::Directory,
            rights: Rights::NONE,
            inheriting: Rights::NONE,
            read_only: false,
        }
    }

    #[test]
    fn the_lowest_free_number_is_given_next() {
        crate::program::tests::begin();
        let table = &mut *table();
        table.insert_standard_streams().unwrap();
        for number in 3..100 {
            assert_eq!(table.insert(descriptor()), Ok(number));
        }
        for number in [50, 7] {
            assert!(table.remove(number).unwrap().is_some());
            assert_eq!(table.open(number).err(), Some(Errno::BADF));
        }
        assert_eq!(table.insert(descriptor()), Ok(7));
        assert_eq!(table.insert(descriptor()), Ok(50));
        assert_eq!(table.insert(descriptor()), Ok(100));
        assert!(table.renumber(100, 4).unwrap().is_some());
        assert_eq!(table.renumber(5, 100).err(), Some(Errno::BADF));
        assert_eq!(table.insert(descriptor()), Ok(100));
        assert_eq!(table.remove(1 << 20).err(), Some(Errno::BADF));
    }

    #[test]
    fn what_is_in_use_stays_open_until_its_last_user_is_done() {
        crate::program::tests::begin();
        let number = table().insert(descriptor()).unwrap();
        let (one, other) = (get(number, Rights::NONE).unwrap(), get(number, Rights::NONE).unwrap());
        assert!(table().remove(number).unwrap().is_none());
        assert_eq!(get(number, Rights::NONE).err(), Some(Errno::BADF));
        drop(one);
        assert!(files::stat(&other.handle).is_ok());
        assert!(table().slot(number as usize).unwrap().descriptor.is_some());
        drop(other);
        assert!(table().slot(number as usize).unwrap().descriptor.is_none());
    }
}
