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

/// The signals of faults: an access that protection forbids is SIGBUS, one to nothing SIGSEGV.
const FAULTS: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];

static STACK: Global<Stack> = Global::new(Stack { guard: 0, top: 0 });

/// See [`contract`](crate::sys).
pub fn install() -> Result<()> {
    let (stack, fault) = (handler_stack(), fault_action(handle));
    let ignore = sigaction { sa_sigaction: libc::SIG_IGN, sa_mask: 0, sa_flags: 0 };
    // SAFETY: the memory is this module's, and the handler returns to compiled code that catches, if
    // at all.
    let done = unsafe {
        libc::sigaltstack(&raw const stack, null_mut()) == 0
            && FAULTS.into_iter().all(|signal| sigaction(signal, &raw const fault, null_mut()) == 0)
            && sigaction(libc::SIGPIPE, &raw const ignore, null_mut()) == 0
    };
    if done { Ok(()) } else { Err(last()) }
}

fn handler_stack() -> stack_t {
    stack_t { ss_sp: HANDLER_STACK.get().cast(), ss_size: size_of::<HandlerStack>(), ss_flags: 0 }
}

type Handler = extern "C" fn(number: c_int, info: *const siginfo_t, context: *mut ucontext_t);

fn fault_action(handler: Handler) -> sigaction {
    sigaction {
        sa_sigaction: handler as *const () as usize,
        sa_mask: 0,
        sa_flags: libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER,
    }
}

/// Handles a fault: returns to where compiled code catches it, if it does.
extern "C" fn handle(number: c_int, info: *const siginfo_t, context: *mut ucontext_t) {
    // SAFETY: the system passes both records as SA_SIGINFO says, the second to be changed.
    let (address, registers) = unsafe { ((*info).si_addr as usize, registers(&mut *context)) };
    let fault = fault_of(number, address, &registers);
    registers.go_on(trap::fault(&fault));
}

/// What happened.
fn fault_of(number: c_int, address: usize, registers: &Registers<'_>) -> Fault {
    let kind = match number {
        libc::SIGILL => FaultKind::Illegal,
        libc::SIGTRAP => FaultKind::Breakpoint,
        libc::SIGFPE => FaultKind::Arithmetic,
        _ => FaultKind::Access,
    };
    let address = if kind == FaultKind::Access { address } else { 0 };
    let (pc, frame_pointer) = (*registers.pc as usize, *registers.frame_pointer as usize);
    Fault { kind, address, pc, frame_pointer }
}

/// What a fault handler reads and changes of a thread's registers.
struct Registers<'a> {
    pc: &'a mut u64,
    frame_pointer: &'a mut u64,
    stack_pointer: &'a mut u64,
    /// The first register for results.
    result: &'a mut u64,
}

impl Registers<'_> {
    /// Lets the thread go on where code catches what happened.
    fn go_on(self, caught: Caught) {
        let Caught { landing, value } = caught;
        *self.pc = landing.pc as u64;
        *self.frame_pointer = landing.frame as u64;
        *self.stack_pointer = landing.stack as u64;
        *self.result = value as u64;
    }
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
    make_stack(stack_size)?;
    // SAFETY: the stack is new.
    unsafe { arch::call_on((*STACK.get()).top as *mut u8, entry) };
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn make_stack(stack_size: usize) -> Result<()> {
    let size = stack_size.next_multiple_of(memory::page_size());
    let guard = memory::reserve(GUARD + size)?;
    let bottom = guard.wrapping_add(GUARD);
    let top = bottom.wrapping_add(size);
    // SAFETY: the range was just reserved; the record has no other user.
    unsafe {
        memory::commit(bottom, size)?;
        *STACK.get() = Stack { guard: guard as usize, top: top as usize };
    }
    Ok(())
}

/// What the signals of faults did before a library came.
static FORMER: Global<[sigaction; FAULTS.len()]> =
    Global::new([const { sigaction { sa_sigaction: 0, sa_mask: 0, sa_flags: 0 } }; FAULTS.len()]);

/// See [`contract`](crate::sys).
pub fn share() -> Result<()> {
    let fault = fault_action(handle_shared);
    for (index, signal) in FAULTS.into_iter().enumerate() {
        // SAFETY: there is a place for each; the handler passes on what is not the library's.
        unsafe {
            let former = FORMER.get().cast::<sigaction>().add(index);
            if sigaction(signal, &raw const fault, former) != 0 {
                return Err(last());
            }
        }
    }
    Ok(())
}

/// See [`contract`](crate::sys). The stack of handlers is each thread's own, so that the host's is
/// put back.
///
/// # Safety
/// The stack is made, handlers are shared, and no other thread calls.
pub unsafe fn call_shared(entry: unsafe extern "C" fn()) {
    let stack = handler_stack();
    let mut former = stack_t { ss_sp: null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
    // SAFETY: as the caller says. Where the thread handles a signal right now, the kernel leaves its
    // stack as it is.
    unsafe {
        let is_set = libc::sigaltstack(&raw const stack, &raw mut former) == 0;
        arch::call_on((*STACK.get()).top as *mut u8, entry);
        if is_set {
            // The kernel looks at the size even where there is no stack.
            former.ss_size = former.ss_size.max(libc::MINSIGSTKSZ);
            libc::sigaltstack(&raw const former, null_mut());
        }
    }
}

/// Handles a fault in a process that is not the library's own.
extern "C" fn handle_shared(number: c_int, info: *const siginfo_t, context: *mut ucontext_t) {
    // SAFETY: the system passes both records as SA_SIGINFO says, the second to be changed.
    let (address, registers) = unsafe { ((*info).si_addr as usize, registers(&mut *context)) };
    let stack_pointer = *registers.stack_pointer as usize;
    // Only the thread that makes a call is on its stack.
    if is_stack_guard(stack_pointer) || is_on_stack(stack_pointer & !7) {
        let fault = fault_of(number, address, &registers);
        if let Some(caught) = trap::shared_fault(&fault) {
            registers.go_on(caught);
            return;
        }
    }
    // SAFETY: the number is that of a fault, and what it did before is fit for it.
    unsafe { pass_on(number, info, context) };
}

/// Does what a signal did before the library came.
///
/// # Safety
/// The system passed the records to a handler of that fault's.
unsafe fn pass_on(number: c_int, info: *const siginfo_t, context: *mut ucontext_t) {
    let Some(index) = FAULTS.into_iter().position(|signal| signal == number) else { return };
    // SAFETY: as the caller says; the array was written before the handler came.
    unsafe {
        let former = &*FORMER.get().cast::<sigaction>().add(index);
        if [libc::SIG_DFL, libc::SIG_IGN].contains(&former.sa_sigaction) {
            // The instruction faults once more, and the system does what it does then.
            sigaction(number, &raw const *former, null_mut());
            return;
        }
        let handler = core::mem::transmute::<usize, Handler>(former.sa_sigaction);
        handler(number, info, context);
    }
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
        && (stack_end()..stack.top.saturating_sub(15)).contains(&frame_pointer)
}

/// See [`contract`](crate::sys).
pub fn stack_end() -> usize {
    stack().guard + GUARD
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
