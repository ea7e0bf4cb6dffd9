//! Fault handlers and the stack that wasm code runs on.

use super::syscall::{
    AddVectoredExceptionHandler, Context, ExceptionPointers, GetCurrentThreadStackLimits,
    PAGE_GUARD, PAGE_READWRITE, RtlPcToFileHeader, SetThreadStackGuarantee, VirtualProtect,
    exception,
};
#[cfg(target_arch = "x86_64")]
use super::syscall::{RtlCaptureContext, RtlLookupFunctionEntry, RtlVirtualUnwind};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Caught, Fault, FaultKind};
use crate::trap;
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;

/// Bytes of stack that are left for the fault handler when the rest is used up.
const HANDLER_STACK: u32 = 64 << 10;

/// Bytes whose first access is a fault, at the upper end of that; compiled code touches every page
/// of its frames.
const GUARD: usize = 4096;

/// Goes on with the registers as the handler leaves them.
const EXCEPTION_CONTINUE_EXECUTION: i32 = -1;

/// Has the next handler look at an exception.
const EXCEPTION_CONTINUE_SEARCH: i32 = 0;

/// See [`contract`](crate::sys).
pub fn install() -> Result<()> {
    // SAFETY: the handler ends the process, returns to compiled code that catches, or passes the
    // exception on.
    if unsafe { AddVectoredExceptionHandler(1, handle) }.is_null() {
        return Err(Errno::NOSYS);
    }
    keep_handler_stack()
}

/// Has the calling thread's stack keep room for the fault handler.
pub(super) fn keep_handler_stack() -> Result<()> {
    let mut guarantee = HANDLER_STACK;
    // SAFETY: the call reads and writes one number.
    if unsafe { SetThreadStackGuarantee(&mut guarantee) } == 0 {
        return Err(Errno::NOSYS);
    }
    guard_committed_stack();
    Ok(())
}

/// Guards the handler's part of a stack that is committed to its end. Windows grows a stack page by
/// page and keeps that part clear itself; but where nothing is left to grow, its guard page is the
/// last one, and too little would be left for the handler.
fn guard_committed_stack() {
    let (low, _) = stack_limits();
    let guard = (low + HANDLER_STACK as usize - GUARD) as *mut c_void;
    let mut former = 0;
    // SAFETY: the stack is not in use down there, and stays accessible after the fault. Pages that
    // are not committed make the call fail, as they should.
    unsafe { VirtualProtect(guard, GUARD, PAGE_READWRITE | PAGE_GUARD, &mut former) };
}

/// Handles a fault of the program; leaves alone what a DLL may raise and handle itself.
extern "system" fn handle(pointers: *const ExceptionPointers) -> i32 {
    // SAFETY: Windows passes both records.
    unsafe { go_on(pointers, |fault| Some(trap::fault(fault))) }
}

/// The stack of the thread that calls a library, by its lowest address; 0 while none does.
static CALLER: AtomicUsize = AtomicUsize::new(0);

/// Handles a fault in a process that is not the library's own.
extern "system" fn handle_shared(pointers: *const ExceptionPointers) -> i32 {
    if stack_limits().0 != CALLER.load(Relaxed) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    // SAFETY: Windows passes both records.
    unsafe { go_on(pointers, trap::shared_fault) }
}

/// See [`contract`](crate::sys).
pub fn share() -> Result<()> {
    // SAFETY: the handler returns to compiled code that catches, or passes the exception on.
    let handler = unsafe { AddVectoredExceptionHandler(1, handle_shared) };
    if handler.is_null() { Err(Errno::NOSYS) } else { Ok(()) }
}

