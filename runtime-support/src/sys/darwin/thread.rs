//! Threads: starting them, telling them apart, and waiting for one another.
//!
//! A thread leaves the system's stack for one of its own, as the main thread does. That lies in one
//! mapping with all else that the thread has of its own: guard, stack, the fault handler's stack,
//! and [`Own`], which a key of the system leads to.
//!
//! The system's own waiting on an address is public only from macOS 14.4 on. Words share a fixed
//! number of conditions instead.

use super::signal::{self, GUARD, HandlerStack, Stack};
use crate::errno::Errno;
use crate::global::Global;
use crate::sys::{Result, arch, memory};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicU32};
use libc::{
    PTHREAD_COND_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, pthread_attr_t, pthread_cond_t,
    pthread_key_t, pthread_mutex_t, stack_t, timespec,
};

/// What a thread has of its own.
#[repr(C, align(16))]
pub(super) struct Own {
    local: *mut u8,
    pub(super) stack: Stack,
    /// The whole mapping.
    mapping: (*mut u8, usize),
}

static MAIN: Global<Own> = Global::new(Own {
    local: null_mut(),
    stack: Stack { guard: 0, top: 0 },
    mapping: (null_mut(), 0),
});

/// The key of each thread's record.
static KEY: Global<pthread_key_t> = Global::new(0);

/// Whether there is that key.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// The calling thread's record; none before there can be a second thread.
pub(super) fn own() -> Option<*mut Own> {
    // SAFETY: the key was made, and every thread has set its value.
    HAS_BEGUN.load(Relaxed).then(|| unsafe { libc::pthread_getspecific(*KEY.get()).cast() })
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
        if libc::pthread_key_create(KEY.get(), None) != 0
            || libc::pthread_setspecific(*KEY.get(), main.cast()) != 0
        {
            return Err(Errno::NOMEM);
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
        own.write(Own { local, stack, mapping: (guard, size) });
        if !create(own) {
            memory::release(guard, size);
            return Err(Errno::AGAIN);
        }
    }
    Ok(())
}

/// Has the system start a thread that nobody waits for; false if there cannot be one more.
///
/// # Safety
/// The record is the new thread's.
unsafe fn create(own: *mut Own) -> bool {
    let mut attributes = core::mem::MaybeUninit::<pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    let mut thread = 0;
    // SAFETY: the attributes are initialized before their use.
    unsafe {
        if libc::pthread_attr_init(attributes) != 0 {
            return false;
        }
        let created = libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED)
            == 0
            && libc::pthread_create(&mut thread, attributes, begin_thread, own.cast()) == 0;
        libc::pthread_attr_destroy(attributes);
        created
    }
}

/// Where a thread begins, on the system's stack, and ends.
extern "C" fn begin_thread(own: *mut c_void) -> *mut c_void {
    let own = own.cast::<Own>();
    // SAFETY: `spawn` passed the thread's record; the handler's stack lies below it. Nothing uses
    // the mapping once it is given back.
    unsafe {
        let mut stack = stack_t {
            ss_sp: own.cast::<HandlerStack>().sub(1).cast(),
            ss_size: size_of::<HandlerStack>(),
            ss_flags: 0,
        };
        libc::pthread_setspecific(*KEY.get(), own.cast());
        libc::sigaltstack(&raw const stack, null_mut());
        arch::call_on((*own).stack.top as *mut u8, run);
        stack.ss_flags = libc::SS_DISABLE;
        libc::sigaltstack(&raw const stack, null_mut());
        let (mapping, size) = (*own).mapping;
        memory::release(mapping, size);
    }
    null_mut()
}

/// What a thread does, on its own stack.
extern "C" fn run() {
    // SAFETY: the value is what the thread was spawned with.
    unsafe { crate::thread::run(local()) };
}

/// What the waiters of some words share.
struct Place {
    mutex: UnsafeCell<pthread_mutex_t>,
    condition: UnsafeCell<pthread_cond_t>,
}

// SAFETY: the system's functions are made to be called by many threads with the same objects.
unsafe impl Sync for Place {}

/// Number of places; a power of two.
const PLACES: usize = 64;

static WAITING: [Place; PLACES] = [const {
    Place {
        mutex: UnsafeCell::new(PTHREAD_MUTEX_INITIALIZER),
        condition: UnsafeCell::new(PTHREAD_COND_INITIALIZER),
    }
}; PLACES];

/// The place where the waiters of a word are.
fn place_of(word: *const AtomicU32) -> &'static Place {
    let address = word.addr();
    // Words lie in records and on stacks: bits above a cache line and above a page tell them apart.
    &WAITING[(address >> 4 ^ address >> 12) % PLACES]
}

/// See [`contract`](crate::sys).
pub fn wait(word: &AtomicU32, value: u32, timeout: Option<u64>) {
    let place = place_of(word);
    let (mutex, condition) = (place.mutex.get(), place.condition.get());
    // SAFETY: both objects are initialized and stay where they are; the mutex is held for the wait.
    unsafe {
        libc::pthread_mutex_lock(mutex);
        if word.load(Relaxed) == value {
            match timeout {
                None => libc::pthread_cond_wait(condition, mutex),
                Some(nanoseconds) => {
                    let time = timespec {
                        tv_sec: (nanoseconds / 1_000_000_000) as i64,
                        tv_nsec: (nanoseconds % 1_000_000_000) as i64,
                    };
                    pthread_cond_timedwait_relative_np(condition, mutex, &raw const time)
                }
            };
        }
        libc::pthread_mutex_unlock(mutex);
    }
}

/// See [`contract`](crate::sys). Wakes the waiters of other words at the same place too.
pub fn wake(word: *const AtomicU32) {
    let place = place_of(word);
    // SAFETY: both objects are initialized and stay where they are.
    unsafe {
        libc::pthread_mutex_lock(place.mutex.get());
        libc::pthread_cond_broadcast(place.condition.get());
        libc::pthread_mutex_unlock(place.mutex.get());
    }
}

unsafe extern "C" {
    /// Source: `<pthread.h>`; the time is a distance, on a clock that is never set.
    fn pthread_cond_timedwait_relative_np(
        condition: *mut pthread_cond_t,
        mutex: *mut pthread_mutex_t,
        time: *const timespec,
    ) -> i32;
}
