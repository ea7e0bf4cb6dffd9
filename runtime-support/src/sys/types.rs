//! Types that cross the border between WASI and the OS folders.
//!
//! Numbers that WASI defines keep WASI's values, so that the functions above pass them on without
//! tables. Source: the witx documents of `wasi_snapshot_preview1`.

use crate::errno::Errno;
use core::ffi::CStr;
use core::marker::PhantomData;

/// What kind of file something is; the values are WASI's `filetype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FileType {
    /// None of the others, or not known.
    Unknown = 0,
    /// A block device.
    BlockDevice = 1,
    /// A character device, terminals included.
    CharacterDevice = 2,
    /// A directory.
    Directory = 3,
    /// A regular file.
    RegularFile = 4,
    /// A datagram socket.
    SocketDatagram = 5,
    /// A stream socket.
    SocketStream = 6,
    /// A symbolic link.
    SymbolicLink = 7,
}

/// What is known about a file. Times are nanoseconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Number of the device that holds the file.
    pub device: u64,
    /// Number of the file on its device.
    pub inode: u64,
    /// Its kind. A pipe is [`FileType::Unknown`].
    pub file_type: FileType,
    /// Number of names it has.
    pub links: u64,
    /// Size in bytes; of a link, the length of its target.
    pub size: u64,
    /// Last access.
    pub accessed: u64,
    /// Last change of the contents.
    pub modified: u64,
    /// Last change of contents or attributes.
    pub changed: u64,
}

/// Flags of an open file; the bits are WASI's `fdflags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FdFlags(pub u16);

impl FdFlags {
    /// Every write goes to the end of the file.
    pub const APPEND: u16 = 1;
    /// Writes return once the data is stored.
    pub const DSYNC: u16 = 2;
    /// Reads and writes that would wait fail instead.
    pub const NONBLOCK: u16 = 4;
    /// Reads wait for writes in progress to be stored.
    pub const RSYNC: u16 = 8;
    /// Writes return once data and attributes are stored.
    pub const SYNC: u16 = 16;
    /// All of them.
    pub const ALL: u16 = 31;

    /// Whether all of `bits` are set.
    #[must_use]
    pub const fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }
}

/// How to open a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Open {
    /// The contents, or a directory's entries, shall be readable.
    pub read: bool,
    /// The contents shall be writable.
    pub write: bool,
    /// Make a regular file if there is none.
    pub create: bool,
    /// With `create`: fail with `EXIST` if there is something already, a link included.
    pub exclusive: bool,
    /// Cut the file to no bytes.
    pub truncate: bool,
    /// Fail with `NOTDIR` if it is no directory. With neither `read` nor `write`, the handle
    /// serves only as a place that names are relative to.
    pub directory: bool,
    /// Flags of the open file.
    pub flags: FdFlags,
}

/// Where a seek counts from; the values are WASI's `whence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whence {
    /// The start of the file.
    Start,
    /// The current position.
    Current,
    /// The end of the file.
    End,
}

/// What becomes of a time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeChange {
    /// It stays.
    Keep,
    /// It becomes the current time.
    Now,
    /// It becomes this: nanoseconds since 1970 in UTC.
    At(u64),
}

/// How a program expects to use a range of a file; the values are WASI's `advice`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Nothing special.
    Normal,
    /// From lower to higher offsets.
    Sequential,
    /// In no order.
    Random,
    /// Soon.
    WillNeed,
    /// Not soon.
    DontNeed,
    /// Once.
    NoReuse,
}

/// An entry of a directory.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its name, one component, without a NUL. UTF-8 where the OS guarantees it.
    pub name: &'a [u8],
    /// Its inode number; 0 where the OS does not say.
    pub inode: u64,
    /// Its kind; [`FileType::Unknown`] where the OS does not say.
    pub file_type: FileType,
    /// Cookie of the entry after this one, never 0.
    pub next: u64,
}

/// What reading a directory does with each entry: whether it shall go on.
pub type Visit<'a> = &'a mut dyn FnMut(&Entry<'_>) -> bool;

/// A folder that each operating system has in a place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// Where the executable lies.
    Executable,
    /// The user's own.
    Home,
    /// For the settings of the user's programs.
    Config,
    /// For what the user's programs can make anew.
    Cache,
    /// For what nobody needs later.
    Temporary,
}

/// What the grants let a program ask of the OS, besides what every program may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// To open and look at what paths name.
    pub paths: bool,
    /// To make, rename and remove it.
    pub changes: bool,
    /// To accept connections.
    pub sockets: bool,
}

/// A path of the host being put together.
pub struct HostPath {
    bytes: [u8; Self::CAPACITY],
    length: usize,
}

impl HostPath {
    /// Bytes of the longest path, with the NUL that ends it.
    const CAPACITY: usize = 4096;

