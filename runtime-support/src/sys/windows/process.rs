//! The entry point, what Windows passed to it, and the process's end.
//!
//! Windows passes one command line; splitting it is each program's own business. The rules are
//! those of Microsoft's C runtime, which who starts programs expects. Source: "Parsing C
//! command-line arguments" in the documentation of Visual C++.

use super::fs;
use super::syscall::{
    CURRENT_PROCESS, GetCommandLineW, GetEnvironmentStringsW, SwitchToThread, TerminateProcess,
};
use super::{memory, text};
use crate::lock::Lock;
use crate::start;
use crate::sys::types::Buffer;
use core::ffi::{CStr, c_char};

/// Where Windows begins. The linker writes this symbol's address into the image.
#[unsafe(no_mangle)]
unsafe extern "C" fn kiln_start() -> ! {
    start::start()
}

/// Texts that were converted once and stay.
#[derive(Clone, Copy)]
struct Texts {
    first: *const *const c_char,
    count: usize,
}

static ARGUMENTS: Lock<Option<Texts>> = Lock::new(None);
static ENVIRONMENT: Lock<Option<Texts>> = Lock::new(None);

/// See [`contract`](crate::sys). Windows tells of the environment when it is asked for.
pub fn begin_library() {
    *ARGUMENTS.lock() = Some(Texts { first: core::ptr::null(), count: 0 });
}

/// See [`contract`](crate::sys).
pub fn argument(index: usize) -> Option<&'static CStr> {
    text_at(&ARGUMENTS, index, || {
        // SAFETY: the text is the process's own and ends in a NUL.
        let line = unsafe { units_of(GetCommandLineW()) };
        let mut parser = CommandLine { rest: line, is_first: true };
        // At least one blank lies between two arguments.
        Texts::convert(line.len(), line.len() / 2 + 2, |bytes| {
            Some(text::to_utf8(parser.next_argument()?, bytes))
        })
    })
}

/// See [`contract`](crate::sys).
pub fn environment(index: usize) -> Option<&'static CStr> {
    text_at(&ENVIRONMENT, index, || {
        // SAFETY: the block is this process's copy; each variable ends in a NUL, and an empty one
        // ends the block.
        let variables = || unsafe {
            let mut next = GetEnvironmentStringsW();
            core::iter::from_fn(move || {
                let variable = units_of(next);
                next = next.add(variable.len() + 1);
                (!variable.is_empty()).then_some(variable)
            })
            // These hold the working directories of drives and have no name.
            .filter(|variable| variable.first() != Some(&u16::from(b'=')))
        };
        let length = variables().map(<[u16]>::len).sum();
        let mut variables_to_convert = variables();
        Texts::convert(length, variables().count(), |bytes| {
            Some(text::to_utf8(variables_to_convert.next()?.iter().copied(), bytes))
        })
    })
}

/// A text of those that `convert` makes when they are first asked for.
fn text_at(
    texts: &'static Lock<Option<Texts>>,
    index: usize,
    convert: impl FnOnce() -> Texts,
) -> Option<&'static CStr> {
    let texts = *texts.lock().get_or_insert_with(convert);
    // SAFETY: as many pointers to texts that end in a NUL lie there, and stay.
    (index < texts.count).then(|| unsafe { CStr::from_ptr(*texts.first.add(index)) })
}

impl Texts {
    /// Keeps what `next` writes, text by text: no more than `most` of them, in no more UTF-16
    /// units than `units`.
    fn convert(
        units: usize,
        most: usize,
        mut next: impl FnMut(&mut [u8]) -> Option<usize>,
    ) -> Self {
        // A unit takes three bytes at most, and each text has its NUL.
        let table_size = most * size_of::<*const c_char>();
        let size = table_size + units * 3 + most;
        let Ok(room) = memory::allocate(size.next_multiple_of(memory::page_size())) else {
            start::fail("not enough memory for the arguments", "");
        };
        let first: *mut *const c_char = room.cast();
        // SAFETY: the memory is new, zeroed, and that large.
        let mut bytes =
            unsafe { core::slice::from_raw_parts_mut(room.add(table_size), size - table_size) };
        let mut count = 0;
        while count < most
            && let Some(length) = next(bytes)
            && let Some((text, rest)) = bytes.split_at_mut_checked(length + 1)
        {
            // SAFETY: the table has room for `most` pointers.
            unsafe { *first.add(count) = text.as_ptr().cast() };
            bytes = rest;
            count += 1;
        }
        Self { first, count }
    }
}

