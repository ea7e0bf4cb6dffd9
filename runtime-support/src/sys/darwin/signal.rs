//! Fault handlers and the stack that wasm code runs on.

use super::errno::last;
use crate::global::Global;
use crate::sys::types::{Fault, FaultKind};
use crate::sys::{Result, arch, memory};
use crate::trap;
use core::ffi::c_int;
use core::ptr::null_mut;
use libc::{sigaction, siginfo_t, stack_t, ucontext_t};

/// Stack of the fault handler.
#[repr(C, align(16))]
struct HandlerStack([u8; 128 << 10]);

static HANDLER_STACK: Global<HandlerStack> = Global::new(HandlerStack([0; 128 << 10]));

/// Bytes below the stack that no access may hit; larger than any frame that is not probed.
const GUARD: usize = 1 << 20;

/// The stack that wasm code runs on.
struct Stack {
    /// Address of its guard.
    guard: usize,
    /// Address after its last byte.
    top: usize,
}

static STACK: Global<Stack> = Global::new(Stack { guard: 0, top: 0 });

/// See [`contract`](crate::sys).
pub fn install() -> Result<()> {
    let stack = stack_t {
        ss_sp: HANDLER_STACK.get().cast(),
        ss_size: size_of::<HandlerStack>(),
        ss_flags: 0,
    };
    let fault = sigaction {
        sa_sigaction: handle as *const () as usize,
        sa_mask: 0,
        sa_flags: libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER,
    };
    let ignore = sigaction { sa_sigaction: libc::SIG_IGN, sa_mask: 0, sa_flags: 0 };
    // SAFETY: the memory is this module's, and the handler reports and ends the process.
    let done = unsafe {
        libc::sigaltstack(&raw const stack, null_mut()) == 0
            // An access that protection forbids is SIGBUS here, one to nothing SIGSEGV.
            && [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP]
                .into_iter()
                .all(|signal| sigaction(signal, &raw const fault, null_mut()) == 0)
            && sigaction(libc::SIGPIPE, &raw const ignore, null_mut()) == 0
    };
    if done { Ok(()) } else { Err(last()) }
}

/// Handles a fault: never returns.
extern "C" fn handle(number: c_int, info: *const siginfo_t, context: *const ucontext_t) {
    // SAFETY: the system passes both records as SA_SIGINFO says.
    let (address, (pc, frame_pointer)) =
        unsafe { ((*info).si_addr as usize, registers(&*context)) };
    let kind = match number {
        libc::SIGILL => FaultKind::Illegal,
        libc::SIGTRAP => FaultKind::Breakpoint,
        libc::SIGFPE => FaultKind::Arithmetic,
        _ => FaultKind::Access,
    };
    let address = if kind == FaultKind::Access { address } else { 0 };
    trap::fault(&Fault { kind, address, pc, frame_pointer })
}

/// Program counter and frame pointer of what was interrupted.
#[cfg(target_arch = "x86_64")]
unsafe fn registers(context: &ucontext_t) -> (usize, usize) {
    // SAFETY: as the caller says.
    let state = unsafe { &(*context.uc_mcontext).__ss };
    (state.__rip as usize, state.__rbp as usize)
}

/// Program counter and frame pointer of what was interrupted.
#[cfg(target_arch = "aarch64")]
unsafe fn registers(context: &ucontext_t) -> (usize, usize) {
    // SAFETY: as the caller says.
    let state = unsafe { &(*context.uc_mcontext).__ss };
    (state.__pc as usize, state.__fp as usize)
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// Called once, by the only thread.
pub unsafe fn call_on_stack(stack_size: usize, entry: unsafe extern "C" fn()) -> Result<()> {
    let size = stack_size.next_multiple_of(memory::page_size());
    let guard = memory::reserve(GUARD + size)?;
    let bottom = guard.wrapping_add(GUARD);
    let top = bottom.wrapping_add(size);
    // SAFETY: the range was just reserved; the record has no other user; the stack is new.
    unsafe {
        memory::commit(bottom, size)?;
        *STACK.get() = Stack { guard: guard as usize, top: top as usize };
        arch::call_on(top, entry);
    }
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn is_stack_guard(address: usize) -> bool {
    let stack = stack();
    (stack.guard..stack.guard + GUARD).contains(&address)
}

/// See [`contract`](crate::sys).
pub fn is_on_stack(frame_pointer: usize) -> bool {
    let stack = stack();
    frame_pointer.is_multiple_of(8)
        && (stack.guard + GUARD..stack.top.saturating_sub(15)).contains(&frame_pointer)
}

fn stack() -> &'static Stack {
    // SAFETY: written once, before anything that asks for it.
    unsafe { &*STACK.get() }
}
