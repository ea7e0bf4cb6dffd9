//! The entry point, what the kernel passed to it, and the process's end.

use super::syscall;
use crate::global::Global;
use crate::start;
use core::ffi::{CStr, c_char};
use rustix::fd::BorrowedFd;

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
