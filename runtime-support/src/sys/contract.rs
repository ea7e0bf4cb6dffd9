//! What each OS folder provides, function by function. A folder that lacks one, or gives it other
//! types, does not compile.
//!
//! Each folder also defines the type `fs::Handle`: an open file, directory, pipe, terminal or
//! socket. It is owned: dropping it closes it, but for the three standard streams, which stay open
//! for the OS. A handle is never inherited by another process. An opened handle never takes the
//! place of a standard stream that was closed when the program started.
//!
//! Each folder also holds the entry point of executables: it keeps what the OS passed (arguments,
//! environment) and calls [`crate::start::start`].
//!
//! Names given to the functions of `fs` with `_at` are one component of a path, relative to a
//! directory's handle: valid UTF-8, not empty, without `/`, never `..`; `.` is the directory itself.
//! What the OS treats as a separator, a stream, a device or a drive in a name beyond that is
//! refused by the OS folder with `Errno::NOENT` where something is looked up and `Errno::INVAL`
//! where it would be made. No function with `_at` ever follows a link in that component: with this,
//! and with walking paths component by component, no path leads out of a preopened directory.

use super::types::{
    Advice, Buffer, Calls, Clock, FdFlags, Folder, HostPath, MemoryImage, Open, Stat, TimeChange,
    Visit, Waited, Whence,
};
use super::{
    Result, clock, folder, fs, fs::Handle, harden, memory, poll, process, random, signal, socket,
    thread,
};
use core::ffi::CStr;
use core::iter::Empty;
use core::net::SocketAddr;
use core::sync::atomic::AtomicU32;

