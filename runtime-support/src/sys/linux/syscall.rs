//! System calls that only a C library makes otherwise.

use core::arch::asm;
use core::sync::atomic::AtomicU32;

/// Numbers of the calls. Source: the kernel's `arch/x86/entry/syscalls/syscall_64.tbl`.
#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const FUTEX: usize = 202;
    pub(super) const RT_SIGACTION: usize = 13;
    pub(super) const SIGALTSTACK: usize = 131;
    pub(super) const EXIT_GROUP: usize = 231;
}

/// Numbers of the calls. Source: the kernel's `include/uapi/asm-generic/unistd.h`.
#[cfg(target_arch = "aarch64")]
mod number {
    pub(super) const FUTEX: usize = 98;
    pub(super) const RT_SIGACTION: usize = 134;
    pub(super) const SIGALTSTACK: usize = 132;
    pub(super) const EXIT_GROUP: usize = 94;
}

/// Makes a system call; a result of -4095 to -1 is an error.
#[cfg(target_arch = "x86_64")]
unsafe fn call(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result;
    // SAFETY: as the caller says; the kernel keeps all registers but these.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, lateout("rcx") _, lateout("r11") _, options(nostack, preserves_flags));
    }
    result
}

/// Makes a system call; a result of -4095 to -1 is an error.
#[cfg(target_arch = "aarch64")]
unsafe fn call(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result;
    // SAFETY: as the caller says; the kernel keeps all registers but these.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c,
            in("x3") d, options(nostack, preserves_flags));
    }
    result
}

/// Ends the process.
pub(super) fn exit_group(code: u32) -> ! {
    loop {
        // SAFETY: no memory is involved, and the call does not return.
        unsafe { call(number::EXIT_GROUP, code as usize, 0, 0, 0) };
    }
}

/// The kernel's `struct sigaction` of these architectures.
#[repr(C)]
pub(super) struct SigAction {
    pub(super) handler: usize,
    pub(super) flags: usize,
    pub(super) restorer: usize,
    pub(super) mask: u64,
}

/// Sets what a signal does; false if the kernel refuses.
///
/// # Safety
/// The action's handler is fit for that signal.
pub(super) unsafe fn rt_sigaction(signal: usize, action: &SigAction) -> bool {
    // SAFETY: the kernel reads one record and writes none.
    unsafe { call(number::RT_SIGACTION, signal, &raw const *action as usize, 0, 8) == 0 }
}

/// The kernel's `stack_t`.
#[repr(C)]
pub(super) struct SignalStack {
    pub(super) base: *mut u8,
    pub(super) flags: i32,
    pub(super) size: usize,
}

/// Sets the stack of signal handlers; false if the kernel refuses.
///
/// # Safety
/// Nothing else uses that memory.
pub(super) unsafe fn sigaltstack(stack: &SignalStack) -> bool {
    // SAFETY: the kernel reads one record and writes none.
    unsafe { call(number::SIGALTSTACK, &raw const *stack as usize, 0, 0, 0) == 0 }
}

/// Wakes one thread of this process that waits for a word, of which the kernel uses the address.
pub(super) fn futex_wake(word: *const AtomicU32) {
    // Source: the kernel's `include/uapi/linux/futex.h`.
    const FUTEX_WAKE_PRIVATE: usize = 1 | 128;
    // SAFETY: no memory is involved; at an address that is not mapped, nobody waits.
    unsafe { call(number::FUTEX, word.addr(), FUTEX_WAKE_PRIVATE, 1, 0) };
}
