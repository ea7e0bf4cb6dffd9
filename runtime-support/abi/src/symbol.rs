//! Names of symbols and sections that compiler, runtime and linker share.
//!
//! Names are those of the C language; an object format's own decoration (Mach-O's leading
//! underscore) is added where objects are read and written.

/// Defined by the runtime, referred to by [`PROGRAM`]: a runtime of another version lacks it.
pub const ABI: &str = "kiln_abi_v3";

/// The one [`Program`](crate::program::Program) record, emitted by the compiler.
pub const PROGRAM: &str = "kiln_program";

/// `extern "C" fn()`, emitted by the compiler: instantiates the modules and calls `_start`.
/// Runs on the stack meant for wasm.
pub const ENTRY: &str = "kiln_entry";

/// The capability manifest, written by the linker's caller into [`POLICY_SECTION`].
/// UTF-8 text, ended by a NUL byte; its lines are described in [`crate::program`].
pub const POLICY: &str = "kiln_policy";

/// `fn(code: u32) -> !`, named by the linker: what ends a program, one of [`END_PROCESS`] and
/// [`END_CALL`].
pub const END: &str = "kiln_end";
/// Ends the process, in an executable.
pub const END_PROCESS: &str = "kiln_end_process";
/// Ends the call, in a library.
pub const END_CALL: &str = "kiln_end_call";

/// `fn(text: *const u8, length: usize)`, named by the linker: where messages of the runtime go, one
/// of [`TELL_USER`] and [`TELL_CALLER`].
pub const TELL: &str = "kiln_tell";
/// To standard error, in an executable.
pub const TELL_USER: &str = "kiln_tell_user";
/// To who asks for them, in a library.
pub const TELL_CALLER: &str = "kiln_tell_caller";

/// `fn(code: u32) -> *const c_char`: what a library's code means.
pub const LIBRARY_MESSAGE: &str = "kiln_library_message";
/// `fn() -> u32`: what the last `proc_exit` in a library said.
pub const LIBRARY_EXIT_CODE: &str = "kiln_library_exit_code";

/// Section of [`POLICY`]; at most 8 characters, since PE images hold no longer names.
pub const POLICY_SECTION: &str = ".kpolicy";

/// The one [`Parts`](crate::part::Parts) record, written by the linker.
pub const PARTS: &str = "kiln_parts";

/// `extern "C" fn()`: ends the process if the processor lacks a feature that the program needs.
pub const CHECK_PROCESSOR: &str = "kiln_check_processor";

/// The one [`Embedded`](crate::embed::Embedded) record, written by the linker.
pub const EMBED: &str = "kiln_embedded";

/// Section of embedded files.
pub const EMBED_SECTION: &str = ".kembed";

/// Defined by the runtime: the functions that read embedded files. Only [`EMBED`] refers to it.
pub const EMBED_READER: &str = "kiln_embed_reader";

/// Prefix of the section of a piece of memory image that has a fixed address: the address follows
/// as 16 hexadecimal digits. The linker maps such a section writable at exactly that address; in PE
/// images, which have no fixed addresses, at that offset in the memory that begins in the image.
/// Its size is a multiple of the target's page size.
pub const PLACED_SECTION_PREFIX: &str = ".kiln.at.";

/// Section of the memory images that the runtime maps, in Mach-O: whole pages, writable.
pub const MAPPED_SECTION: &str = "__kmemory";

/// The parameters of a call of the runtime that may be narrower than 64 bits: the first ones.
///
/// Compiled code calls the runtime alike on all systems, in the convention of the architecture's
/// System V psABI, so that it is the same code on all of them. Windows' own on x86-64 is another
/// one; Apple's on arm64 is the same for integers, unless narrow ones come to lie on the stack.
/// Source: Apple, "Writing ARM64 code for Apple platforms".
pub const NARROW_PARAMETERS: usize = 8;

