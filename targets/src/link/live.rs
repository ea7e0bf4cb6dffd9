//! Dead stripping: what the entry point does not reach is not linked.
//!
//! Guarantees that every symbol a live atom refers to is defined.

use super::LinkError;
use super::program::{AtomId, Definition, Kind, Program, SymbolId};
use std::collections::BTreeSet;

/// Marks the atoms that `roots`, or atoms that must be retained, lead to.
pub(crate) fn mark(program: &mut Program<'_>, roots: &[SymbolId]) -> Result<(), LinkError> {
    let mut marker = Marker { pending: Vec::new(), undefined: BTreeSet::new() };
    for &root in roots {
        marker.reach_symbol(program, root);
    }
    for index in 0..program.atoms.len() {
        if program.atoms[index].retained {
            marker.reach(program, AtomId(index as u32));
        }
    }
    while let Some(id) = marker.pending.pop() {
        marker.visit(program, id)?;
    }
    if marker.undefined.is_empty() {
        return Ok(());
    }
    let names = marker.undefined.iter().map(|&id| program.describe(id)).collect();
    Err(LinkError::Undefined(names))
}

struct Marker {
    /// Live atoms whose references have not been followed.
    pending: Vec<AtomId>,
    undefined: BTreeSet<SymbolId>,
}

impl Marker {
    fn reach(&mut self, program: &mut Program<'_>, id: AtomId) {
        let atom = program.atom_mut(id);
        if !std::mem::replace(&mut atom.live, true) {
            self.pending.push(id);
        }
    }

    fn reach_symbol(&mut self, program: &mut Program<'_>, id: SymbolId) {
        let id = program.resolve(id);
        match program.symbol(id).definition {
            Definition::Atom { atom, .. } => self.reach(program, atom),
            Definition::Undefined | Definition::Discarded => {
                self.undefined.insert(id);
            }
            _ => {}
        }
    }

    fn visit(&mut self, program: &mut Program<'_>, id: AtomId) -> Result<(), LinkError> {
        let atom = program.atom(id);
        if let Kind::Unsupported(what) = atom.kind {
            let object = program.object_name(atom);
            return Err(LinkError::Unsupported { object, what: what.to_owned() });
        }
        for index in 0..program.atom(id).relocations.len() {
            let relocation = program.atom(id).relocations[index];
            self.reach_symbol(program, relocation.symbol);
            if let Some(subtrahend) = relocation.subtrahend {
                self.reach_symbol(program, subtrahend);
            }
        }
        for index in 0..program.atom(id).attached.len() {
            let attached = program.atom(id).attached[index];
            self.reach(program, attached);
        }
        Ok(())
    }
}
