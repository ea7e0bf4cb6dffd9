//! State of the whole program.

use core::cell::UnsafeCell;

/// A value that the program has once and that is set before there can be a second thread. Whoever
/// reads or changes it does so by a raw pointer and says why that is sound. What threads change is
/// in a [`Lock`](crate::lock::Lock).
#[repr(transparent)]
pub struct Global<T>(UnsafeCell<T>);

// SAFETY: access is by raw pointer only, so sharing the cell itself does nothing.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    /// A value to place in a `static`.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Where the value lies.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }
}
