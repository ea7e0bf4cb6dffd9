//! Threads: starting them, telling them apart, and waiting for one another.
//!
//! A thread is what the kernel's `clone` makes, with no C library beside it. All that it has of its
//! own lies in one mapping, which it gives back itself: guard, stack, the fault handler's stack, and
//! [`Own`], where its thread pointer points.

use super::signal::{self, GUARD, HandlerStack, Stack};
use super::syscall::{self, SignalStack};
use crate::errno::Errno;
use crate::global::Global;
use crate::sys::{Result, memory};
use core::ptr::null_mut;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicU32};
use rustix::thread::futex::{self, Flags, Timespec};

/// What a thread has of its own.
#[repr(C)]
pub(super) struct Own {
    /// Its own address: amd64 has no other way to read a thread pointer.
    itself: *mut Self,
    local: *mut u8,
    pub(super) stack: Stack,
    /// The whole mapping.
    mapping: (*mut u8, usize),
}

static MAIN: Global<Own> = Global::new(Own {
    itself: MAIN.get(),
    local: null_mut(),
    stack: Stack { guard: 0, top: 0 },
    mapping: (null_mut(), 0),
});

/// Whether thread pointers are set.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// The calling thread's record; none before there can be a second thread.
pub(super) fn own() -> Option<*mut Own> {
    // SAFETY: every thread's pointer is set.
    HAS_BEGUN.load(Relaxed).then(|| unsafe { syscall::thread_pointer().cast() })
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// Called once, by the only thread.
pub unsafe fn begin(local: *mut u8) -> Result<()> {
    let main = MAIN.get();
    // SAFETY: as the caller says.
    unsafe {
        (*main).local = local;
        (*main).stack = signal::main_stack();
        if !syscall::set_thread_pointer(main.cast()) {
            return Err(Errno::NOSYS);
        }
    }
    HAS_BEGUN.store(true, Relaxed);
    Ok(())
}

/// See [`contract`](crate::sys).
pub fn local() -> *mut u8 {
    // SAFETY: the record stays while its thread runs.
    own().map_or(null_mut(), |own| unsafe { (*own).local })
}

/// See [`contract`](crate::sys).
///
/// # Safety
/// `local` is fit for [`crate::thread::run`].
pub unsafe fn spawn(stack_size: usize, local: *mut u8) -> Result<()> {
    let page = memory::page_size();
    let stack_size = stack_size.next_multiple_of(page);
    let above = (size_of::<HandlerStack>() + size_of::<Own>()).next_multiple_of(page);
    let size = GUARD + stack_size + above;
    let guard = memory::reserve(size)?;
    let top = guard.wrapping_add(GUARD + stack_size);
    let own = top.wrapping_add(size_of::<HandlerStack>()).cast::<Own>();
    // SAFETY: the range was just reserved; the stack and the record are the new thread's.
    unsafe {
        if let Err(error) = memory::commit(guard.add(GUARD), size - GUARD) {
            memory::release(guard, size);
            return Err(error);
        }
        let stack = Stack { guard: guard.addr(), top: top.addr() };
        own.write(Own { itself: own, local, stack, mapping: (guard, size) });
        if syscall::clone(top, own.cast(), run) < 0 {
            memory::release(guard, size);
            return Err(Errno::AGAIN);
        }
    }
    Ok(())
}

/// Where a thread begins, and ends.
///
/// # Safety
/// `own` is the calling thread's record, above its stack.
unsafe extern "C" fn run(own: *mut u8) -> ! {
    let own = own.cast::<Own>();
    // SAFETY: as the caller says; the handler's stack lies below the record.
    unsafe {
        let base = own.cast::<HandlerStack>().sub(1).cast();
        let stack = SignalStack { base, flags: 0, size: size_of::<HandlerStack>() };
        syscall::sigaltstack(&stack, null_mut());
        crate::thread::run((*own).local);
        let (mapping, size) = (*own).mapping;
        syscall::unmap_and_exit(mapping, size)
    }
}

/// See [`contract`](crate::sys).
pub fn wait(word: &AtomicU32, value: u32, timeout: Option<u64>) {
    let timeout = timeout.map(|nanoseconds| Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as i64,
    });
    // Whatever ends the wait, the caller looks at the word again.
    let _ = futex::wait(word, Flags::PRIVATE, value, timeout.as_ref());
}

/// See [`contract`](crate::sys).
pub fn wake(word: *const AtomicU32) {
    syscall::futex_wake(word);
}
