//! `memory.atomic.wait` and `memory.atomic.notify`: threads that wait for one another.
//!
//! Who waits is a record on its own stack, in the queue of its address. Looking at the value and
//! entering the queue is one step for whoever notifies, since both hold the queue's lock; so no
//! notification is lost, and each one counts exactly whom it woke, the longest waiting first.
//! Source: the threads proposal, "Wait and Notify operators".

use crate::lock::Lock;
use crate::memory::{self, require_within};
use crate::sys::arch::compiled_calls;
use crate::sys::clock;
use crate::sys::thread;
use crate::sys::types::Clock;
use crate::trap;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Acquire, Release, SeqCst};
use core::sync::atomic::{AtomicU32, AtomicU64};
use kiln_abi::program::{MEMORY_SHARED, Memory};
use kiln_abi::trap::TrapCode::{ExpectedSharedMemory, MemoryOutOfBounds, UnalignedAtomic};

/// How a wait ends; the numbers are the operators' results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Outcome {
    Woken = 0,
    OtherValue = 1,
    TimeOver = 2,
}

/// A thread that waits.
struct Waiter {
    /// What it waits for: the native address.
    address: usize,
    /// 1 once it is out of its queue.
    woken: AtomicU32,
    next: *mut Self,
}

/// Waiters in the order of their coming; those of other addresses are among them.
struct Queue {
    first: *mut Waiter,
    /// What is to point to the next one who comes; null stands for `first`.
    last: *mut Waiter,
}

/// Number of queues; a power of two.
const QUEUES: usize = 64;

static WAITING: [Lock<Queue>; QUEUES] =
    [const { Lock::new(Queue { first: null_mut(), last: null_mut() }) }; QUEUES];

/// The queue that waiters for an address are in.
fn queue_of(address: usize) -> &'static Lock<Queue> {
    // Fibonacci hashing: neighbouring words have different queues, and so have distant ones.
    let hash = (address as u64 >> 2).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    &WAITING[(hash >> (64 - QUEUES.ilog2())) as usize]
}

impl Queue {
    /// Adds a waiter at the end.
    ///
    /// # Safety
    /// The waiter stays until it is taken out again.
    unsafe fn append(&mut self, waiter: *mut Waiter) {
        match self.last {
            last if last.is_null() => self.first = waiter,
            // SAFETY: whoever is in the queue stays.
            last => unsafe { (*last).next = waiter },
        }
        self.last = waiter;
    }

    /// Takes the first waiters out that `wanted` chooses, `count` of them at most, handing each to
    /// `taken`; gives their number.
    fn take(
        &mut self,
        count: u32,
        wanted: impl Fn(*mut Waiter) -> bool,
        taken: impl Fn(*mut Waiter),
    ) -> u32 {
        let (mut former, mut waiter) = (null_mut::<Waiter>(), self.first);
        let mut number = 0;
        while !waiter.is_null() && number < count {
            // SAFETY: whoever is in the queue stays.
            let next = unsafe { (*waiter).next };
            if wanted(waiter) {
                match former.is_null() {
                    true => self.first = next,
                    // SAFETY: as above.
                    false => unsafe { (*former).next = next },
                }
                if next.is_null() {
                    self.last = former;
                }
                taken(waiter);
                number += 1;
            } else {
                former = waiter;
            }
            waiter = next;
        }
        number
    }
}

compiled_calls! {
    /// `memory.atomic.wait32`.
    ///
    /// # Safety
    /// `memory` is one of the program's memories.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_atomic_wait32(
        memory: *mut Memory,
        at: u64,
        expected: u32,
        timeout: i64,
    ) -> u32 {
        // SAFETY: as the caller says; the word lies in the memory and is aligned.
        unsafe {
            let word = shared(memory, word_at(memory, at, 4));
            let word = AtomicU32::from_ptr(word.cast());
            wait(word.as_ptr().addr(), || word.load(SeqCst) == expected, timeout) as u32
        }
    }

    /// `memory.atomic.wait64`.
    ///
    /// # Safety
    /// `memory` is one of the program's memories.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_atomic_wait64(
        memory: *mut Memory,
        at: u64,
        expected: u64,
        timeout: i64,
    ) -> u32 {
        // SAFETY: as the caller says; the word lies in the memory and is aligned.
        unsafe {
            let word = shared(memory, word_at(memory, at, 8));
            let word = AtomicU64::from_ptr(word.cast());
            wait(word.as_ptr().addr(), || word.load(SeqCst) == expected, timeout) as u32
        }
    }

    /// `memory.atomic.notify`.
    ///
    /// # Safety
    /// `memory` is one of the program's memories.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_atomic_notify(memory: *mut Memory, at: u64, count: u32) -> u32 {
        // SAFETY: as the caller says.
        let address = unsafe { word_at(memory, at, 4) }.addr();
        // SAFETY: waiters stay in the queue, whose lock is held, until their words are set.
        queue_of(address).lock().take(
            count,
            |waiter| unsafe { (*waiter).address == address },
            |waiter| unsafe { release(waiter) },
        )
    }
}

/// Lets a waiter that was taken out of its queue go on.
///
/// # Safety
/// The waiter waits.
unsafe fn release(waiter: *mut Waiter) {
    // SAFETY: as the caller says. Once the word is set, nothing but its address is used.
    unsafe {
        let word = &raw const (*waiter).woken;
        (*word).store(1, Release);
        thread::wake(word);
    }
}

