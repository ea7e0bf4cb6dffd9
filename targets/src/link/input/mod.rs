//! Reading objects: sections become atoms, symbols and relocations refer to them.
//!
//! Requires an ELF, Mach-O or COFF object for the program's target. Guarantees that every
//! relocation lies inside its atom and refers to a symbol of the program.

mod relocations;
mod sections;

use super::LinkError;
use super::program::{AtomId, Definition, ObjectId, Program, Symbol, SymbolId};
use super::resolve;
use crate::ObjectFormat;
use object::read::{File, Object, ObjectSection, ObjectSymbol, SymbolSection};
use object::{SectionIndex, SymbolFlags, SymbolIndex, macho};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Reads the object in `data` into `program`; messages call it `name`.
pub(crate) fn read<'a>(
    program: &mut Program<'a>,
    name: &str,
    data: &'a [u8],
) -> Result<(), LinkError> {
    let file = parse(program, name, data)?;
    program.objects.push(name.to_owned());
    let object = ObjectId(u32::try_from(program.objects.len() - 1).expect("few objects"));
    let mut reader = Reader {
        program,
        file: &file,
        object,
        name,
        discarded: HashSet::new(),
        associations: Vec::new(),
        pieces: Vec::new(),
        symbols: Vec::new(),
        section_symbols: HashMap::new(),
    };
    reader.choose_copies()?;
    reader.read_sections()?;
    reader.read_symbols()?;
    reader.read_relocations()?;
    reader.attach_unwind();
    Ok(())
}

/// Parses the object in `data` and checks that it is for the program's target.
pub(crate) fn parse<'a>(
    program: &Program<'_>,
    name: &str,
    data: &'a [u8],
) -> Result<File<'a>, LinkError> {
    let file = File::parse(data).map_err(|error| malformed(name, &error))?;
    let target = program.target;
    let relocatable = file.kind() == object::ObjectKind::Relocatable;
    if (file.format(), file.architecture()) != target.object_kind() || !relocatable {
        let kind = if relocatable { "object" } else { "file that is no object" };
        let found = format!("{:?} {kind} for {:?}", file.format(), file.architecture());
        return Err(LinkError::WrongMachine {
            object: name.to_owned(),
            found,
            target: target.name,
        });
    }
    Ok(file)
}

/// The error that `name` cannot be read because of `reason`.
pub(crate) fn malformed(name: &str, reason: &dyn std::fmt::Display) -> LinkError {
    LinkError::Malformed { object: name.to_owned(), reason: reason.to_string() }
}

/// What is known while one object is read.
struct Reader<'p, 'a, 'f> {
    program: &'p mut Program<'a>,
    file: &'f File<'a>,
    object: ObjectId,
    name: &'f str,
    /// Sections of which another object holds the copy that counts.
    discarded: HashSet<SectionIndex>,
    /// COFF sections that live as long as another: that one first.
    associations: Vec<(SectionIndex, SectionIndex)>,
    /// Atoms of each section by its index, with the offsets they start at, in ascending order;
    /// none of a section that is not linked.
    pieces: Vec<Vec<(u64, AtomId)>>,
    /// The program's symbols by index in the object; `None` for debugging entries.
    symbols: Vec<Option<SymbolId>>,
    /// Symbols made for relocations that refer to a section by number.
    section_symbols: HashMap<AtomId, SymbolId>,
}

impl<'a> Reader<'_, 'a, '_> {
    fn malformed(&self, reason: &dyn std::fmt::Display) -> LinkError {
        malformed(self.name, reason)
    }

    fn pieces(&self, section: SectionIndex) -> &[(u64, AtomId)] {
        self.pieces.get(section.0).map_or(&[], Vec::as_slice)
    }

    /// The atom that holds `offset` of `section`, and the offset in it. The end of a section
    /// belongs to its last atom.
    fn locate(&self, section: SectionIndex, offset: u64) -> Option<(AtomId, u64)> {
        let pieces = self.pieces(section);
        let after = pieces.partition_point(|piece| piece.0 <= offset);
        let (start, atom) = pieces[after.checked_sub(1)?];
        let within = offset - start;
        (within <= self.program.atom(atom).size).then_some((atom, within))
    }

