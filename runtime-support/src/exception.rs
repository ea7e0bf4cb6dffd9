//! Exceptions: thrown by compiled code, caught by compiled code.
//!
//! The walk is by frame pointers, which every compiled function keeps; what lies between two
//! calls of compiled code is compiled code too. Nothing is undone on the way but the stack.

use crate::global::Global;
use crate::lock::Lock;
use crate::sys::arch::compiled_calls;
use crate::sys::types::Landing;
use crate::sys::{self, arch, signal};
use crate::{program, thread, trap};
use core::mem::size_of;
use core::ptr::copy_nonoverlapping;
use kiln_abi::exception::{CallSite, Exception, Handler, MAXIMUM_PAYLOAD, PAYLOAD_SIZE, TRAP_TAG};
use kiln_abi::program::NO_INDEX;
use kiln_abi::trap::TrapCode;

/// An exception with room for any payload.
#[repr(C)]
pub struct Room {
    exception: Exception,
    payload: [u128; MAXIMUM_PAYLOAD],
}

/// The exception on its way to a handler, in a program that starts no threads.
static CURRENT: Global<Room> = Global::new(Room {
    exception: Exception { tag: 0, count: 0, reserved: 0 },
    payload: [0; MAXIMUM_PAYLOAD],
});

/// Where the calling thread has the exception on its way to a handler.
fn current() -> *mut Room {
    // SAFETY: the thread is the calling one.
    thread::current().map_or(CURRENT.get(), |thread| unsafe { &raw mut (*thread).exception })
}

/// Marks an exception that stays where it is, in [`Exception::reserved`].
const KEPT: u64 = 1;

/// Bytes of memory taken at a time for exceptions that stay.
const CHUNK: usize = 1 << 20;

/// Free memory for exceptions that stay.
static FREE: Lock<(*mut u8, usize)> = Lock::new((core::ptr::null_mut(), 0));

compiled_calls! {
    /// Throws a new exception from the function that called the one with frame pointer `frame`.
    ///
    /// # Safety
    /// `payload` points to `count` values; `frame` is a frame of compiled code.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_throw(
        tag: u32,
        payload: *const u128,
        count: u32,
        frame: *const u8,
    ) -> ! {
        let current = current();
        // SAFETY: nothing else uses the current exception while one is thrown; `count` is a number of
        // parameters, which the validator bounds.
        unsafe {
            (*current).exception = Exception { tag, count, reserved: 0 };
            copy_nonoverlapping(payload, (&raw mut (*current).payload).cast(), count as usize);
            unwind(current.cast(), frame)
        }
    }

    /// Throws an exception once more.
    ///
    /// # Safety
    /// `exception` is one that was caught; `frame` is a frame of compiled code.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_throw_reference(exception: *const Exception, frame: *const u8) -> ! {
        // SAFETY: as the caller says. One that does not stay may lie in a frame that is left now.
        unsafe {
            if (*exception).reserved == KEPT {
                unwind(exception, frame)
            }
            kiln_exception_copy(exception, current().cast());
            unwind(current().cast(), frame)
        }
    }

    /// The same exception in a place where it stays. Such exceptions are never given back.
    ///
    /// # Safety
    /// `exception` is one that was caught.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_exception_keep(exception: *const Exception) -> *const Exception {
        // SAFETY: as the caller says; the memory is fresh and large enough.
        unsafe {
            if (*exception).reserved == KEPT {
                return exception;
            }
            let kept = allocate(size(exception)).cast::<Exception>();
            kiln_exception_copy(exception, kept);
            (*kept).reserved = KEPT;
            kept
        }
    }

    /// Copies an exception with its payload.
    ///
    /// # Safety
    /// `exception` is one that was caught, and `to` has room for it.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_exception_copy(exception: *const Exception, to: *mut Exception) {
        // SAFETY: as the caller says; `copy` allows for the same place.
        unsafe {
            core::ptr::copy(exception.cast::<u8>(), to.cast::<u8>(), size(exception));
            (*to).reserved = 0;
        }
    }
}

/// Bytes of an exception and its payload.
///
/// # Safety
/// `exception` points to one.
unsafe fn size(exception: *const Exception) -> usize {
    // SAFETY: as the caller says.
    let count = unsafe { (*exception).count };
    size_of::<Exception>() + count as usize * PAYLOAD_SIZE as usize
}

/// Memory that is never given back, aligned for an exception.
fn allocate(length: usize) -> *mut u8 {
    // What ends a library's call here would leave the lock locked for the next one.
    trap::require_stack();
    let mut chunk = FREE.lock();
    let (free, left) = &mut *chunk;
    if *left < length {
        match sys::memory::allocate(CHUNK) {
            Ok(chunk) => (*free, *left) = (chunk, CHUNK),
            Err(_) => {
                drop(chunk);
                crate::start::fail("no memory is left for exceptions", "");
            }
        }
    }
    let place = *free;
    *free = place.wrapping_add(length);
    *left -= length;
    place
}

/// Goes on at the innermost handler that catches the exception, or traps if there is none.
///
/// # Safety
/// As [`kiln_throw`].
unsafe fn unwind(exception: *const Exception, frame: *const u8) -> ! {
    // SAFETY: as the caller says.
    let tag = unsafe { (*exception).tag };
    match landing(frame as usize, tag) {
        // SAFETY: the compiler put the landing there for this very state of the caller.
        Some(landing) => unsafe { arch::resume(exception as usize, &landing, thread::block()) },
        None => trap::raise(TrapCode::UncaughtException),
    }
}

/// Where code goes on that catches what was thrown with that tag below the frame.
pub fn landing(mut frame: usize, tag: u32) -> Option<Landing> {
    while signal::is_on_stack(frame) {
        // SAFETY: a frame record is two words on the stack: the caller's frame, the return address.
        let (caller, return_address) = unsafe { *(frame as *const (usize, usize)) };
        if let Some((site, pc)) = handler(return_address, tag) {
            return Some(Landing { pc, frame: caller, stack: caller - site.frame_offset as usize });
        }
        if caller <= frame {
            break;
        }
        frame = caller;
    }
    None
}

/// The handler around the call that returns to that address, and where it goes on.
fn handler(return_address: usize, tag: u32) -> Option<(CallSite, usize)> {
    // A call may be the last instruction of its range.
    let (range, last) = program::code_at(return_address.wrapping_sub(1))?;
    // SAFETY: the range counts the arrays it points to.
    let (sites, handlers) = unsafe {
        (
            program::slice::<CallSite>(range.call_sites, range.call_site_count),
            program::slice::<Handler>(range.handlers, range.handler_count),
        )
    };
    let offset = last as u32 + 1;
    let position = sites.binary_search_by_key(&offset, |site| site.return_offset).ok()?;
    let site = sites.get(position)?;
    let end = sites.get(position + 1).map_or(handlers.len(), |next| next.handlers_start as usize);
    let catches =
        |handler: &&Handler| handler.tag == tag || (handler.tag == NO_INDEX && tag != TRAP_TAG);
    let handler = handlers.get(site.handlers_start as usize..end)?.iter().find(catches)?;
    Some((*site, range.start as usize + handler.landing_offset as usize))
}
