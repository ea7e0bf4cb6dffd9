//! Consoles: programs read and write UTF-8, the console UTF-16.
//!
//! A character that is cut off at the end of a write waits for the next one. Input that does not
//! fit into the program's buffer waits for the next read. Ctrl-Z at the start of a line is the end
//! of input, as Windows has it.

use super::syscall::{ConsoleReadControl, RawHandle, ReadConsoleW, WriteConsoleW};
use super::text;
use crate::errno::Errno;
use crate::lock::Lock;
use crate::sys::Result;
use core::ptr::null;

/// UTF-16 units that go to or come from the console at once.
const UNITS: usize = 1024;
const CONTROL_Z: u16 = 0x1A;

/// The start of a character that is not complete.
#[derive(Clone, Copy)]
struct Partial {
    bytes: [u8; 4],
    length: usize,
}

/// Both screens share it: what one write leaves, the next one mostly continues.
static PARTIAL: Lock<Partial> = Lock::new(Partial { bytes: [0; 4], length: 0 });

/// Input that was read and not yet taken: UTF-8.
struct Input {
    bytes: [u8; 3 * UNITS + 3],
    start: usize,
    end: usize,
    /// The first half of a surrogate pair; 0 if there is none.
    surrogate: u16,
}

static INPUT: Lock<Input> =
    Lock::new(Input { bytes: [0; 3 * UNITS + 3], start: 0, end: 0, surrogate: 0 });

/// Writes all bytes, malformed ones as U+FFFD; gives their number.
pub(super) fn write(console: RawHandle, bytes: &[u8]) -> Result<usize> {
    let mut partial = PARTIAL.lock();
    let mut rest = bytes;
    while partial.length > 0 {
        let Some((&byte, after)) = rest.split_first() else { return Ok(bytes.len()) };
        let mut longer = *partial;
        if let Some(place) = longer.bytes.get_mut(longer.length) {
            *place = byte;
            longer.length += 1;
        }
        let characters = longer.bytes.get(..longer.length).unwrap_or_default();
        match core::str::from_utf8(characters) {
            Ok(text) => write_text(console, text)?,
            Err(error) if error.error_len().is_none() => {
                *partial = longer;
                rest = after;
                continue;
            }
            // The byte does not belong to the character before it.
            Err(_) => {
                write_text(console, "\u{FFFD}")?;
                partial.length = 0;
                break;
            }
        }
        partial.length = 0;
        rest = after;
    }
    for chunk in rest.utf8_chunks() {
        write_text(console, chunk.valid())?;
        let invalid = chunk.invalid();
        match core::str::from_utf8(invalid) {
            Err(error) if error.error_len().is_none() => {
                partial.length = invalid.len();
                for (place, byte) in partial.bytes.iter_mut().zip(invalid) {
                    *place = *byte;
                }
            }
            Err(_) => write_text(console, "\u{FFFD}")?,
            Ok(_) => {}
        }
    }
    Ok(bytes.len())
}

/// Writes text, in pieces that the console takes at once.
fn write_text(console: RawHandle, text: &str) -> Result<()> {
    let mut units = [0; UNITS];
    let mut length = 0;
    for character in text.chars() {
        if length + 2 > UNITS {
            write_units(console, units.get(..length).unwrap_or_default())?;
            length = 0;
        }
        if let Some(place) = units.get_mut(length..length + character.len_utf16()) {
            length += character.encode_utf16(place).len();
        }
    }
    write_units(console, units.get(..length).unwrap_or_default())
}

fn write_units(console: RawHandle, mut units: &[u16]) -> Result<()> {
    while !units.is_empty() {
        let mut written = 0;
        // SAFETY: the units can be read.
        let done = unsafe {
            WriteConsoleW(console, units.as_ptr(), units.len() as u32, &mut written, null())
        };
        if done == 0 || written == 0 {
            return Err(Errno::IO);
        }
        units = units.get(written as usize..).unwrap_or_default();
    }
    Ok(())
}

/// Whether input waits that was read already, and that no thread takes right now.
pub(super) fn has_input() -> bool {
    INPUT.try_lock().is_some_and(|input| input.start < input.end)
}

/// Reads a part of the input, a line at most; gives the number of bytes, 0 at its end.
///
/// # Safety
/// `length` bytes from `pointer` can be written.
pub(super) unsafe fn read(console: RawHandle, pointer: *mut u8, length: usize) -> Result<usize> {
    let input = &mut *INPUT.lock();
    if length > 0 && input.start == input.end {
        fill(console, input)?;
    }
    let waiting = input.bytes.get(input.start..input.end).unwrap_or_default();
    let count = waiting.len().min(length);
    // SAFETY: as the caller says, and as many bytes wait.
    unsafe { core::ptr::copy_nonoverlapping(waiting.as_ptr(), pointer, count) };
    input.start += count;
    Ok(count)
}

/// Waits for input and converts it.
fn fill(console: RawHandle, input: &mut Input) -> Result<()> {
    let control = ConsoleReadControl {
        size: size_of::<ConsoleReadControl>() as u32,
        initial: 0,
        wakeup_mask: 1 << CONTROL_Z,
        key_state: 0,
    };
    (input.start, input.end) = (0, 0);
    // A lone half of a surrogate pair needs its other half before there is anything to give.
    while input.end == 0 {
        let mut units = [0; UNITS];
        let mut length = 0;
        let pending = usize::from(input.surrogate != 0);
        if let Some(first) = units.first_mut() {
            *first = input.surrogate;
        }
        let room = units.get_mut(pending..).unwrap_or_default();
        // SAFETY: as many units can be written.
        let done = unsafe {
            ReadConsoleW(console, room.as_mut_ptr(), room.len() as u32, &mut length, &control)
        };
        if done == 0 {
            return Err(Errno::IO);
        }
        if room.first() == Some(&CONTROL_Z) || length == 0 {
            input.surrogate = 0;
            return Ok(());
        }
        let end = pending + length as usize;
        let mut units = units.get(..end).unwrap_or_default();
        input.surrogate = 0;
        if let Some((&last, others)) = units.split_last()
            && (0xD800..0xDC00).contains(&last)
        {
            input.surrogate = last;
            units = others;
        }
        input.end = text::to_utf8(units.iter().copied(), &mut input.bytes).min(input.bytes.len());
    }
    Ok(())
}
