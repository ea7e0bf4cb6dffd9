//! The tables by which the loader finds imports: PE Format, "The .idata Section".

use crate::Fixup;
use crate::link::program::{AtomId, Definition, ImportName, Kind, Program, Relocation, SymbolId};
use std::collections::{BTreeMap, HashMap};

/// Bytes of an entry of the import directory.
const DIRECTORY_ENTRY: usize = 20;
/// Bit of a lookup entry that holds a number instead of a name.
const BY_ORDINAL: u64 = 1 << 63;

/// Where the import tables are.
pub(super) struct Tables {
    /// The import directory, if anything is imported.
    pub(super) directory: Option<AtomId>,
    /// The import address tables, which the loader writes.
    pub(super) addresses: Vec<AtomId>,
}

/// Moves the pointers to imported symbols into one table for each DLL and writes what tells the
/// loader of them.
pub(super) fn write_tables(program: &mut Program<'_>) -> Tables {
    let libraries = sort_by_library(program);
    let mut tables = Tables { directory: None, addresses: vec![] };
    if libraries.is_empty() {
        return tables;
    }
    let mut places = HashMap::new();
    let mut directory = Vec::new();
    let mut relocations = Vec::new();
    for (library, symbols) in libraries {
        let (entries, lookups) = write_lookups(program, symbols.keys().copied());
        let addresses = program.add_own(Kind::Slot, 8, entries.clone(), lookups.clone());
        let (_, lookups) = program.add_own(Kind::Imports, 8, entries, lookups);
        let (_, name) = add_text(program, library);
        tables.addresses.push(addresses.0);
        for (index, slot) in symbols.values().enumerate() {
            places.insert(*slot, (addresses.0, index as u64 * 8));
        }
        let entry = directory.len() as u32;
        relocations.extend(
            [(0, lookups), (12, name), (16, addresses.1)]
                .map(|(at, symbol)| image_relative(entry + at, symbol)),
        );
        directory.resize(directory.len() + DIRECTORY_ENTRY, 0);
    }
    // An entry of zeros ends the directory.
    directory.resize(directory.len() + DIRECTORY_ENTRY, 0);
    tables.directory = Some(program.add_own(Kind::Imports, 4, directory, relocations).0);
    move_pointers(program, &places);
    tables
}

/// How an import is known, in the order of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Name(&'a [u8]),
    Ordinal(u16),
}

/// The pointers to imported symbols, by library and name.
fn sort_by_library<'a>(program: &Program<'a>) -> BTreeMap<&'a [u8], BTreeMap<Key<'a>, AtomId>> {
    let mut libraries = BTreeMap::<_, BTreeMap<_, _>>::new();
    for (index, atom) in program.atoms.iter().enumerate() {
        if !atom.live || atom.kind != Kind::Slot {
            continue;
        }
        let Some(target) = atom.relocations.first() else { continue };
        let Definition::Import { library, name } = program.definition(target.symbol) else {
            continue;
        };
        let key = match name {
            ImportName::Name(name) => Key::Name(name),
            ImportName::Ordinal(ordinal) => Key::Ordinal(ordinal),
        };
        libraries.entry(library).or_default().insert(key, AtomId(index as u32));
    }
    libraries
}

/// A table of imports, ended by a zero: each the place of its name, or its number.
fn write_lookups<'a>(
    program: &mut Program<'_>,
    keys: impl Iterator<Item = Key<'a>>,
) -> (Vec<u8>, Vec<Relocation>) {
    let mut entries = Vec::new();
    let mut relocations = Vec::new();
    for key in keys {
        let entry = match key {
            Key::Ordinal(ordinal) => BY_ORDINAL | u64::from(ordinal),
            Key::Name(name) => {
                // Two bytes before the name guess its number in the DLL; 0 guesses nothing.
                let hint = [&[0, 0], name, &[0]].concat();
                let (_, symbol) = program.add_own(Kind::Imports, 2, hint, vec![]);
                relocations.push(image_relative(entries.len() as u32, symbol));
                0
            }
        };
        entries.extend_from_slice(&entry.to_le_bytes());
    }
    entries.extend_from_slice(&[0; 8]);
    (entries, relocations)
}

fn image_relative(offset: u32, symbol: SymbolId) -> Relocation {
    Relocation { offset, fixup: Fixup::ImageRelative32, symbol, subtrahend: None, addend: 0 }
}

fn add_text(program: &mut Program<'_>, text: &[u8]) -> (AtomId, SymbolId) {
    program.add_own(Kind::Imports, 1, [text, &[0]].concat(), vec![])
}

/// Lets the symbols of single pointers stand for their places in the tables.
fn move_pointers(program: &mut Program<'_>, places: &HashMap<AtomId, (AtomId, u64)>) {
    for slot in places.keys() {
        program.atom_mut(*slot).live = false;
    }
    for symbol in &mut program.symbols {
        if let Definition::Atom { atom, .. } = symbol.definition
            && let Some(&(atom, offset)) = places.get(&atom)
        {
            symbol.definition = Definition::Atom { atom, offset, weak: false };
        }
    }
}