/// The address of a word of `size` bytes. Traps unless it is aligned and lies in the memory.
///
/// # Safety
/// `memory` is one of the program's memories.
unsafe fn word_at(memory: *mut Memory, at: u64, size: u64) -> *mut u8 {
    if !at.is_multiple_of(size) {
        trap::raise(UnalignedAtomic);
    }
    // SAFETY: as the caller says.
    unsafe {
        require_within(at, size, memory::length(memory), MemoryOutOfBounds);
        (*memory).base.add(at as usize)
    }
}

/// A word of a memory, which must be shared: nobody could end the wait for another.
///
/// # Safety
/// `memory` is one of the program's memories.
unsafe fn shared(memory: *const Memory, word: *mut u8) -> *mut u8 {
    // SAFETY: as the caller says; flags never change.
    if unsafe { (*memory).flags } & MEMORY_SHARED == 0 {
        trap::raise(ExpectedSharedMemory);
    }
    word
}

/// Waits for a notification of `address`, for `timeout` nanoseconds or, if it is negative, without
/// end, unless the value there is another one.
fn wait(address: usize, is_expected: impl Fn() -> bool, timeout: i64) -> Outcome {
    let end = u64::try_from(timeout).ok().map(|timeout| now().saturating_add(timeout));
    let mut waiter = Waiter { address, woken: AtomicU32::new(0), next: null_mut() };
    let waiter = &raw mut waiter;
    {
        let mut queue = queue_of(address).lock();
        if !is_expected() {
            return Outcome::OtherValue;
        }
        // SAFETY: the record outlives the wait.
        unsafe { queue.append(waiter) };
    }
    // SAFETY: others use the record's other fields, and this one as an atomic number.
    let woken = unsafe { &(*waiter).woken };
    while woken.load(Acquire) == 0 {
        let left = end.map(|end| end.saturating_sub(now()));
        if left == Some(0) {
            // Who is not in the queue any more was woken in the last moment.
            let mut queue = queue_of(address).lock();
            let outcome = match queue.take(1, |other| other == waiter, |_| {}) {
                0 => Outcome::Woken,
                _ => Outcome::TimeOver,
            };
            return outcome;
        }
        thread::wait(woken, 0, left);
    }
    Outcome::Woken
}

/// Nanoseconds of a clock that is never set.
fn now() -> u64 {
    clock::now(Clock::Monotonic).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many wait for an address.
    fn waiting(address: usize) -> usize {
        let queue = queue_of(address).lock();
        let (mut waiter, mut count) = (queue.first, 0);
        while !waiter.is_null() {
            // SAFETY: whoever is in the queue stays.
            unsafe {
                count += usize::from((*waiter).address == address);
                waiter = (*waiter).next;
            }
        }
        count
    }

    fn notify(address: usize, count: u32) -> u32 {
        // SAFETY: as in `kiln_atomic_notify`.
        queue_of(address).lock().take(
            count,
            |waiter| unsafe { (*waiter).address == address },
            |waiter| unsafe { release(waiter) },
        )
    }

    #[test]
    fn exactly_as_many_are_woken_as_are_asked_for() {
        const ADDRESS: usize = 0x1000;
        std::thread::scope(|scope| {
            let waiters: Vec<_> =
                (0..8).map(|_| scope.spawn(|| wait(ADDRESS, || true, -1))).collect();
            while waiting(ADDRESS) < 8 {
                std::thread::yield_now();
            }
            assert_eq!(notify(ADDRESS + 4, 8), 0);
            assert_eq!(notify(ADDRESS, 3), 3);
            assert_eq!(waiting(ADDRESS), 5);
            assert_eq!(notify(ADDRESS, u32::MAX), 5);
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), Outcome::Woken);
            }
        });
        assert_eq!(notify(ADDRESS, 1), 0);
    }

    #[test]
    fn a_wait_ends_with_its_time_and_leaves_the_queue() {
        const ADDRESS: usize = 0x2000;
        assert_eq!(wait(ADDRESS, || false, -1), Outcome::OtherValue);
        assert_eq!(wait(ADDRESS, || true, 0), Outcome::TimeOver);
        let before = now();
        assert_eq!(wait(ADDRESS, || true, 2_000_000), Outcome::TimeOver);
        assert!(now() - before >= 2_000_000);
        assert_eq!(notify(ADDRESS, 1), 0);
    }

    #[test]
    fn those_who_stay_keep_their_order() {
        let mut queue = Queue { first: null_mut(), last: null_mut() };
        let mut waiters = [1, 2, 1, 3].map(|address| Waiter {
            address,
            woken: AtomicU32::new(0),
            next: null_mut(),
        });
        for waiter in &mut waiters {
            // SAFETY: the waiters outlive the queue.
            unsafe { queue.append(waiter) };
        }
        // SAFETY: as above.
        let of = |address| move |waiter: *mut Waiter| unsafe { (*waiter).address == address };
        assert_eq!(queue.take(1, of(3), |_| {}), 1);
        assert_eq!(queue.take(9, of(1), |_| {}), 2);
        assert_eq!(queue.first, &raw mut waiters[1]);
        assert_eq!(queue.last, &raw mut waiters[1]);
        assert_eq!(queue.take(9, of(2), |_| {}), 1);
        assert!(queue.first.is_null() && queue.last.is_null());
    }
}
