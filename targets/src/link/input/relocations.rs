//! Relocations of an object, distributed to its atoms.

use super::Reader;
use crate::link::LinkError;
use crate::link::program::{AtomId, Definition, Kind, Relocation, Symbol, SymbolId};
use crate::{Fixup, arch, relocation};
use object::read::{Object, ObjectSection, RelocationTarget};
use object::{RelocationFlags, SectionIndex};
use std::borrow::Cow;

impl<'a> Reader<'_, 'a, '_> {
    pub(super) fn read_relocations(&mut self) -> Result<(), LinkError> {
        for section in self.file.sections() {
            let index = section.index();
            if self.pieces(index).is_empty() {
                continue;
            }
            for (offset, found) in section.relocations() {
                if relocation::is_none(found.flags()) {
                    continue;
                }
                self.read_relocation(&section, offset, &found)?;
            }
        }
        Ok(())
    }

    fn read_relocation(
        &mut self,
        section: &object::Section<'a, '_>,
        offset: u64,
        found: &object::read::Relocation,
    ) -> Result<(), LinkError> {
        let mut fixup = relocation::fixup(self.program.target, found.flags())
            .ok_or_else(|| self.unknown(section, found.flags()))?;
        let (atom, within) = self
            .locate(section.index(), offset)
            .ok_or_else(|| self.malformed(&"a relocation lies outside its section"))?;
        let data = &self.program.atom(atom).data;
        let field = usize::try_from(within).ok().and_then(|start| data.get(start..));
        let field = field.filter(|field| field.len() >= fixup.width());
        let field = field.ok_or_else(|| self.malformed(&"a relocation changes no bytes"))?;
        let implicit = match found.has_implicit_addend() {
            true => arch::implicit_addend(fixup, field),
            false => 0,
        };
        let (symbol, addend) = match found.target() {
            RelocationTarget::Symbol(index) => {
                let twice = relocation::counted_twice(self.program.target, found.flags());
                (self.symbol(index)?, found.addend().wrapping_add(implicit).wrapping_add(twice))
            }
            RelocationTarget::Section(index) => {
                let place = section.address().wrapping_add(offset);
                self.section_target(index, fixup, found.addend(), implicit, place)?
            }
            _ => return Err(self.unknown(section, found.flags())),
        };
        let subtrahend = found.subtractor().map(|index| self.symbol(index)).transpose()?;
        if subtrahend.is_some() && fixup == Fixup::Absolute32 {
            fixup = Fixup::Absolute32Signed;
        }
        let offset = within as u32;
        let relocation = Relocation { offset, fixup, symbol, subtrahend, addend };
        self.program.atom_mut(atom).relocations.push(relocation);
        Ok(())
    }

    /// Symbol and addend for a Mach-O relocation that names a section: its field holds the
    /// target's address in the object, or the distance to it.
    fn section_target(
        &mut self,
        index: SectionIndex,
        fixup: Fixup,
        explicit: i64,
        implicit: i64,
        place: u64,
    ) -> Result<(SymbolId, i64), LinkError> {
        let (address, addend) = match fixup {
            Fixup::Absolute64 | Fixup::Absolute32 => (implicit, 0),
            Fixup::Relative32 | Fixup::Branch32 => {
                (implicit.wrapping_sub(explicit).wrapping_add_unsigned(place), explicit)
            }
            _ => return Err(self.malformed(&"an instruction's relocation names a section")),
        };
        let section = self.file.section_by_index(index).map_err(|error| self.malformed(&error))?;
        let offset = (address as u64).wrapping_sub(section.address());
        let (atom, within) = self
            .locate(index, offset)
            .ok_or_else(|| self.malformed(&"a relocation refers to a place in no section"))?;
        Ok((self.section_symbol(atom), (within as i64).wrapping_add(addend)))
    }

    fn section_symbol(&mut self, atom: AtomId) -> SymbolId {
        let (program, object) = (&mut *self.program, self.object);
        *self.section_symbols.entry(atom).or_insert_with(|| {
            let definition = Definition::Atom { atom, offset: 0, weak: false };
            program.add_symbol(Symbol { name: Cow::Borrowed(b""), object, definition })
        })
    }

    /// Attaches every record of the unwind table to the function that it describes, so that it
    /// lives as long as that does. PE Format, "The .pdata Section".
    pub(super) fn attach_unwind(&mut self) {
        let atoms = self.pieces.iter().flatten().map(|piece| piece.1);
        let records: Vec<AtomId> =
            atoms.filter(|&id| self.program.atom(id).kind == Kind::Unwind).collect();
        for record in records {
            let relocations = &self.program.atom(record).relocations;
            let begin = relocations.iter().find(|relocation| relocation.offset == 0);
            let begin = begin.and_then(|begin| self.program.defining_atom(begin.symbol));
            if let Some(function) = begin {
                self.program.atom_mut(function).attached.push(record);
            }
        }
    }

    fn unknown(&self, section: &object::Section<'a, '_>, flags: RelocationFlags) -> LinkError {
        LinkError::UnknownRelocation {
            object: self.name.to_owned(),
            section: section.name().unwrap_or("?").to_owned(),
            relocation: relocation::describe(flags),
        }
    }
}