    fn read_symbols(&mut self) -> Result<(), LinkError> {
        let mut aliases = Vec::new();
        self.program.symbols.reserve(self.file.symbols().count());
        for symbol in self.file.symbols() {
            let index = symbol.index().0;
            if self.symbols.len() <= index {
                self.symbols.resize(index + 1, None);
            }
            if is_debugging_entry(symbol.flags()) {
                continue;
            }
            let name = self.symbol_name(&symbol)?;
            let coff = self.program.target.format == ObjectFormat::Coff;
            let definition = if coff && symbol.is_weak() {
                aliases.push(symbol.index());
                Definition::Undefined
            } else {
                self.define(&symbol)?
            };
            let id = if symbol.is_local() {
                let name = Cow::Borrowed(name);
                self.program.add_symbol(Symbol { name, object: self.object, definition })
            } else {
                resolve::declare(self.program, name, self.object, definition)?
            };
            self.symbols[index] = Some(id);
        }
        aliases.into_iter().try_for_each(|index| self.read_alias(index))
    }

    /// The symbol's name; for the symbol of a section, which has none in ELF, the section's.
    fn symbol_name(&self, symbol: &object::Symbol<'a, '_>) -> Result<&'a [u8], LinkError> {
        let name = symbol.name_bytes().map_err(|error| self.malformed(&error))?;
        if !name.is_empty() || symbol.is_global() {
            return Ok(name);
        }
        let section = symbol.section_index().map(|index| self.file.section_by_index(index));
        match section {
            Some(Ok(section)) => section.name_bytes().map_err(|error| self.malformed(&error)),
            _ => Ok(name),
        }
    }

    /// What `symbol` stands for in this object.
    fn define(&self, symbol: &impl ObjectSymbol<'a>) -> Result<Definition<'a>, LinkError> {
        Ok(match symbol.section() {
            SymbolSection::Section(section) => {
                let address = self.file.section_by_index(section).map_or(0, |s| s.address());
                let offset = symbol.address().wrapping_sub(address);
                let weak = symbol.is_weak();
                match self.locate(section, offset) {
                    Some((atom, offset)) => Definition::Atom { atom, offset, weak },
                    None if !self.pieces(section).is_empty() => {
                        return Err(self.malformed(&"a symbol lies outside its section"));
                    }
                    None if symbol.is_global() => Definition::Undefined,
                    None => Definition::Discarded,
                }
            }
            SymbolSection::Absolute => Definition::Absolute(symbol.address()),
            SymbolSection::Common => self.define_common(symbol)?,
            _ if symbol.is_weak() => Definition::UndefinedWeak,
            _ => Definition::Undefined,
        })
    }

    fn define_common(&self, symbol: &impl ObjectSymbol<'a>) -> Result<Definition<'a>, LinkError> {
        let size = symbol.size();
        let natural = size.min(16).next_power_of_two();
        let align = match (self.program.target.format, symbol.flags()) {
            // ELF keeps the alignment in the value, Mach-O as a power in the description.
            (ObjectFormat::Elf, _) => symbol.address().max(1),
            (_, SymbolFlags::MachO { n_desc, .. }) => match (n_desc.0 >> 8) & 15 {
                0 => natural,
                power => 1 << power,
            },
            _ => natural,
        };
        let possible = align.is_power_of_two() && align <= self.program.target.page_size;
        if !possible || size > u64::from(u32::MAX) {
            return Err(self.malformed(&"a common symbol cannot be so large"));
        }
        Ok(Definition::Common { size, align })
    }

    /// Reads a COFF weak external: a name that stands for its default unless it is defined.
    fn read_alias(&mut self, index: SymbolIndex) -> Result<(), LinkError> {
        let File::Coff(file) = self.file else { return Ok(()) };
        let symbol = file.symbol_by_index(index).map_err(|error| self.malformed(&error))?;
        let auxiliary = file.coff_symbol_table().aux_weak_external(index);
        let default = auxiliary.map_err(|error| self.malformed(&error))?.default_symbol();
        let default = self.symbol(default)?;
        let name = symbol.name_bytes().map_err(|error| self.malformed(&error))?;
        resolve::declare(self.program, name, self.object, Definition::Alias(default))?;
        Ok(())
    }

    /// The program's symbol for the object's symbol `index`.
    fn symbol(&self, index: SymbolIndex) -> Result<SymbolId, LinkError> {
        let symbol = self.symbols.get(index.0).copied().flatten();
        symbol.ok_or_else(|| self.malformed(&"a relocation refers to no symbol"))
    }
}

/// Whether a Mach-O symbol is an entry for debuggers.
fn is_debugging_entry(flags: SymbolFlags<SectionIndex, SymbolIndex>) -> bool {
    matches!(flags, SymbolFlags::MachO { n_type, .. } if n_type.is_stab())
}

/// Whether a Mach-O symbol starts an atom.
fn starts_atom(flags: SymbolFlags<SectionIndex, SymbolIndex>) -> bool {
    matches!(flags, SymbolFlags::MachO { n_type, n_desc }
        if !n_type.is_stab() && !n_desc.contains(macho::N_ALT_ENTRY))
}
