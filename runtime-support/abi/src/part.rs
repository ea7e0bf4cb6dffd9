//! Parts of the runtime that only some programs need.
//!
//! What a program asks for is what is linked. The linker writes the one [`Parts`] record,
//! [`symbol::PARTS`](crate::symbol::PARTS): for each part the address of its function if the
//! capability manifest has a grant that asks for it, else null. The runtime reaches a part through
//! that record alone, so the linker leaves out the parts that no grant asks for.

use crate::program::Memory;
use core::mem::size_of;

/// A call of a WASI function, for the audit.
#[derive(Debug)]
#[repr(C)]
pub struct Call {
    /// The memory that the function's pointers point into.
    pub memory: *mut Memory,
    /// The function's name, without its prefix.
    pub function: *const u8,
    /// Bytes of the name.
    pub function_length: u64,
    /// The function's operands.
    pub operands: *const u64,
    /// Number of operands.
    pub operand_count: u64,
    /// The `errno` that it returns.
    pub errno: u32,
}

/// A part of the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The symbol of its function.
    pub symbol: &'static str,
    /// First fields of the manifest's lines that ask for it.
    pub grants: &'static [&'static str],
}

impl Part {
    /// Whether a capability manifest asks for the part.
    #[must_use]
    pub fn is_asked_for(&self, manifest: &str) -> bool {
        let mut kinds = manifest.lines().skip(1).filter_map(|line| line.split('\t').next());
        kinds.any(|kind| self.grants.contains(&kind))
    }
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident($($parameter:ty)?): $symbol:literal for $($grant:literal)*;)*) => {
        /// Every part, in the order of the record's fields.
        pub const ALL: &[Part] = &[$(Part { symbol: $symbol, grants: &[$($grant),*] },)*];

        /// The record; see the module's description.
        #[derive(Debug, Default)]
        #[repr(C)]
        pub struct Parts {
            $($(#[$doc])* pub $name: Option<unsafe extern "C" fn($($parameter)?)>,)*
        }
    };
}

parts! {
    /// Opens the granted directories, before the program begins.
    directories(): "kiln_open_directories" for "dir" "dir-from-env";
    /// Opens the granted listeners, after the directories.
    listeners(): "kiln_open_listeners" for "listen";
    /// Opens the audit's record, after both.
    audit_begin(): "kiln_audit_begin" for "audit";
    /// Adds a call to the audit's record.
    audit_call(*const Call): "kiln_audit_call" for "audit";
    /// Puts the OS's own restrictions in force, last before the program begins.
    harden(): "kiln_harden" for "harden";
}

const _: () = assert!(size_of::<Parts>() == 8 * ALL.len());
