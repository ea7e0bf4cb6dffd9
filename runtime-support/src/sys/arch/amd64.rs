//! x86-64.

use core::arch::asm;
use kiln_abi::exception::Exception;

/// The frame pointer: the address of the caller's frame pointer and of the return address.
#[cfg(not(windows))]
#[inline(always)]
pub fn frame_pointer() -> usize {
    let frame_pointer;
    // SAFETY: copies a register.
    unsafe {
        asm!("mov {}, rbp", out(reg) frame_pointer, options(nomem, nostack, preserves_flags));
    };
    frame_pointer
}

/// Calls `entry` on the stack that ends at `top`, a multiple of 16.
///
/// # Safety
/// The memory below `top` is a stack that nothing else uses.
#[cfg(unix)]
#[unsafe(naked)]
pub unsafe extern "C" fn call_on(top: *mut u8, entry: unsafe extern "C" fn()) {
    core::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "mov rsp, rdi",
        "call rsi",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}

/// Goes on at `landing` in compiled code with that frame pointer and stack pointer, and the
/// exception in the register that compiled code expects it in.
///
/// # Safety
/// They belong to a compiled function that is running, and it has a landing there.
pub unsafe fn resume(exception: *const Exception, frame: usize, stack: usize, landing: usize) -> ! {
    // SAFETY: as the caller says; the operands lie in registers that are read before they change.
    unsafe {
        asm!(
            "mov rsp, {stack}",
            "mov rbp, {frame}",
            "jmp {landing}",
            in("rax") exception,
            frame = in(reg) frame,
            stack = in(reg) stack,
            landing = in(reg) landing,
            options(noreturn),
        )
    }
}
