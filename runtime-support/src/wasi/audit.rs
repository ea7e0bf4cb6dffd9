//! Audit: a record of what the program asks for, where the manifest says that one is kept.
//!
//! The record is a file of lines, each a call whose operands say something of grants: the
//! function's name, its `errno`, then its descriptors and paths, divided by tabs and escaped as in
//! the manifest.
//!
//! ```text
//! path_open       ERRNO  FD  PATH  r|w  DESCRIPTOR       the one that was opened, if any
//! path_rename     ERRNO  FD  PATH  FD  PATH              path_link likewise
//! path_…          ERRNO  FD  PATH
//! environ_get     ERRNO
//! fd_…, sock_…    ERRNO  FD [FD]
//! ```

use super::guest::Guest;
use super::policy::{grants, split, text};
use super::rights::Rights;
use crate::global::Global;
use crate::program;
use crate::start::fail_because;
use crate::sys;
use crate::sys::fs::{self, Handle};
use crate::sys::types::{Buffer, FdFlags, HostPath, Open};
use core::slice::from_raw_parts;
use kiln_abi::part::Call;
use kiln_abi::program::Memory;

/// Bytes of the longest line: two paths of which every byte is escaped.
const LINE: usize = 4 * 4096 + 256;
/// `oflags` that change something: `creat`, `trunc`.
const CHANGING: u64 = 1 | 8;

/// The record, if one is kept. Written once, before the program begins.
static RECORD: Global<Option<Handle>> = Global::new(None);

/// Opens the record that the manifest names, in a grant `DIRECTORY NAME`. A record that cannot be
/// opened ends the process.
#[unsafe(no_mangle)]
pub extern "C" fn kiln_audit_begin() {
    for (_, grant) in grants().filter(|(kind, _)| *kind == b"audit") {
        match open(grant) {
            // SAFETY: the program has not begun, so nothing else reads this.
            Ok(record) => unsafe { *RECORD.get() = Some(record) },
            Err(errno) => {
                let name = core::str::from_utf8(grant).unwrap_or("?");
                fail_because("cannot open the record", name, errno);
            }
        }
    }
}

fn open(grant: &[u8]) -> sys::Result<Handle> {
    let (directory, name) = split(grant, b'\t').unwrap_or((b".", grant));
    let (mut path, mut last) = (HostPath::empty(), HostPath::empty());
    path.push(text(directory))?;
    last.push(text(name))?;
    let how = Open { write: true, flags: FdFlags(FdFlags::APPEND), ..Open::default() };
    fs::open_at(&fs::open_preopen(path.as_c_str())?, last.as_c_str(), &how)
}

/// Whether calls of a function are recorded.
pub const fn concerns(function: &str) -> bool {
    matches!(
        function.as_bytes(),
        [b'p', b'a', b't', b'h', b'_', ..]
            | [b's', b'o', b'c', b'k', b'_', ..]
            | b"environ_get"
            | b"fd_close"
            | b"fd_readdir"
            | b"fd_renumber"
            | b"unstable_path_filestat_get"
    )
}

/// Has a call recorded, if a record is kept.
///
/// # Safety
/// `memory` is one of the program's memories.
pub unsafe fn call(memory: *mut Memory, function: &str, operands: &[u64], errno: u32) {
    if let Some(add) = program::parts().audit_call {
        let call = Call {
            memory,
            function: function.as_ptr(),
            function_length: function.len() as u64,
            operands: operands.as_ptr(),
            operand_count: operands.len() as u64,
            errno,
        };
        // SAFETY: as the caller says; the call's parts live until this returns.
        unsafe { add(&raw const call) }
    }
}

