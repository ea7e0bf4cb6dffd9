//! The linker's own records: the capability manifest, which parts of the runtime it asks for, and
//! where embedded files lie; and what tells an executable from a library.
//!
//! Layouts: `kiln_abi::program`, `kiln_abi::part` and `kiln_abi::embed`.

use super::program::{Definition, Kind, LINKER, Program, Relocation, SymbolId};
use super::resolve::declare;
use super::{Input, LinkError};
use crate::{Fixup, ObjectFormat, Target, elf, macho, pe};
use kiln_abi::embed::Embedded;
use kiln_abi::part;
use kiln_abi::symbol::{
    EMBED, EMBED_READER, END, END_CALL, END_PROCESS, PARTS, POLICY, TELL, TELL_CALLER, TELL_USER,
};
use std::mem::offset_of;

/// Bytes of a pointer.
const POINTER: usize = 8;

/// The records' names, those of the parts, and where the program is entered, as the target's
/// objects have them.
pub(super) struct Names {
    /// Where the system enters an executable.
    entry: &'static str,
    policy: String,
    record: String,
    /// In the order of [`part::ALL`].
    parts: Vec<String>,
    /// The record of embedded files, and the functions that read them.
    embedded: [String; 2],
    /// Each [`Export`](super::Export)'s.
    pub(super) exports: Vec<(String, String)>,
    /// What the linker names, and what it stands for.
    aliases: [(String, String); 2],
}

impl Names {
    pub(super) fn new(target: &Target, input: &Input<'_>) -> Self {
        // Mach-O puts an underscore before each name of the C language.
        let prefix = if target.format == ObjectFormat::MachO { "_" } else { "" };
        let decorate = |name: &str| format!("{prefix}{name}");
        let parts = part::ALL.iter().map(|part| decorate(part.symbol)).collect();
        let exports = input.library.map_or(&[][..], |library| library.exports);
        let (end, tell) = match input.library {
            Some(_) => (END_CALL, TELL_CALLER),
            None => (END_PROCESS, TELL_USER),
        };
        let entry = match target.format {
            ObjectFormat::Elf => elf::ENTRY,
            ObjectFormat::MachO => macho::ENTRY,
            ObjectFormat::Coff => pe::ENTRY,
        };
        Self {
            entry,
            policy: decorate(POLICY),
            record: decorate(PARTS),
            parts,
            embedded: [EMBED, EMBED_READER].map(decorate),
            exports: exports
                .iter()
                .map(|export| (decorate(&export.name), decorate(&export.symbol)))
                .collect(),
            aliases: [(END, end), (TELL, tell)]
                .map(|(name, meaning)| (decorate(name), decorate(meaning))),
        }
    }
}

/// Declares an executable's entry point or a library's exports, and names what ends a program and
/// where its messages go; gives the former.
pub(super) fn begin<'a>(
    program: &mut Program<'a>,
    names: &'a Names,
    input: &Input<'_>,
) -> Result<Vec<SymbolId>, LinkError> {
    let mut named =
        |name: &'a str, definition| declare(program, name.as_bytes(), LINKER, definition);
    for (name, meaning) in &names.aliases {
        let meaning = named(meaning, Definition::Undefined)?;
        named(name, Definition::Alias(meaning))?;
    }
    let exports = names.exports.iter().map(|(_, symbol)| &**symbol);
    let entry = input.library.is_none().then_some(names.entry);
    exports.chain(entry).map(|name| named(name, Definition::Undefined)).collect()
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

/// Adds the record of embedded files: where they lie and what reads them, which is a root then.
/// Without files it holds nothing, so that the runtime's part for them is not linked.
pub(super) fn embedded<'a>(
    program: &mut Program<'a>,
    names: &'a Names,
    files: &'a [u8],
) -> Result<Option<SymbolId>, LinkError> {
    /// The section's records hold numbers of 8 bytes.
    const ALIGN: u64 = 16;
    let [record, reader] = &names.embedded;
    let mut pointers = vec![];
    let mut root = None;
    if !files.is_empty() {
        let (_, section) = program.add_own(Kind::Embedded, ALIGN, files, vec![]);
        let reader = declare(program, reader.as_bytes(), LINKER, Definition::Undefined)?;
        let places = [offset_of!(Embedded, section), offset_of!(Embedded, reader)];
        pointers.extend(places.into_iter().zip([section, reader]).map(|(offset, symbol)| {
            let offset = offset as u32;
            Relocation { offset, fixup: Fixup::Absolute64, symbol, subtrahend: None, addend: 0 }
        }));
        root = Some(reader);
    }
    let empty = vec![0; size_of::<Embedded>()];
    let (atom, _) = program.add_own(Kind::ReadOnly, POINTER as u64, empty, pointers);
    let definition = Definition::Atom { atom, offset: 0, weak: false };
    declare(program, record.as_bytes(), LINKER, definition)?;
    Ok(root)
}
