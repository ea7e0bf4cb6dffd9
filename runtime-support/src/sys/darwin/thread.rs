//! Threads: waiting for one another.
//!
//! The system's own waiting on an address is public only from macOS 14.4 on. Words share a fixed
//! number of conditions instead.

use core::cell::UnsafeCell;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;
use libc::{
    PTHREAD_COND_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, pthread_cond_t, pthread_mutex_t, timespec,
};

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
