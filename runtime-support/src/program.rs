//! The records that the compiler and linker wrote into this executable.

use core::ffi::{CStr, c_char};
use kiln_abi::embed::Embedded;
use kiln_abi::part::Parts;
use kiln_abi::program::{CodeRange, Memory, Program};

unsafe extern "C" {
    #[link_name = "kiln_program"]
    static PROGRAM: Program;
    #[link_name = "kiln_policy"]
    static POLICY: c_char;
    #[link_name = "kiln_parts"]
    static PARTS: Parts;
    #[link_name = "kiln_embedded"]
    static EMBEDDED: Embedded;
    #[link_name = "kiln_entry"]
    fn enter();
}

/// Compiled code refers to this symbol, so that it links with no runtime of another version.
#[unsafe(no_mangle)]
pub static kiln_abi_v3: u8 = 1;

/// What the compiler says about the program.
pub fn record() -> &'static Program {
    // SAFETY: the compiler emits the record as `kiln_abi` says, and nothing writes it.
    unsafe { &PROGRAM }
}

/// The program's first function: instantiates its modules and runs it.
pub fn entry() -> unsafe extern "C" fn() {
    enter
}

/// The capability manifest.
pub fn policy() -> &'static CStr {
    // SAFETY: the linker's caller wrote a text that ends in NUL.
    unsafe { CStr::from_ptr(&raw const POLICY) }
}

/// The parts of the runtime that the manifest asks for.
pub fn parts() -> &'static Parts {
    // SAFETY: the linker writes the record as `kiln_abi` says, and nothing changes it.
    unsafe { &PARTS }
}

/// The files in the executable.
pub fn embedded() -> &'static Embedded {
    // SAFETY: the linker writes the record as `kiln_abi` says, and nothing writes it again.
    unsafe { &EMBEDDED }
}

/// The program's linear memories.
pub fn memories() -> impl Iterator<Item = *mut Memory> {
    let program = record();
    // SAFETY: the record counts the array it points to.
    (0..program.memory_count as usize).map(|index| unsafe { program.memories.add(index) })
}

/// The piece of compiled code at an address, and the distance to its first byte.
pub fn code_at(address: usize) -> Option<(&'static CodeRange, u64)> {
    // SAFETY: the record counts the array it points to.
    let pieces = unsafe { slice::<CodeRange>(record().code, record().code_count) };
    pieces
        .iter()
        .map(|range| (range, (address as u64).wrapping_sub(range.start as u64)))
        .find(|(range, distance)| *distance < range.length)
}

/// The array behind a pointer and a count of the program's records.
///
/// # Safety
/// `count` values lie at `pointer`, unless `count` is 0, and nothing writes them.
pub unsafe fn slice<T>(pointer: *const T, count: u64) -> &'static [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { core::slice::from_raw_parts(pointer, count as usize) }
}

/// The program that tests of other modules are part of.
#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::global::Global;
    use core::ptr::{null, null_mut};

    #[unsafe(no_mangle)]
    static kiln_program: Global<Program> = Global::new(Program {
        abi: &raw const kiln_abi_v3,
        memories: null_mut(),
        memory_count: 0,
        code: null(),
        code_count: 0,
        stack_size: 1 << 20,
        cpu: 0,
        check_processor: None,
    });

    #[unsafe(no_mangle)]
    static kiln_parts: Global<Parts> = Global::new(Parts {
        directories: None,
        listeners: None,
        audit_begin: None,
        audit_call: None,
        harden: None,
    });

    #[unsafe(no_mangle)]
    static kiln_policy: [u8; 61] =
        *b"kiln-policy 1\ndir\trw\t.\t/\nenv\tA=1\nenv\tB=x=y\ninherit-env\tPATH\n\0";

    #[unsafe(no_mangle)]
    static kiln_embedded: Global<Embedded> =
        Global::new(Embedded { section: null(), reader: null() });

    #[unsafe(no_mangle)]
    extern "C" fn kiln_entry() {}

    /// What the linker would name.
    #[unsafe(no_mangle)]
    extern "C" fn kiln_end(_code: u32) -> ! {
        std::process::abort()
    }

    #[unsafe(no_mangle)]
    extern "C" fn kiln_tell(_text: *const u8, _length: usize) {}

    /// Does what the entry point would have done.
    pub(crate) fn begin() {
        unsafe extern "C" {
            static environ: *mut *mut u8;
        }
        // SAFETY: the C library keeps the kernel's array, which the auxiliary vector follows.
        unsafe { rustix::param::init(environ) };
    }
}