/// Calls of the runtime that are not WASI. The signatures stand beside each name; for the
/// convention see [`NARROW_PARAMETERS`]. A call that traps does not return.
pub mod builtin {
    /// `fn(code: u32) -> !`: ends the program with the trap of that [`TrapCode`](crate::trap::TrapCode).
    pub const TRAP: &str = "kiln_trap";
    /// `fn(tag: u32, payload: *const u128, count: u32, frame: *const u8) -> !`: throws a new
    /// exception. `frame` is the frame pointer of the code that calls it.
    pub const THROW: &str = "kiln_throw";
    /// `fn(exception: *const Exception, frame: *const u8) -> !`: throws an exception once more.
    pub const THROW_REFERENCE: &str = "kiln_throw_reference";
    /// `fn(exception: *const Exception) -> *const Exception`: the same exception in a place where
    /// it stays.
    pub const EXCEPTION_KEEP: &str = "kiln_exception_keep";
    /// `fn(exception: *const Exception, to: *mut Exception)`: copies it with its payload.
    pub const EXCEPTION_COPY: &str = "kiln_exception_copy";
    /// `fn()`: called once where a trap was caught, so that the next one is noticed too.
    pub const TRAP_CAUGHT: &str = "kiln_trap_caught";
    /// `fn(work: Work) -> u32`: makes a library's instance by that [`Work`](crate::library::Work).
    pub const LIBRARY_INSTANTIATE: &str = "kiln_library_instantiate";
    /// `fn()`: called first by that work.
    pub const LIBRARY_BEGIN: &str = "kiln_library_begin";
    /// `fn(work: Work, values: *mut u128) -> u32`: calls into a library's instance.
    pub const LIBRARY_CALL: &str = "kiln_library_call";
    /// `fn(memory: *mut Memory, pages: u64) -> i64`: the former size in pages, or -1.
    pub const MEMORY_GROW: &str = "kiln_memory_grow";
    /// `fn(to: *mut Memory, from: *mut Memory, to_at: u64, from_at: u64, count: u64)`.
    pub const MEMORY_COPY: &str = "kiln_memory_copy";
    /// `fn(memory: *mut Memory, at: u64, byte: u32, count: u64)`.
    pub const MEMORY_FILL: &str = "kiln_memory_fill";
    /// `fn(memory: *mut Memory, segment: *const DataSegment, to_at: u64, from_at: u64, count: u64)`.
    pub const MEMORY_INIT: &str = "kiln_memory_init";
    /// `fn(table: *mut Table, delta: u64, low: u64, high: u64) -> i64`: the former length, or -1.
    /// `low` and `high` are the 16 bytes of the [`Element`](crate::table::Element) to fill with.
    pub const TABLE_GROW: &str = "kiln_table_grow";
    /// `fn(table: *mut Table, at: u64, low: u64, high: u64, count: u64)`.
    pub const TABLE_FILL: &str = "kiln_table_fill";
    /// `fn(to: *mut Table, from: *mut Table, to_at: u64, from_at: u64, count: u64)`.
    pub const TABLE_COPY: &str = "kiln_table_copy";
    /// `fn(table: *mut Table, segment: *const ElementSegment, to_at: u64, from_at: u64, count: u64)`.
    pub const TABLE_INIT: &str = "kiln_table_init";
    /// `fn(memory: *mut Memory, at: u64, expected: u32, timeout: i64) -> u32`: waits at most
    /// `timeout` nanoseconds, without end if it is negative; 0 when woken, 1 when another value
    /// was found, 2 when the time was over.
    pub const ATOMIC_WAIT32: &str = "kiln_atomic_wait32";
    /// `fn(memory: *mut Memory, at: u64, expected: u64, timeout: i64) -> u32`: the same.
    pub const ATOMIC_WAIT64: &str = "kiln_atomic_wait64";
    /// `fn(memory: *mut Memory, at: u64, count: u32) -> u32`: wakes at most `count` threads that
    /// wait there; how many.
    pub const ATOMIC_NOTIFY: &str = "kiln_atomic_notify";
    /// `fn(threads: *const Threads) -> *mut u8`: prepares for threads; the main one's block.
    pub const THREAD_BEGIN: &str = "kiln_thread_begin";
    /// `fn(threads: *const Threads, argument: u32) -> i32`: starts a thread; its number from 1 to
    /// 2^29 - 1, or a negative one if there cannot be one more.
    pub const THREAD_SPAWN: &str = "kiln_thread_spawn";
}