/// Adds a call to the record.
///
/// # Safety
/// The call's memory is one of the program's, and its pointers count what they point to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kiln_audit_call(call: *const Call) {
    // SAFETY: as the caller says; the record was written before the program began, and the
    // function's name is a text.
    let (record, guest, function, operands, errno) = unsafe {
        let Some(record) = (*RECORD.get()).as_ref() else { return };
        let call = &*call;
        let function = from_raw_parts(call.function, call.function_length as usize);
        let operands = from_raw_parts(call.operands, call.operand_count as usize);
        let function = core::str::from_utf8_unchecked(function);
        (record, Guest::new(call.memory), function, operands, call.errno)
    };
    add(record, &guest, function, operands, errno);
}

fn add(record: &Handle, guest: &Guest, function: &str, operands: &[u64], errno: u32) {
    let mut line = Line { bytes: [0; LINE], length: 0 };
    let function = function.strip_prefix("unstable_").unwrap_or(function);
    line.bytes(function.bytes());
    line.number(errno.into());
    let operand = |index: usize| operands.get(index).copied().unwrap_or(0);
    let path = |line: &mut Line, fd: usize, address: usize| {
        line.number(operand(fd));
        line.path(guest, operand(address) as u32, operand(address + 1) as u32);
    };
    match function {
        "path_open" => {
            path(&mut line, 0, 2);
            let changes = Rights(operand(5)).writes();
            let access = if changes || operand(4) & CHANGING != 0 { b'w' } else { b'r' };
            line.bytes([b'\t', access]);
            if let (0, Ok(opened)) = (errno, guest.read_u32(operand(8) as u32)) {
                line.number(opened.into());
            }
        }
        "path_rename" => {
            path(&mut line, 0, 1);
            path(&mut line, 3, 4);
        }
        "path_link" => {
            path(&mut line, 0, 2);
            path(&mut line, 4, 5);
        }
        "path_symlink" => path(&mut line, 2, 3),
        "path_filestat_get" | "path_filestat_set_times" => path(&mut line, 0, 2),
        _ if function.starts_with("path_") => path(&mut line, 0, 1),
        "environ_get" => {}
        "fd_renumber" => {
            line.number(operand(0));
            line.number(operand(1));
        }
        _ => line.number(operand(0)),
    }
    line.write(record);
}

/// A line in the making. What exceeds it is left out.
struct Line {
    bytes: [u8; LINE],
    length: usize,
}

impl Line {
    fn bytes(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            }
        }
    }

    /// Adds a field with a number.
    fn number(&mut self, number: u64) {
        let mut digits = [0; 20];
        let mut rest = number;
        let mut first = digits.len();
        for place in digits.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            first -= 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes([b'\t']);
        self.bytes(digits.get(first..).unwrap_or_default().iter().copied());
    }

    /// Adds a field with a path of the program, as far as it lies in its memory.
    fn path(&mut self, guest: &Guest, address: u32, length: u32) {
        self.bytes([b'\t']);
        for offset in 0..length.min(4096) {
            let Ok([byte]) = guest.read(address.wrapping_add(offset)) else { return };
            match byte {
                b'\\' => self.bytes(*b"\\\\"),
                b'\t' => self.bytes(*b"\\t"),
                b'\n' => self.bytes(*b"\\n"),
                b'\r' => self.bytes(*b"\\r"),
                _ => self.bytes([byte]),
            }
        }
    }

    /// A record that cannot be written is no reason to end the program.
    fn write(mut self, record: &Handle) {
        self.length = self.length.min(LINE - 1);
        self.bytes([b'\n']);
        // SAFETY: as many bytes were written, and only the host reads them.
        let line = unsafe { Buffer::new(self.bytes.as_mut_ptr(), self.length) };
        let _ = fs::write(record, &[line]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_something_of_grants_is_recorded() {
        for function in ["path_open", "sock_accept", "environ_get", "fd_close", "fd_readdir"] {
            assert!(concerns(function), "{function}");
        }
        for function in ["fd_read", "fd_write", "clock_time_get", "environ_sizes_get"] {
            assert!(!concerns(function), "{function}");
        }
    }
}
