//! Names that may be given to the file system: one component of a path, and nothing that Windows
//! reads in another way.
//!
//! Refused are separators, streams, wildcards and control characters, a dot or space at the end,
//! and the devices that are present in every directory. Source: "Naming Files, Paths, and
//! Namespaces" in the Windows documentation. The kernel alone would take most of these, but then
//! other programs could not open or remove what they name.

use super::syscall::UnicodeString;
use super::text;
use crate::errno::Errno;
use crate::sys::Result;
use core::ffi::CStr;

/// UTF-16 units of the longest name.
pub(super) const CAPACITY: usize = 255;

/// What a name is for: it tells which error a refused one gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Something that exists already.
    Lookup,
    /// Something that the call makes.
    Create,
}

/// A name in UTF-16; empty for `.`, since that is how the kernel is asked for the directory itself.
pub(super) struct Name {
    units: [u16; CAPACITY],
    length: usize,
}

impl Name {
    /// Checks and converts a name.
    pub(super) fn new(name: &CStr, purpose: Purpose) -> Result<Self> {
        let refused = if purpose == Purpose::Create { Errno::INVAL } else { Errno::NOENT };
        let text = core::str::from_utf8(name.to_bytes()).map_err(|_| Errno::ILSEQ)?;
        let mut units = [0; CAPACITY];
        if text == "." {
            return Ok(Self { units, length: 0 });
        }
        if !is_plain(text) || is_device(text) {
            return Err(refused);
        }
        let length = text::to_utf16(text, &mut units).ok_or(Errno::NAMETOOLONG)?.len();
        Ok(Self { units, length })
    }

    /// Checks and converts a name that shall not be `.`, which gives `error`.
    pub(super) fn of_entry(name: &CStr, purpose: Purpose, error: Errno) -> Result<Self> {
        let name = Self::new(name, purpose)?;
        if name.length == 0 { Err(error) } else { Ok(name) }
    }

    /// The name in the kernel's form.
    pub(super) fn string(&self) -> UnicodeString {
        let length = (self.length * 2) as u16;
        UnicodeString { length, capacity: length, units: self.units.as_ptr() }
    }

    /// The whole room of the name and the units in use.
    pub(super) fn units(&self) -> (&[u16; CAPACITY], usize) {
        (&self.units, self.length)
    }
}

/// Whether a name is a component that Windows takes as it stands.
fn is_plain(name: &str) -> bool {
    let reserved = |byte: u8| byte < 0x20 || b"\\/:*?\"<>|".contains(&byte);
    !name.is_empty() && !name.ends_with(['.', ' ']) && !name.bytes().any(reserved)
}

/// Whether a name, less any extension, is that of a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    let is = |device: &&str| stem.eq_ignore_ascii_case(device);
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].iter().any(is) {
        return true;
    }
    // Ports end in a digit; the superscript digits of Latin-1 count as such.
    let mut characters = stem.chars();
    let is_port = matches!(characters.next_back(), Some('0'..='9' | '¹' | '²' | '³'));
    let port = characters.as_str();
    is_port && ["COM", "LPT"].iter().any(|device| port.eq_ignore_ascii_case(device))
}
