//! Fault handlers and the stack that wasm code runs on.

use super::syscall::{SigAction, SignalStack, rt_sigaction, sigaltstack};
use super::thread;
use crate::errno::Errno;
use crate::global::Global;
use crate::sys::types::{Caught, Fault, FaultKind};
use crate::sys::{Result, arch, memory};
use crate::trap;
use core::ptr::null_mut;

// Source: the kernel's `include/uapi/asm-generic/signal.h`.
const SIGILL: usize = 4;
const SIGTRAP: usize = 5;
const SIGBUS: usize = 7;
const SIGFPE: usize = 8;
const SIGSEGV: usize = 11;
const SIGPIPE: usize = 13;
const SA_SIGINFO: usize = 4;
const SA_RESTORER: usize = 0x0400_0000;
const SA_ONSTACK: usize = 0x0800_0000;
const SA_NODEFER: usize = 0x4000_0000;
const SIG_DFL: usize = 0;
const SIG_IGN: usize = 1;
const SS_DISABLE: i32 = 2;

/// Stack of the fault handler, which also holds a vector register file as large as they come.
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

/// Signals of the processor's faults: only x86-64 faults on a division, only arm64 ends with a
/// breakpoint what cannot go on.
const FAULTS: [usize; 4] =
    [SIGSEGV, SIGBUS, SIGILL, if cfg!(target_arch = "x86_64") { SIGFPE } else { SIGTRAP }];

/// See [`contract`](crate::sys).
pub fn install() -> Result<()> {
    let fault = fault_action(handle);
    let ignore = SigAction { handler: SIG_IGN, flags: SA_RESTORER, restorer: 0, mask: 0 };
    // SAFETY: the memory is this module's, and the handler returns to compiled code that catches, if
    // at all.
    let done = unsafe {
        sigaltstack(&handler_stack(), null_mut())
            && FAULTS.into_iter().all(|signal| rt_sigaction(signal, &fault, null_mut()))
            && rt_sigaction(SIGPIPE, &ignore, null_mut())
    };
    if done { Ok(()) } else { Err(Errno::NOSYS) }
}

fn handler_stack() -> SignalStack {
    SignalStack { base: HANDLER_STACK.get().cast(), flags: 0, size: size_of::<HandlerStack>() }
}

type Handler = extern "C" fn(number: i32, info: *const SignalInfo, context: *mut usize);

fn fault_action(handler: Handler) -> SigAction {
    SigAction {
        handler: handler as *const () as usize,
        flags: SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER,
        restorer: restore as *const () as usize,
        mask: 0,
    }
}

/// The start of the kernel's `siginfo_t` for faults.
#[repr(C)]
struct SignalInfo {
    number: i32,
    errno: i32,
    code: i32,
    padding: i32,
    address: usize,
}

/// Handles a fault: returns to where compiled code catches it, if it does.
extern "C" fn handle(number: i32, info: *const SignalInfo, context: *mut usize) {
    // SAFETY: the kernel passes both records as SA_SIGINFO says, the second to be changed.
    let (fault, registers) = unsafe { (fault_of(number, info, context), registers(context)) };
    registers.go_on(trap::fault(&fault));
}

/// What happened.
///
/// # Safety
/// The kernel passed both records.
unsafe fn fault_of(number: i32, info: *const SignalInfo, context: *mut usize) -> Fault {
    // SAFETY: as the caller says.
    let (info, registers) = unsafe { (&*info, registers(context)) };
    let kind = match number as usize {
        SIGILL => FaultKind::Illegal,
        SIGTRAP => FaultKind::Breakpoint,
        SIGFPE => FaultKind::Arithmetic,
        _ => FaultKind::Access,
    };
    let address = if kind == FaultKind::Access { info.address } else { 0 };
    Fault { kind, address, pc: *registers.pc, frame_pointer: *registers.frame_pointer }
}

/// What a fault handler reads and changes of a thread's registers.
struct Registers<'a> {
    pc: &'a mut usize,
    frame_pointer: &'a mut usize,
    stack_pointer: &'a mut usize,
    /// The first register for results.
    result: &'a mut usize,
}

impl Registers<'_> {
    /// Lets the thread go on where code catches what happened.
    fn go_on(self, caught: Caught) {
        let Caught { landing, value } = caught;
        *self.pc = landing.pc;
        *self.frame_pointer = landing.frame;
        *self.stack_pointer = landing.stack;
        *self.result = value;
    }
}

