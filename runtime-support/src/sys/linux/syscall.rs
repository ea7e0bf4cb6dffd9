//! System calls that only a C library makes otherwise.

use super::seccomp::Instruction;
use core::arch::asm;
use core::sync::atomic::AtomicU32;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;

/// Numbers of the calls. Source: the kernel's `arch/x86/entry/syscalls/syscall_64.tbl`.
#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const CLONE: usize = 56;
    pub(super) const EXIT: usize = 60;
    pub(super) const MUNMAP: usize = 11;
    pub(super) const ARCH_PRCTL: usize = 158;
    pub(super) const FUTEX: usize = 202;
    pub(super) const RT_SIGACTION: usize = 13;
    pub(super) const SIGALTSTACK: usize = 131;
    pub(super) const EXIT_GROUP: usize = 231;
    pub(super) const GETDENTS64: usize = 217;
    pub(super) const SECCOMP: usize = 317;
}

/// Numbers of the calls. Source: the kernel's `include/uapi/asm-generic/unistd.h`.
#[cfg(target_arch = "aarch64")]
mod number {
    pub(super) const CLONE: usize = 220;
    pub(super) const EXIT: usize = 93;
    pub(super) const MUNMAP: usize = 215;
    pub(super) const FUTEX: usize = 98;
    pub(super) const RT_SIGACTION: usize = 134;
    pub(super) const SIGALTSTACK: usize = 132;
    pub(super) const EXIT_GROUP: usize = 94;
    pub(super) const GETDENTS64: usize = 61;
    pub(super) const SECCOMP: usize = 277;
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

// The same on every architecture.
const LANDLOCK_CREATE_RULESET: usize = 444;
const LANDLOCK_ADD_RULE: usize = 445;
const LANDLOCK_RESTRICT_SELF: usize = 446;

/// `struct landlock_ruleset_attr`: what is forbidden but for rules.
#[repr(C)]
pub(super) struct LandlockRuleset {
    pub(super) files: u64,
    pub(super) network: u64,
    pub(super) scopes: u64,
}

/// `struct landlock_path_beneath_attr`: what is allowed below a directory.
#[repr(C, packed)]
struct LandlockPath {
    allowed: u64,
    directory: i32,
}

/// The version of the kernel's Landlock; `None` if it has none or it is turned off.
pub(super) fn landlock_version() -> Option<u32> {
    const VERSION: usize = 1;
    // SAFETY: the kernel reads and writes no memory.
    let version = unsafe { call(LANDLOCK_CREATE_RULESET, 0, 0, VERSION, 0) };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

/// Makes a ruleset of the first `size` bytes of the record; gives its descriptor.
pub(super) fn landlock_create_ruleset(rules: &LandlockRuleset, size: usize) -> Option<i32> {
    let size = size.min(size_of::<LandlockRuleset>());
    // SAFETY: the kernel reads as much of the record.
    let descriptor =
        unsafe { call(LANDLOCK_CREATE_RULESET, &raw const *rules as usize, size, 0, 0) };
    i32::try_from(descriptor).ok().filter(|descriptor| *descriptor >= 0)
}

/// Allows something below a directory; false if the kernel refuses.
pub(super) fn landlock_add_rule(ruleset: i32, allowed: u64, directory: i32) -> bool {
    const PATH_BENEATH: usize = 1;
    let rule = LandlockPath { allowed, directory };
    // SAFETY: the kernel reads one record.
    unsafe {
        call(LANDLOCK_ADD_RULE, ruleset as usize, PATH_BENEATH, &raw const rule as usize, 0) == 0
    }
}

/// Puts a ruleset in force; false if the kernel refuses.
pub(super) fn landlock_restrict_self(ruleset: i32) -> bool {
    // SAFETY: the kernel reads no memory.
    unsafe { call(LANDLOCK_RESTRICT_SELF, ruleset as usize, 0, 0, 0) == 0 }
}

/// `struct sock_fprog`: a filter of system calls.
#[repr(C)]
struct FilterProgram {
    length: u16,
    instructions: *const Instruction,
}

/// Puts a filter of system calls in force; false if the kernel refuses.
///
/// # Safety
/// It allows the calls that are still to be made.
pub(super) unsafe fn seccomp(instructions: &[Instruction]) -> bool {
    const SET_MODE_FILTER: usize = 1;
    let program =
        FilterProgram { length: instructions.len() as u16, instructions: instructions.as_ptr() };
    // SAFETY: the kernel reads the record and the instructions.
    unsafe { call(number::SECCOMP, SET_MODE_FILTER, 0, &raw const program as usize, 0) == 0 }
}

/// Reads the next records of a directory; gives how many bytes they take.
///
/// # Safety
/// As many bytes can be written.
pub(super) unsafe fn getdents64(
    directory: BorrowedFd<'_>,
    records: *mut u8,
    length: usize,
) -> rustix::io::Result<usize> {
    let directory = directory.as_raw_fd() as usize;
    // SAFETY: as the caller says.
    let filled = unsafe { call(number::GETDENTS64, directory, records as usize, length, 0) };
    usize::try_from(filled).map_err(|_| Errno::from_raw_os_error(-filled as i32))
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

/// Sets what a signal does, and writes what it did to `former` unless that is null; false if the
/// kernel refuses.
///
/// # Safety
/// The action's handler is fit for that signal, and `former` can be written.
pub(super) unsafe fn rt_sigaction(
    signal: usize,
    action: &SigAction,
    former: *mut SigAction,
) -> bool {
    let action = &raw const *action as usize;
    // SAFETY: the kernel reads one record and writes the other.
    unsafe { call(number::RT_SIGACTION, signal, action, former.addr(), 8) == 0 }
}

/// The kernel's `stack_t`.
#[repr(C)]
pub(super) struct SignalStack {
    pub(super) base: *mut u8,
    pub(super) flags: i32,
    pub(super) size: usize,
}

/// Sets the calling thread's stack of signal handlers, and writes which it had to `former` unless
/// that is null; false if the kernel refuses.
///
/// # Safety
/// Nothing else uses that memory, and `former` can be written.
pub(super) unsafe fn sigaltstack(stack: &SignalStack, former: *mut SignalStack) -> bool {
    let stack = &raw const *stack as usize;
    // SAFETY: the kernel reads one record and writes the other.
    unsafe { call(number::SIGALTSTACK, stack, former.addr(), 0, 0) == 0 }
}

/// Wakes one thread of this process that waits for a word, of which the kernel uses the address.
pub(super) fn futex_wake(word: *const AtomicU32) {
    // Source: the kernel's `include/uapi/linux/futex.h`.
    const FUTEX_WAKE_PRIVATE: usize = 1 | 128;
    // SAFETY: no memory is involved; at an address that is not mapped, nobody waits.
    unsafe { call(number::FUTEX, word.addr(), FUTEX_WAKE_PRIVATE, 1, 0) };
}

/// Starts a thread of this process on the stack that ends at `top`, with `pointer` as its thread
/// pointer, which it calls `begin` with; gives its number, or a negative error.
///
/// # Safety
/// The stack is the new thread's alone, and `begin` is fit for `pointer`.
pub(super) unsafe fn clone(
    top: *mut u8,
    pointer: *mut u8,
    begin: unsafe extern "C" fn(*mut u8) -> !,
) -> isize {
    // Source: the kernel's `include/uapi/linux/sched.h`: it shares memory, working directory,
    // files, signal handlers, process and semaphores; the kernel sets the thread pointer.
    const FLAGS: usize = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000 | 0x8_0000;
    // SAFETY: as the caller says.
    unsafe { clone_onto(FLAGS, top, pointer, begin) }
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn clone_onto(
    flags: usize,
    top: *mut u8,
    pointer: *mut u8,
    begin: unsafe extern "C" fn(*mut u8) -> !,
) -> isize {
    core::arch::naked_asm!(
        "mov r9, rcx",
        "mov r8, rdx",
        "xor edx, edx",
        "xor r10d, r10d",
        "mov eax, {clone}",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "ret",
        "2:",
        "xor ebp, ebp",
        "mov rdi, r8",
        "call r9",
        "ud2",
        clone = const number::CLONE,
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn clone_onto(
    flags: usize,
    top: *mut u8,
    pointer: *mut u8,
    begin: unsafe extern "C" fn(*mut u8) -> !,
) -> isize {
    core::arch::naked_asm!(
        "mov x5, x3",
        "mov x3, x2",
        "mov x2, xzr",
        "mov x4, xzr",
        "mov x8, #{clone}",
        "svc 0",
        "cbz x0, 2f",
        "ret",
        "2:",
        "mov x29, xzr",
        "mov x30, xzr",
        "mov x0, x3",
        "blr x5",
        "udf 0",
        clone = const number::CLONE,
    )
}

/// Gives the memory back that the calling thread's stack lies in, and ends the thread.
///
/// # Safety
/// Nothing uses that memory any more.
pub(super) unsafe fn unmap_and_exit(address: *mut u8, length: usize) -> ! {
    // SAFETY: as the caller says; from the first call on, no stack is used.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("syscall", "xor edi, edi", "mov eax, {exit}", "syscall", "ud2",
            exit = const number::EXIT, in("rax") number::MUNMAP, in("rdi") address,
            in("rsi") length, options(noreturn, nostack));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("svc 0", "mov x0, xzr", "mov x8, #{exit}", "svc 0", "udf 0",
            exit = const number::EXIT, in("x8") number::MUNMAP, in("x0") address,
            in("x1") length, options(noreturn, nostack));
    }
}

/// Sets the calling thread's thread pointer; false if the kernel refuses.
///
/// # Safety
/// On amd64, the pointer's own value lies where it points.
pub(super) unsafe fn set_thread_pointer(pointer: *mut u8) -> bool {
    // Source: the kernel's `arch/x86/include/uapi/asm/prctl.h`.
    #[cfg(target_arch = "x86_64")]
    {
        const ARCH_SET_FS: usize = 0x1002;
        // SAFETY: nothing else uses the register.
        unsafe { call(number::ARCH_PRCTL, ARCH_SET_FS, pointer.addr(), 0, 0) == 0 }
    }
    // SAFETY: nothing else uses the register.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("msr tpidr_el0, {}", in(reg) pointer, options(nomem, nostack, preserves_flags));
        true
    }
}

/// The calling thread's thread pointer.
///
/// # Safety
/// It was set.
pub(super) unsafe fn thread_pointer() -> *mut u8 {
    let pointer;
    // SAFETY: as the caller says.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("mov {}, fs:[0]", out(reg) pointer, options(readonly, nostack, preserves_flags));
    }
    // SAFETY: copies a register.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nomem, nostack, preserves_flags));
    }
    pointer
}
