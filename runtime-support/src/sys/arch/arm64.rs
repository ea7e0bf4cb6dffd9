//! AArch64.

use crate::sys::process;
use crate::sys::types::Landing;
use core::arch::asm;
use kiln_abi::cpu::LSE;

/// The frame pointer: the address of the caller's frame pointer and of the return address.
#[inline(always)]
pub fn frame_pointer() -> usize {
    let frame_pointer;
    // SAFETY: copies a register.
    unsafe {
        asm!("mov {}, x29", out(reg) frame_pointer, options(nomem, nostack, preserves_flags));
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
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "mov sp, x0",
        "blr x1",
        "mov sp, x29",
        "ldp x29, x30, [sp], #16",
        "ret",
    )
}

/// Goes on at a landing in compiled code, with the value in the register that it expects it in, and
/// in the pinned register the block of the calling thread.
///
/// # Safety
/// It belongs to a compiled function that is running.
pub unsafe fn resume(value: usize, landing: &Landing, block: *mut u8) -> ! {
    // SAFETY: as the caller says; the operands lie in registers that are read before they change.
    unsafe {
        asm!(
            "mov sp, {stack}",
            "mov x29, {frame}",
            "br {landing}",
            in("x0") value,
            in("x21") block,
            frame = in(reg) landing.frame,
            stack = in(reg) landing.stack,
            landing = in(reg) landing.pc,
            options(noreturn),
        )
    }
}

/// What the processor has of [`kiln_abi::cpu`].
pub fn features() -> u64 {
    if process::has_atomics() { LSE } else { 0 }
}