/// Registers in a `ucontext_t`: `uc_mcontext` begins at its 5th word with those in the order of
/// `arch/x86/include/uapi/asm/sigcontext.h`.
#[cfg(target_arch = "x86_64")]
unsafe fn registers<'a>(context: *mut usize) -> Registers<'a> {
    const GENERAL: usize = 5;
    // SAFETY: as the caller says.
    unsafe {
        Registers {
            pc: &mut *context.add(GENERAL + 16),
            frame_pointer: &mut *context.add(GENERAL + 10),
            stack_pointer: &mut *context.add(GENERAL + 15),
            result: &mut *context.add(GENERAL + 13),
        }
    }
}

/// Registers in a `ucontext_t`: `uc_mcontext` begins at byte 176 with the fault address, `x0` to
/// `x30`, `sp`, `pc`; `arch/arm64/include/uapi/asm/sigcontext.h`.
#[cfg(target_arch = "aarch64")]
unsafe fn registers<'a>(context: *mut usize) -> Registers<'a> {
    const GENERAL: usize = 176 / 8 + 1;
    // SAFETY: as the caller says.
    unsafe {
        Registers {
            pc: &mut *context.add(GENERAL + 32),
            frame_pointer: &mut *context.add(GENERAL + 29),
            stack_pointer: &mut *context.add(GENERAL + 31),
            result: &mut *context.add(GENERAL),
        }
    }
}

/// Returns from a handler.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn restore() {
    core::arch::naked_asm!("mov eax, 15", "syscall")
}

/// Returns from a handler; the kernel has its own way and ignores this one but for the flag.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
extern "C" fn restore() {
    core::arch::naked_asm!("mov x8, 139", "svc 0")
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
static FORMER: Global<[SigAction; FAULTS.len()]> =
    Global::new([const { SigAction { handler: 0, flags: 0, restorer: 0, mask: 0 } }; FAULTS.len()]);

/// See [`contract`](crate::sys).
pub fn share() -> Result<()> {
    let fault = fault_action(handle_shared);
    for (index, signal) in FAULTS.into_iter().enumerate() {
        // SAFETY: there is a place for each; the handler passes on what is not the library's.
        unsafe {
            let former = FORMER.get().cast::<SigAction>().add(index);
            if !rt_sigaction(signal, &fault, former) {
                return Err(Errno::NOSYS);
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
    let mut former = SignalStack { base: null_mut(), flags: SS_DISABLE, size: 0 };
    // SAFETY: as the caller says. Where the thread handles a signal right now, the kernel leaves its
    // stack as it is.
    unsafe {
        let is_set = sigaltstack(&handler_stack(), &raw mut former);
        arch::call_on((*STACK.get()).top as *mut u8, entry);
        if is_set {
            sigaltstack(&former, null_mut());
        }
    }
}

/// Handles a fault in a process that is not the library's own.
extern "C" fn handle_shared(number: i32, info: *const SignalInfo, context: *mut usize) {
    // SAFETY: the kernel passes both records as SA_SIGINFO says, the second to be changed.
    let (fault, registers) = unsafe { (fault_of(number, info, context), registers(context)) };
    let stack_pointer = *registers.stack_pointer;
    // Only the thread that makes a call is on its stack.
    let is_call = is_stack_guard(stack_pointer) || is_on_stack(stack_pointer & !7);
    if let Some(caught) = is_call.then(|| trap::shared_fault(&fault)).flatten() {
        registers.go_on(caught);
        return;
    }
    // SAFETY: the number is that of a fault, and what it did before is fit for it.
    unsafe { pass_on(number, info, context) };
}

/// Does what a signal did before the library came.
///
/// # Safety
/// The kernel passed the records to a handler of that fault's.
unsafe fn pass_on(number: i32, info: *const SignalInfo, context: *mut usize) {
    let Some(index) = FAULTS.into_iter().position(|signal| signal == number as usize) else {
        return;
    };
    // SAFETY: as the caller says; the array was written before the handler came.
    unsafe {
        let former = &*FORMER.get().cast::<SigAction>().add(index);
        if former.handler == SIG_DFL || former.handler == SIG_IGN {
            // The instruction faults once more, and the system does what it does then.
            rt_sigaction(number as usize, former, null_mut());
            return;
        }
        core::mem::transmute::<usize, Handler>(former.handler)(number, info, context);
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