/// See [`contract`](crate::sys). A thread has one stack for good.
pub fn make_stack(_stack_size: usize) -> Result<()> {
    Ok(())
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// As `contract` says.
pub unsafe fn call_shared(entry: unsafe extern "C" fn()) {
    // Without it, exhausting the stack ends the process, as it does in other code.
    let _ = keep_handler_stack();
    CALLER.store(stack_limits().0, Relaxed);
    // SAFETY: as the caller says.
    unsafe { entry() };
    CALLER.store(0, Relaxed);
}

/// Has the thread go on where code catches its fault; passes on what is none, or is not caught.
///
/// # Safety
/// Windows passed the records to a handler.
unsafe fn go_on(
    pointers: *const ExceptionPointers,
    caught: impl FnOnce(&Fault) -> Option<Caught>,
) -> i32 {
    // SAFETY: as the caller says; the second is there to be changed.
    let (record, context) = unsafe { (&*(*pointers).record, &mut *(*pointers).context) };
    let kind = match record.code {
        exception::ACCESS_VIOLATION
        | exception::IN_PAGE_ERROR
        | exception::GUARD_PAGE_VIOLATION => FaultKind::Access,
        exception::STACK_OVERFLOW => FaultKind::StackOverflow,
        exception::ILLEGAL_INSTRUCTION | exception::PRIVILEGED_INSTRUCTION => FaultKind::Illegal,
        exception::INT_DIVIDE_BY_ZERO | exception::INT_OVERFLOW => FaultKind::Arithmetic,
        exception::BREAKPOINT => FaultKind::Breakpoint,
        _ => return EXCEPTION_CONTINUE_SEARCH,
    };
    let pc = context.pc as usize;
    if kind != FaultKind::StackOverflow && !is_own_code(pc) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    let [_, address, ..] = record.parameters;
    let address = if kind == FaultKind::Access { address } else { 0 };
    let fault = Fault { kind, address, pc, frame_pointer: frame_pointer_in(context) };
    let Some(Caught { landing, value }) = caught(&fault) else {
        return EXCEPTION_CONTINUE_SEARCH;
    };
    context.pc = landing.pc as u64;
    context.frame_pointer = landing.frame as u64;
    context.stack_pointer = landing.stack as u64;
    context.result = value as u64;
    EXCEPTION_CONTINUE_EXECUTION
}

/// Whether an address lies in the executable, not in a DLL.
fn is_own_code(pc: usize) -> bool {
    let image_of = |pc: *const c_void| {
        let mut base = null_mut();
        // SAFETY: the call looks the address up; it need not be valid.
        unsafe { RtlPcToFileHeader(pc, &mut base) }
    };
    image_of(pc as *const c_void) == image_of(handle as *const c_void)
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// Called once, by the only thread.
pub unsafe fn call_on_stack(_stack_size: usize, entry: unsafe extern "C" fn()) -> Result<()> {
    // SAFETY: as the caller says. The image's header says how large the stack is.
    unsafe { entry() };
    Ok(())
}

/// See [`contract`](crate::sys). Windows leaves the guard off once it was hit.
pub fn guard_again() {
    guard_committed_stack();
}

/// See [`contract`](crate::sys). Where Windows grows the stack, it reports the end by itself.
pub fn is_stack_guard(address: usize) -> bool {
    let (low, _) = stack_limits();
    (low..low + HANDLER_STACK as usize).contains(&address)
}

/// See [`contract`](crate::sys).
pub fn stack_end() -> usize {
    stack_limits().0 + HANDLER_STACK as usize
}

/// See [`contract`](crate::sys). What lies below the caller's frame is not in use.
pub fn is_on_stack(frame_pointer: usize) -> bool {
    let here = 0_u8;
    let (_, high) = stack_limits();
    let in_use = (&raw const here) as usize..high.saturating_sub(15);
    frame_pointer.is_multiple_of(8) && in_use.contains(&frame_pointer)
}

/// Lowest address of the stack and the address after its last byte.
fn stack_limits() -> (usize, usize) {
    let (mut low, mut high) = (0, 0);
    // SAFETY: the call writes two addresses.
    unsafe { GetCurrentThreadStackLimits(&mut low, &mut high) };
    (low, high)
}

/// The frame pointer where a fault happened.
#[cfg(target_arch = "aarch64")]
fn frame_pointer_in(context: &Context) -> usize {
    context.frame_pointer as usize
}

/// The frame pointer where a fault happened; in the runtime, that of its compiled caller.
#[cfg(target_arch = "x86_64")]
fn frame_pointer_in(context: &Context) -> usize {
    if crate::code_map::find(context.pc as usize).is_some() {
        return context.frame_pointer as usize;
    }
    calling_frame(*context)
}

/// A frame record of the compiled code that called the runtime. Code that Windows can unwind, as
/// the runtime's is, has frame pointers that point anywhere into the frame.
#[cfg(target_arch = "x86_64")]
pub fn frame_pointer() -> usize {
    let mut context = core::mem::MaybeUninit::uninit();
    // SAFETY: the call fills the record in.
    calling_frame(unsafe {
        RtlCaptureContext(context.as_mut_ptr());
        context.assume_init()
    })
}

/// Unwinds the runtime's frames up to compiled code; gives a frame record that names the place of
/// the call, 0 if there is none.
#[cfg(target_arch = "x86_64")]
fn calling_frame(mut context: Context) -> usize {
    /// More than the runtime's calls are ever deep.
    const FRAMES: usize = 64;

    for _ in 0..FRAMES {
        let (mut base, mut frame, mut data) = (0, 0, null_mut());
        let pc = context.pc as usize;
        // SAFETY: the context is that of a function of this executable, and the frames above it
        // are in use.
        unsafe {
            let function = RtlLookupFunctionEntry(pc, &mut base, null_mut());
            if function.is_null() {
                return 0;
            }
            let null = null_mut();
            RtlVirtualUnwind(0, base, pc, function, &mut context, &mut data, &mut frame, null);
        }
        if crate::code_map::find((context.pc as usize).wrapping_sub(1)).is_some() {
            let record = (context.stack_pointer as usize - 16) as *mut u64;
            // SAFETY: the word after it is the return address; this one is in the frame of a
            // function that is never returned to, since the program ends.
            unsafe { *record = context.frame_pointer };
            return record as usize;
        }
    }
    0
}