    /// An empty path.
    #[must_use]
    pub const fn empty() -> Self {
        Self { bytes: [0; Self::CAPACITY], length: 0 }
    }

    /// Adds bytes. `NAMETOOLONG`, `INVAL` for a NUL.
    pub fn push(&mut self, bytes: impl IntoIterator<Item = u8>) -> super::Result<()> {
        for byte in bytes {
            if byte == 0 {
                return Err(Errno::INVAL);
            }
            if self.length == Self::CAPACITY - 1 {
                return Err(Errno::NAMETOOLONG);
            }
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
            }
            self.length += 1;
        }
        Ok(())
    }

    /// Number of bytes.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Leaves only the first bytes.
    pub fn cut(&mut self, length: usize) {
        if let Some(rest) = self.bytes.get_mut(length..) {
            rest.fill(0);
            self.length = self.length.min(length);
        }
    }

    /// The path.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The path, ended by a NUL.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }

    /// Calls `visit` for every directory on the way, and for the path itself.
    pub fn each_prefix(&mut self, mut visit: impl FnMut(&CStr)) {
        for end in 1..self.length {
            if let Some(slash @ b'/') = self.bytes.get(end).copied() {
                self.set(end, 0);
                visit(self.as_c_str());
                self.set(end, slash);
            }
        }
        visit(self.as_c_str());
    }

    fn set(&mut self, index: usize, byte: u8) {
        if let Some(place) = self.bytes.get_mut(index) {
            *place = byte;
        }
    }
}

/// A clock; the values are WASI's `clockid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Nanoseconds since 1970 in UTC.
    Realtime,
    /// Nanoseconds since some moment; never runs backwards and cannot be set.
    Monotonic,
    /// Processor time of the process.
    ProcessCpu,
    /// Processor time of the thread.
    ThreadCpu,
}

/// Memory that the OS reads or writes: `length` bytes from `pointer`. The layout is that of
/// POSIX's `struct iovec`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Buffer<'a> {
    pointer: *mut u8,
    length: usize,
    lifetime: PhantomData<&'a mut [u8]>,
}

impl<'a> Buffer<'a> {
    /// A buffer of bytes that may be changed by the program at any time.
    ///
    /// # Safety
    /// The `length` bytes from `pointer` can be read and, where the buffer is read into, written
    /// during `'a`, and no Rust reference to them is used meanwhile.
    #[must_use]
    pub const unsafe fn new(pointer: *mut u8, length: usize) -> Self {
        Self { pointer, length, lifetime: PhantomData }
    }

    /// Address of the first byte.
    #[must_use]
    pub const fn pointer(&self) -> *mut u8 {
        self.pointer
    }

    /// Number of bytes.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }
}

/// A handle that [`poll::wait`](super::poll::wait) waits for, and what became of it.
#[derive(Debug)]
pub struct Waited<'a> {
    /// What to wait for.
    pub handle: &'a super::fs::Handle,
    /// Wait until it can be written rather than read.
    pub write: bool,
    /// Set once a read or write would not wait, or would fail.
    pub ready: bool,
    /// Set once the other side hung up.
    pub hangup: bool,
    /// Set where the handle cannot be waited for.
    pub error: Option<Errno>,
    /// Bytes that can be read without waiting, at least 1 where the number is not known; 0 at the
    /// end of a file.
    pub bytes: u64,
}

/// Why the processor stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// An access to memory that may not be accessed so.
    Access,
    /// The stack ran into its guard, and the OS says so itself.
    StackOverflow,
    /// An illegal instruction: `ud2`, `udf`.
    Illegal,
    /// An integer division fault.
    Arithmetic,
    /// A breakpoint instruction: `brk`.
    Breakpoint,
}

/// A fault, as [`crate::trap::fault`] is told of it.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// Address whose access faulted; 0 if none did.
    pub address: usize,
    /// Address of the instruction.
    pub pc: usize,
    /// The frame pointer at that instruction: `rbp`, `x29`.
    pub frame_pointer: usize,
}

/// A place in compiled code that catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Landing {
    /// Address of its first instruction.
    pub pc: usize,
    /// The frame pointer there.
    pub frame: usize,
    /// The stack pointer there.
    pub stack: usize,
}

/// What is to become of a fault that compiled code catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caught {
    /// Where it goes on.
    pub landing: Landing,
    /// What it finds in the first register for results: `rax`, `x0`.
    pub value: usize,
}

/// Where executables have the contents of a memory that are too large to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryImage {
    /// At the memory's own address, which is known when linking.
    Fixed,
    /// In pages that the runtime maps once more.
    Mapped,
    /// At the end of the image, where the memory may stay.
    InPlace,
}
