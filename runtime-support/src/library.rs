//! Libraries: how a C program calls what a module exports.
//!
//! A library has one instance. It is made once, and called by one thread at a time: others wait.
//! Calls run on a stack of the library's own where the OS lets a thread have another one. A trap,
//! `proc_exit`, and a failure to begin end the call, not the process: compiled code around each call
//! catches them as it catches a trap, and what it catches is the call's code, one of
//! [`kiln_abi::library`]. An executable links none of this: what ends a process there,
//! [`kiln_abi::symbol::END`] and [`kiln_abi::symbol::TELL`], leads here in a library.

use crate::global::Global;
use crate::lock::Lock;
use crate::sys::arch::compiled_calls;
use crate::sys::{arch, process, signal};
use crate::{exception, program, start, thread, trap};
use core::ffi::{CStr, c_char};
use core::ptr::null_mut;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use kiln_abi::exception::TRAP_TAG;
use kiln_abi::library::{
    ALREADY_INSTANTIATED, EXITED, NOT_INSTANTIATED, OK, START_FAILED, TEXTS, Work,
};
use kiln_abi::trap::TrapCode;

/// What became of the instance.
mod state {
    pub(super) const NONE: u32 = 0;
    pub(super) const BEGINNING: u32 = 1;
    pub(super) const BEGUN: u32 = 2;
    pub(super) const READY: u32 = 3;
}

static STATE: AtomicU32 = AtomicU32::new(state::NONE);

/// What the last `proc_exit` said.
static EXIT_CODE: AtomicU32 = AtomicU32::new(0);

/// The call that is being made.
struct Call {
    work: Work,
    values: *mut u128,
    code: u32,
}

/// Held during a call.
static CALLS: Lock<()> = Lock::new(());

/// Changed only by the thread that has [`CALLS`].
static CALL: Global<Call> = Global::new(Call { work: nothing, values: null_mut(), code: OK });

unsafe extern "C" fn nothing(_: *mut u128) -> u32 {
    OK
}

compiled_calls! {
    /// Makes the instance.
    ///
    /// # Safety
    /// `work` is the compiled code that does.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_library_instantiate(work: Work) -> u32 {
        let _one = CALLS.lock();
        if STATE.load(Relaxed) != state::NONE {
            return ALREADY_INSTANTIATED;
        }
        STATE.store(state::BEGINNING, Relaxed);
        process::begin_library();
        let stack_size = program::record().stack_size as usize + trap::RUNTIME_STACK;
        if signal::share().and_then(|()| signal::make_stack(stack_size)).is_err() {
            tell(b"not enough memory for the stack");
            return START_FAILED;
        }
        // SAFETY: as the caller says.
        let code = unsafe { run(work, null_mut()) };
        if code == OK {
            STATE.store(state::READY, Release);
        }
        code
    }

    /// Prepares what the instance needs; called by its compiled code, within the call that makes it.
    ///
    /// # Safety
    /// None is needed; the signature is that of every such function.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_library_begin() {
        start::prepare();
        STATE.store(state::BEGUN, Relaxed);
    }

    /// Calls compiled code with values in and out.
    ///
    /// # Safety
    /// `work` is such code, and `values` is fit for it.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_library_call(work: Work, values: *mut u128) -> u32 {
        if STATE.load(Acquire) != state::READY {
            return NOT_INSTANTIATED;
        }
        let _one = CALLS.lock();
        // SAFETY: as the caller says.
        unsafe { run(work, values) }
    }
}

/// # Safety
/// As [`kiln_library_call`], by the thread that has [`CALLS`], once there is a stack.
unsafe fn run(work: Work, values: *mut u128) -> u32 {
    // SAFETY: as the caller says.
    unsafe {
        *CALL.get() = Call { work, values, code: OK };
        signal::call_shared(work_on_stack);
        (*CALL.get()).code
    }
}

unsafe extern "C" fn work_on_stack() {
    trap::keep_stack();
    let call = CALL.get();
    // SAFETY: the caller of `run` says so.
    unsafe { (*call).code = ((*call).work)((*call).values) }
}

/// Ends the call, as a process would be ended with that exit code.
#[unsafe(no_mangle)]
pub extern "C" fn kiln_end_call(exit_code: u32) -> ! {
    let code = if STATE.load(Relaxed) == state::BEGINNING {
        START_FAILED
    } else {
        EXIT_CODE.store(exit_code, Relaxed);
        EXITED
    };
    match exception::landing(arch::frame_pointer(), TRAP_TAG) {
        // SAFETY: the compiler put the landing there for this very state of the caller.
        Some(landing) => unsafe { arch::resume(code as usize, &landing, thread::block()) },
        // Nothing ends outside of a call.
        None => process::exit(exit_code),
    }
}

/// What the last `proc_exit` said; 0 before.
#[unsafe(no_mangle)]
pub extern "C" fn kiln_library_exit_code() -> u32 {
    EXIT_CODE.load(Relaxed)
}

/// The reason why the instance could not begin, a text that ends in a NUL.
struct Reason([u8; 512]);

static REASON: Global<Reason> = Global::new(Reason([0; 512]));

/// Keeps a message of the runtime's, whose end may be missing.
///
/// # Safety
/// `text` has that length; called within a call alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kiln_tell_caller(text: *const u8, length: usize) {
    // SAFETY: as the caller says.
    tell(unsafe { core::slice::from_raw_parts(text, length) });
}

fn tell(text: &[u8]) {
    // SAFETY: only the thread that has `CALLS` writes, before the instance is there.
    let Reason(reason) = unsafe { &mut *REASON.get() };
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for (place, &byte) in reason.iter_mut().take(511).zip(text) {
        *place = byte;
    }
}

/// What a code means, in words.
#[unsafe(no_mangle)]
pub extern "C" fn kiln_library_message(code: u32) -> *const c_char {
    if code == START_FAILED {
        return REASON.get().cast();
    }
    let trap = u8::try_from(code).ok().and_then(TrapCode::from_u8).map(TrapCode::c_text);
    let own = TEXTS.iter().find(|(own, _)| *own == code).map(|(_, text)| *text);
    trap.or(own).map_or(c"unknown code", |text: &CStr| text).as_ptr()
}
