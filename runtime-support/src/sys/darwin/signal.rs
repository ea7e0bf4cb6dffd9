//! Fault handlers and the stack that wasm code runs on.

use super::errno::last;
use super::thread;
use crate::global::Global;
use crate::sys::types::{Caught, Fault, FaultKind};
use crate::sys::{Result, arch, memory};
use crate::trap;
use core::ffi::c_int;
use core::ptr::null_mut;
use libc::{sigaction, siginfo_t, stack_t, ucontext_t};

/// Stack of the fault handler.
#[repr(C, align(16))]
pub(super) struct HandlerStack([u8; 128 << 10]);

static HANDLER_STACK: Global<HandlerStack> = Global::new(HandlerStack([0; 128 << 10]));

/// Bytes below a stack that no access may hit; larger than any frame that is not probed.
pub(super) const GUARD: usize = 1 << 20;

/// A stack that wasm code runs on.
pub(super) struct Stack {
    /// Address of its guard.
    pub(super) guard: usize,
    /// Address after its last byte.
    pub(super) top: usize,
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
    // SAFETY: the memory is this module's, and the handler returns to compiled code that catches, if
    // at all.
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

/// Handles a fault: returns to where compiled code catches it, if it does.
extern "C" fn handle(number: c_int, info: *const siginfo_t, context: *mut ucontext_t) {
    // SAFETY: the system passes both records as SA_SIGINFO says, the second to be changed.
    let (address, registers) = unsafe { ((*info).si_addr as usize, registers(&mut *context)) };
    let Registers { pc, frame_pointer, stack_pointer, result } = registers;
    let kind = match number {
        libc::SIGILL => FaultKind::Illegal,
        libc::SIGTRAP => FaultKind::Breakpoint,
        libc::SIGFPE => FaultKind::Arithmetic,
        _ => FaultKind::Access,
    };
    let address = if kind == FaultKind::Access { address } else { 0 };
    let fault = Fault { kind, address, pc: *pc as usize, frame_pointer: *frame_pointer as usize };
    let Caught { landing, value } = trap::fault(&fault);
    *pc = landing.pc as u64;
    *frame_pointer = landing.frame as u64;
    *stack_pointer = landing.stack as u64;
    *result = value as u64;
}

/// What a fault handler reads and changes of a thread's registers.
struct Registers<'a> {
    pc: &'a mut u64,
    frame_pointer: &'a mut u64,
    stack_pointer: &'a mut u64,
    /// The first register for results.
    result: &'a mut u64,
}

/// Registers of what was interrupted.
#[cfg(target_arch = "x86_64")]
unsafe fn registers(context: &mut ucontext_t) -> Registers<'_> {
    // SAFETY: as the caller says.
    let state = unsafe { &mut (*context.uc_mcontext).__ss };
    Registers {
        pc: &mut state.__rip,
        frame_pointer: &mut state.__rbp,
        stack_pointer: &mut state.__rsp,
        result: &mut state.__rax,
    }
}

/// Registers of what was interrupted.
#[cfg(target_arch = "aarch64")]
unsafe fn registers(context: &mut ucontext_t) -> Registers<'_> {
    // SAFETY: as the caller says.
    let state = unsafe { &mut (*context.uc_mcontext).__ss };
    let [result, ..] = &mut state.__x;
    Registers {
        pc: &mut state.__pc,
        frame_pointer: &mut state.__fp,
        stack_pointer: &mut state.__sp,
        result,
    }
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

/// See [`contract`](crate::sys). The guard stays where it is.
pub fn guard_again() {}

/// See [`contract`](crate::sys).
pub fn is_on_stack(frame_pointer: usize) -> bool {
    let stack = stack();
    frame_pointer.is_multiple_of(8)
        && (stack.guard + GUARD..stack.top.saturating_sub(15)).contains(&frame_pointer)
}

/// The stack of the calling thread.
fn stack() -> &'static Stack {
    // SAFETY: written once, before anything that asks for it; a thread's own stays while it runs.
    unsafe { thread::own().map_or(&*STACK.get(), |own| &(*own).stack) }
}

/// The stack that [`call_on_stack`] made.
pub(super) fn main_stack() -> Stack {
    // SAFETY: written once, before anything that asks for it.
    let main = unsafe { &*STACK.get() };
    Stack { guard: main.guard, top: main.top }
}
