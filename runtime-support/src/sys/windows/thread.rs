//! Threads: starting them, telling them apart, and waiting for one another.

use super::signal;
use super::syscall::{
    CreateThread, INFINITE, NtClose, STACK_SIZE_PARAM_IS_A_RESERVATION, TLS_OUT_OF_INDEXES,
    TlsAlloc, TlsGetValue, TlsSetValue, WaitOnAddress, WakeByAddressSingle,
};
use crate::errno::Errno;
use crate::sys::Result;
use core::ffi::c_void;
use core::ptr::{from_ref, null, null_mut};
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

/// Where Windows keeps each thread's pointer; [`TLS_OUT_OF_INDEXES`] before there can be a second
/// thread.
static INDEX: AtomicU32 = AtomicU32::new(TLS_OUT_OF_INDEXES);

/// See [`contract`](crate::sys).
///
/// # Safety
/// Called once, by the only thread.
pub unsafe fn begin(local: *mut u8) -> Result<()> {
    // SAFETY: the index is this module's own.
    let index = unsafe { TlsAlloc() };
    // SAFETY: as above.
    if index == TLS_OUT_OF_INDEXES || unsafe { TlsSetValue(index, local.cast()) } == 0 {
        return Err(Errno::NOMEM);
    }
    INDEX.store(index, Relaxed);
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn local() -> *mut u8 {
    match INDEX.load(Relaxed) {
        TLS_OUT_OF_INDEXES => null_mut(),
        // SAFETY: the index is this module's own.
        index => unsafe { TlsGetValue(index).cast() },
    }
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// `local` is fit for [`crate::thread::run`].
pub unsafe fn spawn(stack_size: usize, local: *mut u8) -> Result<()> {
    const FLAGS: u32 = STACK_SIZE_PARAM_IS_A_RESERVATION;
    // SAFETY: as the caller says; nobody waits for the thread, so its handle is not needed.
    unsafe {
        let thread = CreateThread(null(), stack_size, run, local.cast(), FLAGS, null_mut());
        if thread.is_null() {
            return Err(Errno::AGAIN);
        }
        NtClose(thread);
    }
    Ok(())
}

/// Where a thread begins, and ends.
extern "system" fn run(local: *mut c_void) -> u32 {
    // SAFETY: `spawn` passed what it was given. Without room for the fault handler, an exhausted
    // stack would end the process without a word, and nothing worse.
    unsafe {
        TlsSetValue(INDEX.load(Relaxed), local);
        let _ = signal::keep_handler_stack();
        crate::thread::run(local.cast());
    }
    0
}

/// See [`contract`](crate::sys).
pub fn wait(word: &AtomicU32, value: u32, timeout: Option<u64>) {
    // Windows counts milliseconds; rounding up keeps a wait from ending before its time.
    let milliseconds = timeout.map_or(INFINITE, |nanoseconds| {
        u32::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(INFINITE - 1).min(INFINITE - 1)
    });
    // SAFETY: both numbers can be read, and are of that size.
    unsafe {
        WaitOnAddress(
            from_ref(word).cast(),
            from_ref(&value).cast(),
            size_of::<u32>(),
            milliseconds,
        )
    };
}

/// See [`contract`](crate::sys).
pub fn wake(word: *const AtomicU32) {
    // SAFETY: the address is only compared.
    unsafe { WakeByAddressSingle(word.cast()) };
}
