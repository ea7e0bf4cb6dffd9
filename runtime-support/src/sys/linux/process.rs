//! The entry point, what the kernel passed to it, and the process's end.

use super::syscall;
use crate::global::Global;
use crate::start;
use crate::sys::memory;
use core::ffi::{CStr, c_char};
use rustix::fd::BorrowedFd;
use rustix::fs::{Mode, OFlags};

/// What the kernel puts on the first stack. Source: the System V ABI, "Process initialization".
#[derive(Clone, Copy)]
struct Passed {
    arguments: *const *const c_char,
    argument_count: usize,
    environment: *const *const c_char,
}

static PASSED: Global<Passed> = Global::new(Passed {
    arguments: core::ptr::null(),
    argument_count: 0,
    environment: core::ptr::null(),
});

/// Where the kernel begins: the stack pointer is at the count of arguments.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn _start() -> ! {
    core::arch::naked_asm!(
        "xor ebp, ebp",
        "mov rdi, rsp",
        "and rsp, -16",
        "call {begin}",
        "ud2",
        begin = sym begin,
    )
}

/// Where the kernel begins: the stack pointer is at the count of arguments.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn _start() -> ! {
    core::arch::naked_asm!(
        "mov x29, xzr",
        "mov x30, xzr",
        "mov x0, sp",
        "bl {begin}",
        "udf 0",
        begin = sym begin,
    )
}

/// Keeps what the kernel passed and starts the program.
///
/// # Safety
/// `stack` is the kernel's first stack.
#[cfg_attr(test, allow(dead_code, reason = "tests begin in the C library"))]
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    // SAFETY: the count, the arguments and a null lie there, then the environment and a null,
    // then the auxiliary vector.
    unsafe {
        let argument_count = *stack;
        let arguments: *const *const c_char = stack.add(1).cast();
        let environment = arguments.add(argument_count + 1);
        *PASSED.get() = Passed { arguments, argument_count, environment };
        rustix::param::init(environment.cast_mut().cast());
    }
    start::start()
}

/// The end of an environment and what follows it on the first stack, the auxiliary vector, as the
/// kernel tells a library of it, which had no first stack.
#[repr(C)]
struct Vector {
    no_environment: usize,
    entries: [usize; 128],
}

static VECTOR: Global<Vector> = Global::new(Vector { no_environment: 0, entries: [0; 128] });

/// See [`contract`](crate::sys). The environment is the one that the process began with.
pub fn begin_library() {
    /// Keys in the auxiliary vector. Source: the kernel's `include/uapi/linux/auxvec.h`.
    const AT_PAGESZ: usize = 6;
    const WORD: usize = size_of::<usize>();
    let vector = VECTOR.get();
    // SAFETY: nothing else uses the vector. The last entry stays zero and ends it; where the kernel
    // tells nothing, it says that pages have the largest size, of which all others are divisors.
    unsafe {
        let room = (*vector).entries.as_mut_ptr();
        let size = WORD * ((*vector).entries.len() - 2);
        let bytes = core::slice::from_raw_parts_mut(room.cast(), size);
        if read_file(c"/proc/self/auxv", bytes) == 0 {
            *room = AT_PAGESZ;
            *room.add(1) = 1 << 16;
        }
        rustix::param::init(vector.cast());
    }
    let environment = environment_from_kernel().unwrap_or(vector.cast());
    // SAFETY: nothing asks for it yet.
    unsafe { *PASSED.get() = Passed { environment, ..*PASSED.get() } };
}

/// Pointers to the variables that the process began with, ended by a null.
fn environment_from_kernel() -> Option<*const *const c_char> {
    let mut size = 16 * memory::page_size();
    loop {
        // A pointer for each byte at most: variables are longer.
        let texts = memory::allocate(size).ok()?;
        // SAFETY: the memory is new and that large.
        let bytes = unsafe { core::slice::from_raw_parts_mut(texts, size) };
        let length = read_file(c"/proc/self/environ", bytes);
        if length == size {
            // SAFETY: nothing refers to it.
            unsafe { memory::release(texts, size) };
            size *= 2;
            continue;
        }
        let ends = || (0..length).filter(|&at| bytes.get(at) == Some(&0));
        let table = (ends().count() + 1) * size_of::<*const c_char>();
        let table = memory::allocate(table.next_multiple_of(memory::page_size())).ok()?;
        let starts = [0].into_iter().chain(ends().map(|end| end + 1)).take(ends().count());
        for (index, start) in starts.enumerate() {
            // SAFETY: the table has room for a pointer to each text and a null.
            unsafe { table.cast::<*const c_char>().add(index).write(texts.add(start).cast()) };
        }
        return Some(table.cast());
    }
}

/// Reads a file of the kernel's as far as it fits; gives the number of bytes.
fn read_file(path: &CStr, mut room: &mut [u8]) -> usize {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::open(path, flags, Mode::empty()) else { return 0 };
    let mut length = 0;
    while !room.is_empty() {
        match rustix::io::read(&file, &mut *room) {
            Ok(0) => break,
            Ok(count) => {
                length += count;
                room = core::mem::take(&mut room).get_mut(count..).unwrap_or_default();
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
    }
    length
}

fn passed() -> Passed {
    // SAFETY: written once, before anything that asks for it.
    unsafe { *PASSED.get() }
}

/// See [`contract`](crate::sys).
pub fn argument(index: usize) -> Option<&'static CStr> {
    let passed = passed();
    // SAFETY: as many pointers to NUL-terminated texts lie there.
    (index < passed.argument_count).then(|| unsafe { CStr::from_ptr(*passed.arguments.add(index)) })
}

/// See [`contract`](crate::sys).
pub fn environment(index: usize) -> Option<&'static CStr> {
    // SAFETY: nobody asks for an index after one that gave nothing, so the null is not passed by.
    unsafe {
        let variable = *passed().environment.add(index);
        (!variable.is_null()).then(|| CStr::from_ptr(variable))
    }
}

/// See [`contract`](crate::sys).
pub const NAMES_IGNORE_CASE: bool = false;

/// See [`contract`](crate::sys).
pub fn exit(code: u32) -> ! {
    syscall::exit_group(code)
}

/// See [`contract`](crate::sys).
pub fn yield_now() {
    rustix::thread::sched_yield();
}

/// See [`contract`](crate::sys).
pub fn report(mut text: &[u8]) {
    // SAFETY: where the number means nothing, the call just fails.
    let stderr = unsafe { BorrowedFd::borrow_raw(2) };
    while !text.is_empty() {
        match rustix::io::write(stderr, text) {
            Ok(0) => return,
            Ok(count) => text = text.get(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Whether the processor has the atomic instructions of ARMv8.1.
#[cfg(target_arch = "aarch64")]
pub fn has_atomics() -> bool {
    /// HWCAP_ATOMICS. Source: Linux, Documentation/arch/arm64/elf_hwcaps.rst.
    const ATOMICS: usize = 1 << 8;
    rustix::param::linux_hwcap().0 & ATOMICS != 0
}
