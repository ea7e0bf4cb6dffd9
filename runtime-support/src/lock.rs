//! State that threads share: a value and the lock that guards it.
//!
//! Requires [`sys::thread`]'s `wait` and `wake`. Guarantees that one thread at a time uses the
//! value. Where nobody else wants the lock, taking and leaving it are one atomic instruction each,
//! and no system call. A lock is not taken twice by the same thread, and never in fault handlers
//! other than by [`Lock::try_lock`].

use crate::sys::thread;
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Nobody has the lock.
const FREE: u32 = 0;
/// A thread has it.
const TAKEN: u32 = 1;
/// A thread has it, and others may wait for it.
const WANTED: u32 = 2;

/// A value that one thread at a time uses.
pub struct Lock<T> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: a thread reaches the value only while it has the lock. What the values point to belongs
// to the whole process, as the values themselves do.
unsafe impl<T> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A value to place in a `static`.
    pub const fn new(value: T) -> Self {
        Self { state: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// Waits until no other thread has the lock, and takes it.
    pub fn lock(&self) -> Guard<'_, T> {
        if self.state.compare_exchange(FREE, TAKEN, Acquire, Relaxed).is_err() {
            self.wait();
        }
        Guard { lock: self }
    }

    /// Takes the lock if no thread has it, the calling one included.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.state.compare_exchange(FREE, TAKEN, Acquire, Relaxed).ok()?;
        Some(Guard { lock: self })
    }

    #[cold]
    fn wait(&self) {
        // Who waited once cannot know whether others still do.
        while self.state.swap(WANTED, Acquire) != FREE {
            thread::wait(&self.state, WANTED, None);
        }
    }
}

/// The lock, taken; dropping it leaves the lock.
pub struct Guard<'l, T> {
    lock: &'l Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this thread has the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this thread has the lock, and this is its only guard.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if self.lock.state.swap(FREE, Release) == WANTED {
            thread::wake(&self.lock.state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_threads_have_the_lock() {
        const ROUNDS: u64 = 20_000;
        static COUNT: Lock<u64> = Lock::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let mut count = COUNT.lock();
                        let former = *count;
                        core::hint::black_box(());
                        *count = former + 1;
                    }
                });
            }
        });
        assert_eq!(*COUNT.lock(), 4 * ROUNDS);
    }

    #[test]
    fn a_taken_lock_is_not_taken_again() {
        let lock = Lock::new(());
        let guard = lock.try_lock();
        assert!(guard.is_some() && lock.try_lock().is_none());
        drop(guard);
        assert!(lock.try_lock().is_some());
    }
}
