//! Threads: starting them, and what each has of its own.
//!
//! A thread is an instance of the program's module on a stack of its own; see `kiln_abi::thread`.
//! It ends when its function returns. A trap or `proc_exit` in any thread ends the process, and so
//! does the return of the main thread. A program that starts no threads links none of this but
//! [`current`]. Source: the `wasi-threads` proposal.

use crate::exception::Room;
use crate::lock::Lock;
use crate::sys::arch::compiled_calls;
use crate::sys::{self, memory, thread};
use crate::{program, start};
use core::ptr::null_mut;
use kiln_abi::table::{Element, Table};
use kiln_abi::thread::Threads;

/// A thread; its block follows.
#[repr(C, align(16))]
pub struct Thread {
    /// The exception on its way to a handler.
    pub exception: Room,
    threads: *const Threads,
    /// From 1 to [`HIGHEST`]; 0 is the main thread's.
    number: u32,
    argument: u32,
    /// Bytes of this record and the block together.
    size: usize,
    /// Neighbours in the list of running threads.
    former: *mut Self,
    next: *mut Self,
}

/// Numbers are below 2^29, as the proposal says.
const HIGHEST: u32 = (1 << 29) - 1;

/// All running threads but the main one.
struct Running {
    first: *mut Thread,
    /// The number given last.
    number: u32,
    /// All numbers were given once.
    wrapped: bool,
}

static RUNNING: Lock<Running> = Lock::new(Running { first: null_mut(), number: 0, wrapped: false });

/// The calling thread, if the program starts threads.
pub fn current() -> Option<*mut Thread> {
    let thread = thread::local().cast::<Thread>();
    (!thread.is_null()).then_some(thread)
}

/// The block of the calling thread; null if the program starts no threads.
pub fn block() -> *mut u8 {
    // SAFETY: the block follows the record.
    current().map_or(null_mut(), |thread| unsafe { thread.add(1).cast() })
}

compiled_calls! {
    /// Prepares for threads; gives the main one's block.
    ///
    /// # Safety
    /// Called once, by the main thread; the record is the program's.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_thread_begin(threads: *const Threads) -> *mut u8 {
        // SAFETY: as the caller says.
        let begun = unsafe {
            Thread::new(threads, 0).and_then(|main| {
                thread::begin(main.cast())?;
                Ok(main)
            })
        };
        match begun {
            // SAFETY: the block follows the record.
            Ok(main) => unsafe { main.add(1).cast() },
            Err(_) => start::fail("not enough memory for threads", ""),
        }
    }

    /// Starts a thread; gives its number, or -1 if there cannot be one more.
    ///
    /// # Safety
    /// The record is the program's.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_thread_spawn(threads: *const Threads, argument: u32) -> i32 {
        // SAFETY: as the caller says.
        let Ok(thread) = (unsafe { Thread::new(threads, argument) }) else { return -1 };
        let stack_size = program::record().stack_size as usize;
        // SAFETY: the record stays until the thread ends; if there is none, nothing uses it.
        unsafe {
            let number = RUNNING.lock().add(thread);
            if thread::spawn(stack_size, thread.cast()).is_err() {
                RUNNING.lock().remove(thread);
                Thread::release(thread);
                return -1;
            }
            number.cast_signed()
        }
    }
}

/// Runs a thread. Called by the OS folder, on the thread's stack.
///
/// # Safety
/// `local` is what the thread was spawned with.
pub unsafe fn run(local: *mut u8) {
    let thread = local.cast::<Thread>();
    // SAFETY: as the caller says; nothing uses the record after its release.
    unsafe {
        let (number, argument) = ((*thread).number, (*thread).argument);
        ((*(*thread).threads).entry)(thread.add(1).cast(), number, argument);
        RUNNING.lock().remove(thread);
        Thread::release(thread);
    }
}

impl Thread {
    /// A new thread with a block as the template has it.
    ///
    /// # Safety
    /// `threads` is the program's record.
    unsafe fn new(threads: *const Threads, argument: u32) -> sys::Result<*mut Self> {
        // SAFETY: as the caller says; the memory is new, zeroed, and that large.
        unsafe {
            let block_size = (*threads).size as usize;
            let size = (size_of::<Self>() + block_size).next_multiple_of(memory::page_size());
            let thread = memory::allocate(size)?.cast::<Self>();
            (*thread).threads = threads;
            (*thread).argument = argument;
            (*thread).size = size;
            let block = thread.add(1).cast::<u8>();
            core::ptr::copy_nonoverlapping((*threads).template, block, block_size);
            for table in tables(threads, block) {
                let elements = table.elements.addr().wrapping_sub((*threads).template.addr());
                if elements < block_size {
                    table.elements = block.add(elements).cast();
                }
            }
            Ok(thread)
        }
    }

    /// Gives a thread's memory back, and that of its tables that grew.
    ///
    /// # Safety
    /// Nothing uses the thread any more.
    unsafe fn release(thread: *mut Self) {
        // SAFETY: as the caller says. Entries that were moved were allocated, and fill their
        // pages.
        unsafe {
            let threads = (*thread).threads;
            let block = thread.add(1).cast();
            let templates = tables(threads, (*threads).template.cast_mut());
            for (table, template) in tables(threads, block).iter().zip(templates) {
                if table.capacity != template.capacity {
                    let bytes = table.capacity as usize * size_of::<Element>();
                    memory::release(table.elements.cast(), bytes);
                }
            }
            memory::release(thread.cast(), (*thread).size);
        }
    }
}

/// The table records in a block.
///
/// # Safety
/// `block` is one for the program's `threads`, and nothing else changes the records.
unsafe fn tables<'b>(threads: *const Threads, block: *mut u8) -> &'b mut [Table] {
    // SAFETY: the program's record says where they lie.
    unsafe {
        let tables = block.add((*threads).tables_offset as usize).cast();
        core::slice::from_raw_parts_mut(tables, (*threads).table_count as usize)
    }
}

impl Running {
    /// Adds a thread to the list; gives it a number that no running thread has.
    ///
    /// # Safety
    /// The thread stays until it is removed.
    unsafe fn add(&mut self, thread: *mut Thread) -> u32 {
        // Only after 2^29 threads can a number be in use.
        loop {
            self.number = if self.number < HIGHEST { self.number + 1 } else { 1 };
            self.wrapped |= self.number == HIGHEST;
            if !self.wrapped || !self.has(self.number) {
                break;
            }
        }
        // SAFETY: as the caller says, of all that are in the list.
        unsafe {
            (*thread).number = self.number;
            (*thread).next = self.first;
            if !self.first.is_null() {
                (*self.first).former = thread;
            }
        }
        self.first = thread;
        self.number
    }

    fn has(&self, number: u32) -> bool {
        let mut thread = self.first;
        while !thread.is_null() {
            // SAFETY: whoever is in the list stays.
            unsafe {
                if (*thread).number == number {
                    return true;
                }
                thread = (*thread).next;
            }
        }
        false
    }

    /// Takes a thread out of the list.
    ///
    /// # Safety
    /// It is in the list.
    unsafe fn remove(&mut self, thread: *mut Thread) {
        // SAFETY: as the caller says; its neighbours are in the list, too.
        unsafe {
            let (former, next) = ((*thread).former, (*thread).next);
            match former.is_null() {
                true => self.first = next,
                false => (*former).next = next,
            }
            if !next.is_null() {
                (*next).former = former;
            }
        }
    }
}