macro_rules! provided {
    ($($(#[$doc:meta])* $module:ident::$name:ident: $type:ty;)*) => {
        $($(#[$doc])* const _: $type = $module::$name;)*
    };
}

// Address space. Addresses and lengths are multiples of `page_size`.
provided! {
    /// Bytes of a page: what lengths and addresses given here are multiples of. On Windows the
    /// allocation granularity.
    memory::page_size: fn() -> usize;
    /// Reserves address space that cannot be accessed yet. `NOMEM` if there is not as much.
    memory::reserve: fn(length: usize) -> Result<*mut u8>;
    /// Reserves address space at exactly that address; `EXIST` if something lies there.
    memory::reserve_at: fn(address: *mut u8, length: usize) -> Result<()>;
    /// The same, and makes it accessible at once.
    memory::commit_at: fn(address: *mut u8, length: usize) -> Result<()>;
    /// Makes reserved space readable and writable; it reads as zeros. Safety: the range is
    /// reserved.
    memory::commit: unsafe fn(address: *mut u8, length: usize) -> Result<()>;
    /// Where executables for the OS have a memory's contents.
    memory::IMAGE: MemoryImage;
    /// Has pages of the executable's image appear at `to` as well, instead of their being copied
    /// there: a page becomes a copy of its own when it is written, and the image stays as it is. An
    /// error, and zeros there as before, where the OS cannot, where addresses or length are not
    /// whole pages, and where copying is as quick. Safety: the image has as many bytes at `from`,
    /// which never change; `to` was committed, and nothing uses it yet.
    memory::map_image: unsafe fn(from: *const u8, to: *mut u8, length: usize) -> Result<()>;
    /// New zeroed memory.
    memory::allocate: fn(length: usize) -> Result<*mut u8>;
    /// Gives memory from `allocate` back. Safety: nothing refers to it any more, and it is one
    /// whole allocation.
    memory::release: unsafe fn(address: *mut u8, length: usize);
}

// Files, directories and streams. Offsets and sizes are in bytes.
provided! {
    /// The host's standard stream: 0 input, 1 output, 2 error. `None` for other numbers, or where
    /// the OS knows that it is closed; otherwise calls on a closed stream give `BADF`.
    fs::standard_stream: fn(number: u32) -> Option<Handle>;
    /// Opens a directory of the host by its path (UTF-8, relative to the working directory unless
    /// absolute), following links: for preopens only. The handle serves as a place and for reading
    /// the directory.
    fs::open_preopen: fn(path: &CStr) -> Result<Handle>;
    /// Makes a directory of the host by its path, for the user alone. What is there already, or
    /// cannot be made, shows when the directory is opened.
    fs::create_preopen: fn(path: &CStr);
    /// Whether an open directory belongs to the user that the program runs as.
    fs::is_own: fn(directory: &Handle) -> Result<bool>;
    /// Writes where a known folder lies. `NOENT` where the host does not say.
    folder::find: fn(folder: Folder, path: &mut HostPath) -> Result<()>;
    /// What divides the paths of a list in a variable of the environment.
    folder::LIST_DIVIDER: u8;
    /// Opens a name. A link gives `LOOP`, or `NOTDIR` where `directory` is asked for; neither is
    /// certain to mean a link. `ISDIR` if a directory is opened for writing.
    fs::open_at: fn(directory: &Handle, name: &CStr, how: &Open) -> Result<Handle>;
    /// Opens a directory, as a place, by a path of several components, `..` and links among them,
    /// if the OS guarantees that neither leads out of `base`; `None` where it cannot, or where
    /// walking the path shall tell what is wrong with it.
    fs::open_beneath: fn(base: &Handle, path: &CStr) -> Result<Option<Handle>>;
    /// Closes a handle and reports what the OS says, where dropping it would not.
    fs::close: fn(handle: Handle) -> Result<()>;
    /// Reads into the buffers in turn; 0 at the end. May read less. `AGAIN` without data if the
    /// handle does not block. An interrupted call is made again.
    fs::read: fn(handle: &Handle, buffers: &[Buffer<'_>]) -> Result<usize>;
    /// Reads from an offset and leaves the position alone. `SPIPE` where there are no offsets.
    fs::read_at: fn(handle: &Handle, buffers: &[Buffer<'_>], offset: u64) -> Result<usize>;
    /// Writes the buffers in turn, with one call where the OS can. May write less. `PIPE` if
    /// nobody reads any more; no signal is raised.
    fs::write: fn(handle: &Handle, buffers: &[Buffer<'_>]) -> Result<usize>;
    /// Writes at an offset and leaves the position alone.
    fs::write_at: fn(handle: &Handle, buffers: &[Buffer<'_>], offset: u64) -> Result<usize>;
    /// Moves the position; gives the new one from the start. `SPIPE` for streams.
    fs::seek: fn(handle: &Handle, offset: i64, whence: Whence) -> Result<u64>;
    /// What is known about an open file.
    fs::stat: fn(handle: &Handle) -> Result<Stat>;
    /// What is known about a name; a link is not followed.
    fs::stat_at: fn(directory: &Handle, name: &CStr) -> Result<Stat>;
    /// The flags of an open file.
    fs::flags: fn(handle: &Handle) -> Result<FdFlags>;
    /// Sets the flags of an open file: `APPEND` and `NONBLOCK`. `NOTSUP` where another would
    /// change and the OS cannot change it.
    fs::set_flags: fn(handle: &mut Handle, flags: FdFlags) -> Result<()>;
    /// Whether it is a terminal.
    fs::is_terminal: fn(handle: &Handle) -> bool;
    /// Cuts or extends a file with zeros.
    fs::set_size: fn(handle: &Handle, size: u64) -> Result<()>;
    /// Sets the times of last access and modification of an open file.
    fs::set_times: fn(handle: &Handle, accessed: TimeChange, modified: TimeChange) -> Result<()>;
    /// The same by name; a link's own times.
    fs::set_times_at: fn(&Handle, &CStr, accessed: TimeChange, modified: TimeChange) -> Result<()>;
    /// Reserves room for a range and extends the file to hold it. `NOTSUP` where the OS or the
    /// file system cannot.
    fs::allocate: fn(handle: &Handle, offset: u64, length: u64) -> Result<()>;
    /// Tells how a range will be used; 0 bytes mean to the end. Does nothing where the OS has no
    /// such call.
    fs::advise: fn(handle: &Handle, offset: u64, length: u64, advice: Advice) -> Result<()>;
    /// Stores data and attributes.
    fs::sync: fn(handle: &Handle) -> Result<()>;
    /// Stores data.
    fs::sync_data: fn(handle: &Handle) -> Result<()>;
    /// Calls `visit` for the entries from a cookie on, `.` and `..` included, until it returns
    /// false or there are no more. Cookie 0 is the start; others come from [`Entry::next`](super::types::Entry::next) of the
    /// same handle and stay valid while entries come and go. `NOTDIR` if it is no directory.
    fs::read_directory: fn(&mut Handle, cookie: u64, visit: Visit<'_>) -> Result<()>;
    /// Makes a directory. `EXIST` if there is something already.
    fs::create_directory_at: fn(directory: &Handle, name: &CStr) -> Result<()>;
    /// Removes a directory. `NOTEMPTY`; `NOTDIR` if it is none.
    fs::remove_directory_at: fn(directory: &Handle, name: &CStr) -> Result<()>;
    /// Removes a file or link. `ISDIR` (or `PERM` from a file system) if it is a directory.
    fs::unlink_file_at: fn(directory: &Handle, name: &CStr) -> Result<()>;
    /// Renames, replacing a file by a file and an empty directory by a directory, as POSIX says.
    fs::rename_at: fn(from: &Handle, &CStr, to: &Handle, &CStr) -> Result<()>;
    /// Gives a file another name; of a link, the link itself where the OS can.
    fs::link_at: fn(from: &Handle, &CStr, to: &Handle, &CStr) -> Result<()>;
    /// Makes a symbolic link with that text. `NOTSUP` or `PERM` where the OS cannot.
    fs::symlink_at: fn(target: &CStr, directory: &Handle, name: &CStr) -> Result<()>;
    /// Reads a link's text, with `/` between components, as far as it fits; gives the number of
    /// bytes. `INVAL` if the name is no link.
    fs::read_link_at: fn(directory: &Handle, name: &CStr, text: &mut [u8]) -> Result<usize>;
}

// Connections. Reading, writing, waiting and all else is done as with files.
provided! {
    /// Listens at an address of this machine, for TCP.
    socket::listen: fn(address: &SocketAddr) -> Result<Handle>;
    /// Waits for a connection, unless the listener does not block, and gives it with those flags:
    /// none or `NONBLOCK`.
    socket::accept: fn(listener: &Handle, flags: FdFlags) -> Result<Handle>;
    /// Reads into the buffers in turn, without taking the bytes away if `peek` is set, and not
    /// before the buffers are full, the other side has ended or an error came if `wait_all` is.
    socket::receive: fn(&Handle, buffers: &[Buffer<'_>], peek: bool, wait_all: bool) -> Result<usize>;
    /// Ends one or both directions of a connection.
    socket::shut_down: fn(connection: &Handle, receiving: bool, sending: bool) -> Result<()>;
}

// Time, chance and waiting.
provided! {
    /// Nanoseconds that a clock shows.
    clock::now: fn(clock: Clock) -> Result<u64>;
    /// Nanoseconds between two ticks of a clock, at least 1.
    clock::resolution: fn(clock: Clock) -> Result<u64>;
    /// Fills a buffer with random bytes fit for keys.
    random::fill: fn(buffer: &Buffer<'_>) -> Result<()>;
    /// Waits until one of the handles is ready or the time is over, in nanoseconds; `None` waits
    /// without end. Regular files are ready always. May return early with nothing ready. With no
    /// handles, sleeps.
    poll::wait: fn(waited: &mut [Waited<'_>], timeout: Option<u64>) -> Result<()>;
}

// The OS's own means to hold a process to its grants. Beyond these, a call of the OS fails.
provided! {
    /// Whether the OS has such means at all; where it has not, the functions are never called.
    harden::EXISTS: bool;
    /// Leaves only what is open and these directories, with whether they may be changed. `NOSYS`
    /// if this host cannot.
    harden::restrict_files: fn(directories: Empty<(&'static Handle, bool)>) -> Result<()>;
    /// Leaves only the calls that the runtime makes for such grants. `NOSYS` if this host cannot.
    harden::restrict_calls: fn(calls: Calls) -> Result<()>;
}

// The process.
provided! {
    /// An argument, the program's own name first; UTF-8 wherever the host's text was valid.
    process::argument: fn(index: usize) -> Option<&'static CStr>;
    /// An environment variable as `NAME=VALUE`.
    process::environment: fn(index: usize) -> Option<&'static CStr>;
    /// Whether names of variables that differ in upper and lower case only are the same.
    process::NAMES_IGNORE_CASE: bool;
    /// Takes the environment from the process that a library is in, where no entry point was passed
    /// one; arguments there are none. Called once, before anything asks for either.
    process::begin_library: fn();
    /// Ends the process. Flushes nothing: nothing is buffered.
    process::exit: fn(code: u32) -> !;
    /// Lets others run.
    process::yield_now: fn();
    /// Writes to standard error, as far as it can. Called in fault handlers too.
    process::report: fn(text: &[u8]);
}

// Faults and the stack.
provided! {
    /// Has faults reported to [`crate::trap::fault`], on a stack apart from the one that may be
    /// exhausted, and broken pipes reported as errors.
    signal::install: fn() -> Result<()>;
    /// Calls `entry` on a stack of at least `stack_size` bytes, with a guard below it; on Windows,
    /// the main thread's own stack, whose size the image says. Safety: called once, by the only
    /// thread.
    signal::call_on_stack: unsafe fn(stack_size: usize, entry: unsafe extern "C" fn()) -> Result<()>;
    /// For a library: has faults of its calls reported to [`crate::trap::shared_fault`], and leaves
    /// all others, and those that are not caught, to who had them before. Broken pipes stay the
    /// host's. Called once.
    signal::share: fn() -> Result<()>;
    /// For a library: makes a stack as for `call_on_stack`, where the OS lets a thread have another
    /// stack than its own. Called once.
    signal::make_stack: fn(stack_size: usize) -> Result<()>;
    /// Lowest address of the calling thread's stack that code may use.
    signal::stack_end: fn() -> usize;
    /// Calls `entry` on that stack, and has the calling thread's faults reported meanwhile. Safety:
    /// the stack is made, handlers are shared, and no other thread calls.
    signal::call_shared: unsafe fn(entry: unsafe extern "C" fn());
    /// Whether an address lies in the guard of the stack, or in what is below it.
    signal::is_stack_guard: fn(address: usize) -> bool;
    /// Guards the stack's end once more after it was exhausted and left.
    signal::guard_again: fn();
    /// Whether a frame pointer can be read: 16 bytes on the stack in use, aligned to 8.
    signal::is_on_stack: fn(frame_pointer: usize) -> bool;
}

// Threads.
provided! {
    /// Prepares for more threads than one, and gives the calling one a pointer of its own. Safety:
    /// called once, by the only thread.
    thread::begin: unsafe fn(local: *mut u8) -> Result<()>;
    /// The pointer that the calling thread has of its own; null before `begin`. Called in fault
    /// handlers too.
    thread::local: fn() -> *mut u8;
    /// Starts a thread that calls [`crate::thread::run`] with `local`, which is its own pointer,
    /// on a stack of at least `stack_size` bytes with a guard below it, and has its faults
    /// reported. Safety: `local` is fit for that.
    thread::spawn: unsafe fn(stack_size: usize, local: *mut u8) -> Result<()>;
    /// Waits while a word has that value: until another thread wakes it, or the time is over, in
    /// nanoseconds; `None` waits without end. May return early.
    thread::wait: fn(word: &AtomicU32, value: u32, timeout: Option<u64>);
    /// Wakes one thread that waits for a word, and maybe more. Uses nothing of the word but its
    /// address: it may have gone with its last waiter.
    thread::wake: fn(word: *const AtomicU32);
}
