//! The image: segments and sections with their addresses, and the bytes they hold.
//!
//! Requires that [`layout`](crate::link::layout) gave every live atom an address. Guarantees that
//! all fixups are applied; headers and whatever else a format puts around the sections are
//! written by the format.

use crate::Fixup;
use crate::arch::{self, Misfit};
use crate::link::LinkError;
use crate::link::program::{Atom, AtomId, Definition, Kind, Program, Relocation, SymbolId};
use rayon::prelude::*;
use std::ops::Range;

/// What code may do with a segment's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadExecute,
    ReadWrite,
}

/// A part of the image that the OS maps as one.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) access: Access,
    pub(crate) address: u64,
    /// Bytes in memory.
    pub(crate) size: u64,
    /// Offset in the file.
    pub(crate) offset: u64,
    /// Bytes in the file; what follows in memory is zero.
    pub(crate) file_size: u64,
    /// Its sections in [`Image::sections`].
    pub(crate) sections: Range<usize>,
}

/// A run of atoms under one name.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    /// Kind of its first atom.
    pub(crate) kind: Kind,
    pub(crate) address: u64,
    /// Bytes in memory.
    pub(crate) size: u64,
    /// Offset in the file.
    pub(crate) offset: u64,
    /// Bytes in the file; what follows in memory is zero.
    pub(crate) file_size: u64,
    pub(crate) align: u64,
    /// In ascending order of address.
    pub(crate) atoms: Vec<AtomId>,
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Image {
    /// Address of the file's first byte.
    pub(crate) base: u64,
    /// In order of the file.
    pub(crate) segments: Vec<Segment>,
    /// In order of the file.
    pub(crate) sections: Vec<Section>,
    /// The file up to the end of the last segment.
    pub(crate) bytes: Vec<u8>,
}

impl Image {
    /// Copies the atoms into the image and applies their fixups.
    pub(crate) fn fill(&mut self, program: &Program<'_>) -> Result<(), LinkError> {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut pieces = Vec::new();
        let mut rest = &mut bytes[..];
        let mut position = 0;
        for section in &self.sections {
            if section.file_size == 0 {
                continue;
            }
            let (_, at) = rest.split_at_mut((section.offset - position) as usize);
            let (mut contents, after) = at.split_at_mut(section.file_size as usize);
            rest = after;
            position = section.offset + section.file_size;
            let padding = match section.kind {
                Kind::Code | Kind::Stub => arch::code_padding(program.target.arch),
                _ => 0,
            };
            let mut address = section.address;
            for &id in &section.atoms {
                let atom = program.atom(id);
                if atom.kind == Kind::Zero {
                    break;
                }
                let (gap, at) = contents.split_at_mut((atom.address - address) as usize);
                gap.fill(padding);
                let (piece, after) = at.split_at_mut(atom.size as usize);
                contents = after;
                address = atom.address + atom.size;
                pieces.push((atom, piece));
            }
        }
        let errors: Vec<LinkError> = pieces
            .into_par_iter()
            .filter_map(|(atom, piece)| self.fill_atom(program, atom, piece).err())
            .collect();
        self.bytes = bytes;
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    fn fill_atom(
        &self,
        program: &Program<'_>,
        atom: &Atom<'_>,
        piece: &mut [u8],
    ) -> Result<(), LinkError> {
        if !atom.data.is_empty() {
            piece.copy_from_slice(&atom.data);
        }
        for relocation in &atom.relocations {
            let Some(value) = self.value(program, relocation)? else { continue };
            let offset = relocation.offset as usize;
            let place = atom.address + u64::from(relocation.offset);
            arch::apply(relocation.fixup, piece, offset, place, value).map_err(|misfit| {
                let symbol = program.name(relocation.symbol);
                let (object, fixup) = (program.object_name(atom), relocation.fixup);
                match misfit {
                    Misfit::OutOfRange => LinkError::OutOfRange { symbol, object, fixup },
                    Misfit::Misplaced => LinkError::Misplaced { symbol, object, fixup },
                }
            })?;
        }
        Ok(())
    }

    /// `S + A` of a relocation, less what the fixup's formula takes off; `None` where the OS
    /// writes it.
    fn value(
        &self,
        program: &Program<'_>,
        relocation: &Relocation,
    ) -> Result<Option<u64>, LinkError> {
        if let Definition::Import { .. } = program.definition(relocation.symbol) {
            return Ok(None);
        }
        let symbol = program.address(relocation.symbol)?;
        let address = symbol.wrapping_add_signed(relocation.addend);
        Ok(Some(match (relocation.fixup, relocation.subtrahend) {
            (_, Some(subtrahend)) => address.wrapping_sub(program.address(subtrahend)?),
            (Fixup::ImageRelative32, _) => address.wrapping_sub(self.base),
            (Fixup::SectionRelative32, _) => {
                let section = self.section_of(program, relocation.symbol);
                address.wrapping_sub(section.map_or(0, |index| self.sections[index].address))
            }
            // Sections count from 1.
            (Fixup::SectionIndex16, _) => {
                self.section_of(program, relocation.symbol).map_or(0, |index| index as u64 + 1)
            }
            _ => address,
        }))
    }

    fn section_of(&self, program: &Program<'_>, symbol: SymbolId) -> Option<usize> {
        program.defining_atom(symbol).map(|atom| program.atom(atom).section as usize)
    }

    /// Addresses in the image that the OS must change when it loads the image elsewhere than at
    /// its base, in ascending order.
    pub(crate) fn moving_pointers(&self, program: &Program<'_>) -> Vec<u64> {
        self.pointers(program, |definition| matches!(definition, Definition::Atom { .. }))
            .map(|pointer| pointer.0)
            .collect()
    }

    /// Pointers that the OS sets to symbols of dynamic libraries: address, symbol and addend, in
    /// ascending order of address.
    pub(crate) fn bound_pointers(&self, program: &Program<'_>) -> Vec<(u64, SymbolId, i64)> {
        self.pointers(program, |definition| matches!(definition, Definition::Import { .. }))
            .map(|(address, relocation)| {
                (address, program.resolve(relocation.symbol), relocation.addend)
            })
            .collect()
    }

    fn pointers<'p>(
        &'p self,
        program: &'p Program<'_>,
        wanted: impl Fn(Definition<'_>) -> bool + 'p,
    ) -> impl Iterator<Item = (u64, &'p Relocation)> {
        let atoms = self.sections.iter().flat_map(|section| &section.atoms);
        let mut pointers: Vec<(u64, &Relocation)> = Vec::new();
        for &id in atoms {
            let atom = program.atom(id);
            let absolute = |relocation: &&Relocation| {
                relocation.fixup == Fixup::Absolute64
                    && relocation.subtrahend.is_none()
                    && wanted(program.definition(relocation.symbol))
            };
            let found = atom.relocations.iter().filter(absolute);
            pointers.extend(found.map(|found| (atom.address + u64::from(found.offset), found)));
        }
        pointers.sort_by_key(|pointer| pointer.0);
        pointers.into_iter()
    }
}
