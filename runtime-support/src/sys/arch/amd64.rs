//! x86-64.

use crate::sys::types::Landing;
use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use kiln_abi::cpu::{AVX, AVX2, AVX512DQ, AVX512F, AVX512VL, BMI1, BMI2, FMA, LZCNT};

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

/// Goes on at a landing in compiled code, with the value in the register that it expects it in, and
/// in the pinned register the block of the calling thread.
///
/// # Safety
/// It belongs to a compiled function that is running.
pub unsafe fn resume(value: usize, landing: &Landing, block: *mut u8) -> ! {
    // SAFETY: as the caller says; the operands lie in registers that are read before they change.
    unsafe {
        asm!(
            "mov rsp, {stack}",
            "mov rbp, {frame}",
            "jmp {landing}",
            in("rax") value,
            in("r15") block,
            frame = in(reg) landing.frame,
            stack = in(reg) landing.stack,
            landing = in(reg) landing.pc,
            options(noreturn),
        )
    }
}

/// What the processor has of [`kiln_abi::cpu`], as far as the system preserves the registers.
///
/// Source: Intel SDM volume 2A, CPUID, and volume 1, 14.3 (detection of AVX).
pub fn features() -> u64 {
    /// In ECX of leaf 1.
    const OSXSAVE: u32 = 1 << 27;
    /// State components: XMM and YMM; opmask and both halves of ZMM.
    const YMM: u64 = 0b110;
    const ZMM: u64 = 0b1110_0000;

    let basic = __cpuid(1).ecx;
    let extended = if __cpuid(0).eax >= 7 { __cpuid_count(7, 0).ebx } else { 0 };
    let amd = if __cpuid(0x8000_0000).eax > 0x8000_0000 { __cpuid(0x8000_0001).ecx } else { 0 };
    // SAFETY: with OSXSAVE the instruction exists.
    let preserved = if basic & OSXSAVE != 0 { unsafe { preserved_states() } } else { 0 };
    let ymm = preserved & YMM == YMM;
    let zmm = ymm && preserved & ZMM == ZMM;
    let found = [
        (AVX, ymm && basic & 1 << 28 != 0),
        (FMA, ymm && basic & 1 << 12 != 0),
        (AVX2, ymm && extended & 1 << 5 != 0),
        (BMI1, extended & 1 << 3 != 0),
        (BMI2, extended & 1 << 8 != 0),
        (LZCNT, amd & 1 << 5 != 0),
        (AVX512F, zmm && extended & 1 << 16 != 0),
        (AVX512DQ, zmm && extended & 1 << 17 != 0),
        (AVX512VL, zmm && extended & 1 << 31 != 0),
    ];
    found.iter().filter(|(_, has)| *has).fold(0, |all, (bit, _)| all | bit)
}

/// State components that the system preserves.
///
/// # Safety
/// The processor has XGETBV.
#[target_feature(enable = "xsave")]
unsafe fn preserved_states() -> u64 {
    // SAFETY: register 0 exists.
    unsafe { _xgetbv(0) }
}
