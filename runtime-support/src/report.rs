//! Messages on standard error, put together without `core::fmt` and without allocation. What puts
//! them together is in the program once: speed is nothing here, and most programs say nothing.

use crate::sys::process;

unsafe extern "C" {
    /// See [`kiln_abi::symbol::TELL`].
    fn kiln_tell(text: *const u8, length: usize);
}

/// Where messages of an executable go.
///
/// # Safety
/// `text` has that length.
#[unsafe(no_mangle)]
unsafe extern "C" fn kiln_tell_user(text: *const u8, length: usize) {
    // SAFETY: as the caller says.
    process::report(unsafe { core::slice::from_raw_parts(text, length) });
}

/// A message in the making. It is written when it is dropped, or earlier if it grows long.
pub struct Report {
    text: [u8; Self::CAPACITY],
    length: usize,
}

impl Report {
    const CAPACITY: usize = 1024;

    /// A message that begins with the name all of them carry.
    pub fn begin() -> Self {
        let mut report = Self { text: [0; Self::CAPACITY], length: 0 };
        report.text("kiln: ");
        report
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes that are meant to be UTF-8.
    #[inline(never)]
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for &byte in bytes {
            if self.length == Self::CAPACITY {
                self.flush();
            }
            if let Some(place) = self.text.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            }
        }
        self
    }

    /// Adds a number in base 10.
    pub fn decimal(&mut self, number: u64) -> &mut Self {
        self.number(number, 10)
    }

    /// Adds a number in base 16 with the prefix `0x`.
    pub fn hexadecimal(&mut self, number: u64) -> &mut Self {
        self.text("0x").number(number, 16)
    }

    #[inline(never)]
    fn number(&mut self, mut number: u64, base: u64) -> &mut Self {
        let mut digits = [0; 20];
        let mut first = digits.len();
        for place in digits.iter_mut().rev() {
            let digit = (number % base) as u8;
            *place = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            first -= 1;
            number /= base;
            if number == 0 {
                break;
            }
        }
        self.bytes(digits.get(first..).unwrap_or_default())
    }

    fn flush(&mut self) {
        let text = self.text.get(..self.length).unwrap_or_default();
        // SAFETY: the text has that length.
        unsafe { kiln_tell(text.as_ptr(), text.len()) };
        self.length = 0;
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.flush();
    }
}
