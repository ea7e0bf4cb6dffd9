//! `args_get`, `args_sizes_get`: the program's arguments, exactly as the host passed them.

use super::guest::{Guest, functions};
use crate::sys::{Result, process};

functions! {
    /// Writes the arguments, each ended by a NUL, to `texts` and their addresses to `pointers`.
    fn args_get(guest, pointers: u32, texts: u32) {
        let mut list = List { guest, pointers, texts };
        arguments().try_for_each(|argument| list.add(argument))
    }

    /// Writes the number of arguments and the bytes that they take.
    fn args_sizes_get(guest, count: u32, size: u32) {
        let mut sizes = Sizes::default();
        arguments().for_each(|argument| sizes.add(argument));
        sizes.write(&guest, count, size)
    }
}

fn arguments() -> impl Iterator<Item = &'static [u8]> {
    (0..).map_while(process::argument).map(core::ffi::CStr::to_bytes)
}

/// A list of texts being written to guest memory.
pub struct List {
    /// The memory.
    pub guest: Guest,
    /// Where the address of the next text goes.
    pub pointers: u32,
    /// Where the next text goes.
    pub texts: u32,
}

impl List {
    /// Writes one text and its address.
    pub fn add(&mut self, text: &[u8]) -> Result<()> {
        self.guest.write_u32(self.pointers, self.texts)?;
        self.guest.write(self.texts, text)?;
        let end = self.texts.wrapping_add(text.len() as u32);
        self.guest.write(end, &[0])?;
        self.pointers = self.pointers.wrapping_add(4);
        self.texts = end.wrapping_add(1);
        Ok(())
    }
}

/// How many texts there are, and how many bytes with the NUL after each.
#[derive(Default)]
pub struct Sizes {
    count: u32,
    bytes: u32,
}

impl Sizes {
    /// Counts one text.
    pub fn add(&mut self, text: &[u8]) {
        self.count = self.count.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(text.len() as u32 + 1);
    }

    /// Writes both numbers.
    pub fn write(&self, guest: &Guest, count: u32, size: u32) -> Result<()> {
        guest.write_u32(count, self.count)?;
        guest.write_u32(size, self.bytes)
    }
}
