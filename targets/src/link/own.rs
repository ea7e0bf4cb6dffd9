//! The linker's own records: the capability manifest, and which parts of the runtime it asks for.
//!
//! Layouts: `kiln_abi::program` and `kiln_abi::part`.

use super::LinkError;
use super::program::{Definition, Kind, LINKER, Program, Relocation, SymbolId};
use super::resolve::declare;
use crate::{Fixup, ObjectFormat, Target};
use kiln_abi::part;
use kiln_abi::symbol::{PARTS, POLICY};

/// Bytes of a pointer.
const POINTER: usize = 8;

/// The records' names and those of the parts, as the target's objects have them.
pub(super) struct Names {
    policy: String,
    record: String,
    /// In the order of [`part::ALL`].
    parts: Vec<String>,
}

impl Names {
    pub(super) fn new(target: &Target) -> Self {
        // Mach-O puts an underscore before each name of the C language.
        let prefix = if target.format == ObjectFormat::MachO { "_" } else { "" };
        let decorate = |name: &str| format!("{prefix}{name}");
        let parts = part::ALL.iter().map(|part| decorate(part.symbol)).collect();
        Self { policy: decorate(POLICY), record: decorate(PARTS), parts }
    }
}

/// Adds the capability manifest, which every executable has.
pub(super) fn manifest<'a>(
    program: &mut Program<'a>,
    names: &'a Names,
    manifest: &str,
) -> Result<SymbolId, LinkError> {
    let text = [manifest.as_bytes(), b"\0"].concat();
    let (atom, _) = program.add_own(Kind::Manifest, 1, text, vec![]);
    let definition = Definition::Atom { atom, offset: 0, weak: false };
    declare(program, names.policy.as_bytes(), LINKER, definition)
}

/// Adds the record of the parts that the manifest asks for. It is linked if the runtime refers to
/// it, and the parts with it.
pub(super) fn parts<'a>(
    program: &mut Program<'a>,
    names: &'a Names,
    manifest: &str,
) -> Result<(), LinkError> {
    let mut relocations = Vec::new();
    for (index, (part, name)) in part::ALL.iter().zip(&names.parts).enumerate() {
        if part.is_asked_for(manifest) {
            let symbol = declare(program, name.as_bytes(), LINKER, Definition::Undefined)?;
            let offset = (index * POINTER) as u32;
            let fixup = Fixup::Absolute64;
            relocations.push(Relocation { offset, fixup, symbol, subtrahend: None, addend: 0 });
        }
    }
    let record = vec![0; part::ALL.len() * POINTER];
    let (atom, _) = program.add_own(Kind::ReadOnly, POINTER as u64, record, relocations);
    let own = program.atom_mut(atom);
    (own.retained, own.live) = (false, false);
    let definition = Definition::Atom { atom, offset: 0, weak: false };
    declare(program, names.record.as_bytes(), LINKER, definition).map(|_| ())
}