/// The units before a NUL.
///
/// # Safety
/// There is a NUL, and the text stays.
unsafe fn units_of(text: *const u16) -> &'static [u16] {
    let mut length = 0;
    // SAFETY: as the caller says.
    unsafe {
        while *text.add(length) != 0 {
            length += 1;
        }
        core::slice::from_raw_parts(text, length)
    }
}

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;
const BLANKS: [u16; 2] = [b' ' as u16, b'\t' as u16];

/// The part of a command line that was not taken yet.
struct CommandLine {
    rest: &'static [u16],
    /// What comes next is the program's own name, which knows no backslashes as escapes.
    is_first: bool,
}

impl CommandLine {
    /// The units of the next argument.
    fn next_argument(&mut self) -> Option<impl Iterator<Item = u16>> {
        if !self.is_first {
            while self.rest.first().is_some_and(|unit| BLANKS.contains(unit)) {
                self.skip(1);
            }
            if self.rest.is_empty() {
                return None;
            }
        }
        let escapes = !core::mem::replace(&mut self.is_first, false);
        let (mut is_quoted, mut backslashes) = (false, 0);
        Some(core::iter::from_fn(move || {
            loop {
                if backslashes > 0 {
                    backslashes -= 1;
                    return Some(BACKSLASH);
                }
                let unit = *self.rest.first()?;
                if escapes && unit == BACKSLASH {
                    let (literal, is_quote) = self.take_backslashes();
                    if is_quote && literal == 0 {
                        return Some(QUOTE);
                    }
                    backslashes = literal;
                    continue;
                }
                if !is_quoted && BLANKS.contains(&unit) {
                    return None;
                }
                self.skip(1);
                if unit != QUOTE {
                    return Some(unit);
                }
                if escapes && is_quoted && self.rest.first() == Some(&QUOTE) {
                    self.skip(1);
                    return Some(QUOTE);
                }
                is_quoted = !is_quoted;
            }
        }))
    }

    /// Takes backslashes, all that stand here or, before a quote that they escape, as many as
    /// leave that one; gives how many are meant, and whether a quote was taken with them.
    fn take_backslashes(&mut self) -> (usize, bool) {
        let count = self.rest.iter().take_while(|unit| **unit == BACKSLASH).count();
        if self.rest.get(count) != Some(&QUOTE) {
            self.skip(count);
            return (count, false);
        }
        if count == 1 {
            self.skip(2);
            return (0, true);
        }
        // An odd one out stays, with its quote, for the next time.
        self.skip(count - count % 2);
        (count / 2, false)
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

/// See [`contract`](crate::sys).
pub const NAMES_IGNORE_CASE: bool = true;

/// See [`contract`](crate::sys).
pub fn exit(code: u32) -> ! {
    loop {
        // The orderly way runs code of DLLs, which may wait for what a thread has that is gone.
        // SAFETY: the handle stands for the process itself, of which nothing is left to do.
        unsafe { TerminateProcess(CURRENT_PROCESS, code) };
    }
}

/// See [`contract`](crate::sys).
pub fn yield_now() {
    // SAFETY: the call has no conditions.
    unsafe { SwitchToThread() };
}

/// See [`contract`](crate::sys).
pub fn report(text: &[u8]) {
    let Some(stream) = fs::standard_stream(2) else { return };
    let mut done = 0;
    while let Some(rest) = text.get(done..)
        && !rest.is_empty()
    {
        // SAFETY: the text is only read.
        let buffer = unsafe { Buffer::new(rest.as_ptr().cast_mut(), rest.len()) };
        match fs::write(&stream, &[buffer]) {
            Ok(count) if count > 0 => done += count,
            _ => return,
        }
    }
}

/// Whether the processor has the atomic instructions of ARMv8.1.
#[cfg(target_arch = "aarch64")]
pub fn has_atomics() -> bool {
    /// PF_ARM_V81_ATOMIC_INSTRUCTIONS_AVAILABLE of winnt.h.
    const V81_ATOMICS: u32 = 34;
    // SAFETY: takes no pointers.
    unsafe { super::syscall::IsProcessorFeaturePresent(V81_ATOMICS) != 0 }
}
