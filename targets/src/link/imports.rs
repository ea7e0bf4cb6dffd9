//! Pointers to symbols, and the stubs by which imported functions are called.
//!
//! Objects may ask for a pointer to a symbol (a slot of the global offset table, or the import
//! address table of PE), because the symbol may lie in a dynamic library. Where it does not, the
//! instruction is changed when fixups are applied and no pointer is needed; where it does, or
//! where the instruction cannot be changed, this pass makes the pointer and lets the relocation
//! refer to that. Calls of imported functions are led through stubs.
//!
//! Requires that dead atoms are marked. Guarantees that a fixup of a `Got` kind that is left
//! refers to a symbol of the image and stands at an instruction that can be changed.

use super::LinkError;
use super::program::{AtomId, Definition, Kind, Program, Relocation, SymbolId};
use crate::{Fixup, ObjectFormat, arch};
use std::collections::HashMap;

/// Bytes of a pointer on every target.
const POINTER: u64 = 8;

/// Makes the pointers and stubs that live atoms need.
pub(crate) fn make(program: &mut Program<'_>) -> Result<(), LinkError> {
    let mut maker = Maker { slots: HashMap::new(), stubs: HashMap::new() };
    for index in 0..program.atoms.len() {
        if !program.atoms[index].live {
            continue;
        }
        for relocation in 0..program.atoms[index].relocations.len() {
            maker.redirect(program, AtomId(index as u32), relocation)?;
        }
    }
    Ok(())
}

struct Maker {
    /// The pointer to each symbol that has one.
    slots: HashMap<SymbolId, SymbolId>,
    /// The stub of each imported function that has one.
    stubs: HashMap<SymbolId, SymbolId>,
}

impl Maker {
    /// Lets a relocation refer to a pointer or stub if it must.
    fn redirect(
        &mut self,
        program: &mut Program<'_>,
        id: AtomId,
        index: usize,
    ) -> Result<(), LinkError> {
        let atom = program.atom(id);
        let Relocation { fixup, symbol, offset, .. } = atom.relocations[index];
        let target = program.resolve(symbol);
        let definition = program.symbol(target).definition;
        let imported = matches!(definition, Definition::Import { .. });
        let (fixup, symbol) = match (slot_fixup(fixup), definition) {
            (_, Definition::ImportSlot { of }) => (fixup, self.slot(program, program.resolve(of))),
            (Some(direct), _) => {
                let near = matches!(definition, Definition::Atom { .. });
                if near && arch::can_relax(fixup, &atom.data, offset as usize) {
                    return Ok(());
                }
                (direct, self.slot(program, target))
            }
            (None, _) if !imported => return Ok(()),
            (None, _) if program.target.format == ObjectFormat::Coff => {
                (fixup, self.stub(program, target))
            }
            (None, _) => match fixup {
                Fixup::Branch32 | Fixup::Branch26 => (fixup, self.stub(program, target)),
                // The system's loader writes the address.
                Fixup::Absolute64 => return Ok(()),
                _ => {
                    let (symbol, object) = (program.name(target), program.object_name(atom));
                    return Err(LinkError::OutOfRange { symbol, object, fixup });
                }
            },
        };
        let relocation = &mut program.atom_mut(id).relocations[index];
        relocation.fixup = fixup;
        relocation.symbol = symbol;
        Ok(())
    }

    /// The pointer to `target`.
    fn slot(&mut self, program: &mut Program<'_>, target: SymbolId) -> SymbolId {
        if let Some(&slot) = self.slots.get(&target) {
            return slot;
        }
        let weak = program.symbol(target).definition == Definition::UndefinedWeak;
        let relocation = Relocation {
            offset: 0,
            fixup: Fixup::Absolute64,
            symbol: target,
            subtrahend: None,
            addend: 0,
        };
        // A weak reference to nothing is null, and no loader shall move that.
        let relocations = if weak { vec![] } else { vec![relocation] };
        let data = vec![0; POINTER as usize];
        let (_, slot) = program.add_own(Kind::Slot, POINTER, data, relocations);
        self.slots.insert(target, slot);
        slot
    }

    /// The stub that jumps to the imported function `target`.
    fn stub(&mut self, program: &mut Program<'_>, target: SymbolId) -> SymbolId {
        if let Some(&stub) = self.stubs.get(&target) {
            return stub;
        }
        let slot = self.slot(program, target);
        let (data, relocations) = arch::stub(program.target.arch, slot);
        let (_, stub) = program.add_own(Kind::Stub, arch::STUB_ALIGN, data, relocations);
        let name = program.symbol(target).name.clone();
        program.symbols[stub.0 as usize].name = name;
        self.stubs.insert(target, stub);
        stub
    }
}

/// The fixup by which an instruction that wants a pointer's place refers to a pointer that exists.
fn slot_fixup(fixup: Fixup) -> Option<Fixup> {
    match fixup {
        Fixup::GotRelative32 | Fixup::GotLoad32 => Some(Fixup::Relative32),
        Fixup::GotPage21 => Some(Fixup::Page21),
        Fixup::GotPageOffset12 => Some(Fixup::PageOffset12Load),
        _ => None,
    }
}
