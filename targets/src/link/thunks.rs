//! Branch thunks: calls that are too far for their instruction go by way of a few instructions
//! that are near.
//!
//! Code is divided into groups of whole atoms; behind each group stands an island of thunks for
//! its calls. An island is near to every call of its group, however large the image is, as long
//! as an atom is at most [`GROUP_SIZE`] bytes. Atoms are neither reordered nor changed.

use super::layout::place_atoms;
use super::program::{AtomId, Definition, Kind, Program, SymbolId};
use crate::{Fixup, arch};
use std::collections::HashMap;

/// Bytes of code that share an island: half of what arm64's branch reaches, so that the other
/// half is left for the island itself.
const GROUP_SIZE: u64 = 64 << 20;

/// Places `atoms` from `address` on, with thunks where branches need them, and returns them
/// together with the thunks in ascending order of address.
pub(super) fn place(program: &mut Program<'_>, atoms: Vec<AtomId>, address: u64) -> Vec<AtomId> {
    let reach = arch::branch_reach(program.target.arch).unwrap_or(u64::MAX);
    let end = place_atoms(program, &atoms, address);
    if end - address < reach {
        return atoms;
    }
    let mut groups = divide(program, &atoms);
    let mut thunks = HashMap::new();
    loop {
        let order: Vec<AtomId> = groups.iter().flat_map(Group::atoms).collect();
        place_atoms(program, &order, address);
        let mut settled = true;
        for (index, group) in groups.iter_mut().enumerate() {
            for position in 0..group.code.len() {
                let id = group.code[position];
                settled &= !group.extend(program, &mut thunks, index, id, reach);
            }
        }
        // A longer island moves what follows, so that other branches may need thunks now. Every
        // round adds at least one, and there are at most as many as calls.
        if settled {
            return order;
        }
    }
}

/// Atoms that share an island.
struct Group {
    code: Vec<AtomId>,
    island: Vec<AtomId>,
}

fn divide(program: &Program<'_>, atoms: &[AtomId]) -> Vec<Group> {
    let mut groups = Vec::<Group>::new();
    let mut start = 0;
    for &id in atoms {
        let atom = program.atom(id);
        match groups.last_mut() {
            Some(group) if atom.address + atom.size - start <= GROUP_SIZE => group.code.push(id),
            _ => {
                start = atom.address;
                groups.push(Group { code: vec![id], island: vec![] });
            }
        }
    }
    groups
}

impl Group {
    fn atoms(&self) -> impl Iterator<Item = AtomId> {
        self.code.iter().chain(&self.island).copied()
    }

    /// Adds thunks for the branches of `id` that cannot reach their targets; whether there were
    /// any.
    fn extend(
        &mut self,
        program: &mut Program<'_>,
        thunks: &mut HashMap<(usize, SymbolId, i64), SymbolId>,
        group: usize,
        id: AtomId,
        reach: u64,
    ) -> bool {
        let mut added = false;
        for index in 0..program.atom(id).relocations.len() {
            let atom = program.atom(id);
            let relocation = atom.relocations[index];
            let symbol = program.resolve(relocation.symbol);
            if relocation.fixup != Fixup::Branch26 {
                continue;
            }
            let Definition::Atom { atom: target, offset, .. } = program.symbol(symbol).definition
            else {
                continue;
            };
            let place = atom.address + u64::from(relocation.offset);
            let target = program.atom(target).address + offset;
            let distance = target.wrapping_add_signed(relocation.addend).abs_diff(place);
            // A call forwards reaches one instruction less than one backwards.
            if distance < reach {
                continue;
            }
            let key = (group, symbol, relocation.addend);
            let thunk = *thunks.entry(key).or_insert_with(|| {
                let (data, mut relocations) = arch::thunk(symbol);
                for part in &mut relocations {
                    part.addend = relocation.addend;
                }
                let (atom, thunk) =
                    program.add_own(Kind::Code, arch::STUB_ALIGN, data, relocations);
                self.island.push(atom);
                thunk
            });
            let relocation = &mut program.atom_mut(id).relocations[index];
            relocation.symbol = thunk;
            relocation.addend = 0;
            added = true;
        }
        added
    }
}
