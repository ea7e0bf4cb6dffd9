//! The table of descriptors.
//!
//! Numbers 0 to 2 are the host's standard streams, the next ones the preopened directories, then
//! the listeners; after that a new descriptor has the lowest number that is free, as POSIX asks. The table grows as far
//! as memory allows; the host's own limit on open files comes first.

use super::rights::Rights;
use crate::errno::Errno;
use crate::global::Global;
use crate::sys::fs::{self, Handle};
use crate::sys::{Result, memory};
use core::mem::MaybeUninit;

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
    /// What the host knows it by.
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

/// Descriptors that need no memory of their own.
const FEW: usize = 16;
/// Descriptors that a program may have open.
const MOST: usize = 1 << 20;

type Slot = MaybeUninit<Option<Descriptor>>;

/// All descriptors of the program.
pub struct Table {
    few: [Slot; FEW],
    /// Pages that hold the slots once `few` is too small.
    many: *mut Slot,
    capacity: usize,
    /// Slots that were ever used; the others are not initialized.
    used: usize,
    /// No slot below this one is free.
    lowest: usize,
}

static TABLE: Global<Table> = Global::new(Table {
    few: [const { MaybeUninit::uninit() }; FEW],
    many: core::ptr::null_mut(),
    capacity: FEW,
    used: 0,
    lowest: 0,
});

/// The table. A call of WASI asks for it once.
pub fn table() -> &'static mut Table {
    // SAFETY: the program has one thread, and no call of WASI leads to another.
    unsafe { &mut *TABLE.get() }
}

/// An open descriptor with all of these rights: `BADF`, `NOTCAPABLE`.
pub fn get(fd: u32, rights: Rights) -> Result<&'static mut Descriptor> {
    let descriptor = table().get(fd)?;
    if !descriptor.rights.has(rights) {
        return Err(Errno::NOTCAPABLE);
    }
    Ok(descriptor)
}

impl Table {
    fn slots(&mut self) -> &mut [Option<Descriptor>] {
        let slots = if self.many.is_null() { self.few.as_mut_ptr() } else { self.many };
        // SAFETY: as many slots are initialized.
        unsafe { core::slice::from_raw_parts_mut(slots.cast(), self.used) }
    }

    /// An open descriptor.
    pub fn get(&mut self, fd: u32) -> Result<&mut Descriptor> {
        self.slots().get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::BADF)
    }

    /// The open descriptors.
    pub fn open(&mut self) -> impl Iterator<Item = &Descriptor> {
        self.slots().iter().flatten()
    }

    /// Gives a descriptor the lowest free number. `MFILE` if there is none.
    pub fn insert(&mut self, descriptor: Descriptor) -> Result<u32> {
        let lowest = self.lowest;
        let mut free = self.slots().iter_mut().enumerate().skip(lowest);
        let number = match free.find(|(_, slot)| slot.is_none()) {
            Some((number, slot)) => {
                *slot = Some(descriptor);
                number
            }
            None => self.append(Some(descriptor))?,
        };
        self.lowest = number + 1;
        Ok(number as u32)
    }

    /// Initializes one more slot.
    fn append(&mut self, slot: Option<Descriptor>) -> Result<usize> {
        if self.used == self.capacity {
            self.grow()?;
        }
        let number = self.used;
        let slots = if self.many.is_null() { self.few.as_mut_ptr() } else { self.many };
        // SAFETY: the slot lies inside the room and was never used.
        unsafe { slots.add(number).write(MaybeUninit::new(slot)) };
        self.used += 1;
        Ok(number)
    }

    /// Moves the slots to room for twice as many.
    #[cold]
    fn grow(&mut self) -> Result<()> {
        let capacity = self.capacity * 2;
        if capacity > MOST {
            return Err(Errno::MFILE);
        }
        let bytes =
            |capacity: usize| (capacity * size_of::<Slot>()).next_multiple_of(memory::page_size());
        let slots = memory::allocate(bytes(capacity))?.cast::<Slot>();
        // SAFETY: the new room is larger; the former is not used again.
        unsafe {
            core::ptr::copy_nonoverlapping(self.slots().as_ptr().cast(), slots, self.used);
            if !self.many.is_null() {
                memory::release(self.many.cast(), bytes(self.capacity));
            }
        }
        self.many = slots;
        self.capacity = capacity;
        Ok(())
    }

    /// Takes a descriptor out of the table.
    pub fn remove(&mut self, fd: u32) -> Result<Descriptor> {
        let removed =
            self.slots().get_mut(fd as usize).and_then(Option::take).ok_or(Errno::BADF)?;
        self.lowest = self.lowest.min(fd as usize);
        Ok(removed)
    }

    /// Moves a descriptor to the number of another one, which is closed.
    pub fn renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(());
        }
        let moved = self.remove(from)?;
        let replaced = core::mem::replace(self.get(to)?, moved);
        fs::close(replaced.handle)
    }

    /// Fills the first slots with the host's standard streams.
    pub fn insert_standard_streams(&mut self) -> Result<()> {
        for number in 0..3 {
            let stream = fs::standard_stream(number).map(|handle| Descriptor {
                handle,
                kind: Kind::Stream,
                rights: Rights::FILE,
                inheriting: Rights::NONE,
                read_only: false,
            });
            self.append(stream)?;
        }
        self.lowest = 3;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor() -> Descriptor {
        Descriptor {
            handle: fs::open_preopen(c".").unwrap(),
            kind: Kind::Directory,
            rights: Rights::NONE,
            inheriting: Rights::NONE,
            read_only: false,
        }
    }

    #[test]
    fn the_lowest_free_number_is_given_next() {
        crate::program::tests::begin();
        let table = table();
        table.insert_standard_streams().unwrap();
        for number in 3..100 {
            assert_eq!(table.insert(descriptor()), Ok(number));
        }
        for number in [50, 7] {
            table.remove(number).unwrap();
            assert_eq!(table.get(number).err(), Some(Errno::BADF));
        }
        assert_eq!(table.insert(descriptor()), Ok(7));
        assert_eq!(table.insert(descriptor()), Ok(50));
        assert_eq!(table.insert(descriptor()), Ok(100));
        assert_eq!(table.renumber(100, 4), Ok(()));
        assert_eq!(table.renumber(5, 100), Err(Errno::BADF));
        assert_eq!(table.insert(descriptor()), Ok(100));
        assert_eq!(table.remove(1 << 20).err(), Some(Errno::BADF));
    }
}
