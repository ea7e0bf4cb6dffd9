//! Room for a number of values that is known only when it is needed.

use crate::sys::{Result, memory};
use core::mem::MaybeUninit;

/// Room for any number of plain values, which are never dropped: inside the value itself for up to `FEW`, whole pages for more.
pub struct Scratch<T, const FEW: usize> {
    few: [MaybeUninit<T>; FEW],
    /// Pages and their size in bytes.
    many: Option<(*mut MaybeUninit<T>, usize)>,
    /// Values written so far.
    length: usize,
    capacity: usize,
}

impl<T, const FEW: usize> Scratch<T, FEW> {
    /// Room for `capacity` values. `NOMEM` if there is none.
    pub fn new(capacity: usize) -> Result<Self> {
        let many = if capacity > FEW {
            let bytes = capacity.saturating_mul(size_of::<T>());
            let bytes = bytes.next_multiple_of(memory::page_size());
            Some((memory::allocate(bytes)?.cast(), bytes))
        } else {
            None
        };
        Ok(Self { few: [const { MaybeUninit::uninit() }; FEW], many, length: 0, capacity })
    }

    fn pointer(&mut self) -> *mut MaybeUninit<T> {
        self.many.map_or(self.few.as_mut_ptr(), |(pages, _)| pages)
    }

    /// Adds a value; what exceeds the capacity is left out.
    pub fn push(&mut self, value: T) {
        if self.length < self.capacity {
            // SAFETY: the place lies inside the room.
            unsafe { (*self.pointer().add(self.length)).write(value) };
            self.length += 1;
        }
    }

    /// The values so far, to look at.
    pub fn written(&self) -> &[T] {
        let start = self.many.map_or(self.few.as_ptr(), |(pages, _)| pages.cast_const());
        // SAFETY: as many values were written.
        unsafe { core::slice::from_raw_parts(start.cast(), self.length) }
    }

    /// The values so far.
    pub fn values(&mut self) -> &mut [T] {
        // SAFETY: as many values were written.
        unsafe { core::slice::from_raw_parts_mut(self.pointer().cast(), self.length) }
    }
}

impl<T, const FEW: usize> Drop for Scratch<T, FEW> {
    fn drop(&mut self) {
        if let Some((pages, bytes)) = self.many {
            // SAFETY: the pages are this value's own.
            unsafe { memory::release(pages.cast(), bytes) };
        }
    }
}
