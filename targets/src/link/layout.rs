//! Layout: every live atom gets its place in a section, every section its place in a segment.
//!
//! Requires the plan of the format: which kinds of atoms form which section of which segment.
//! Guarantees that atoms of a section stand in the order of the inputs, variables that are zero at
//! first in that of their sizes, that nothing overlaps,
//! and that addresses and file offsets agree as the format wants.

use super::LinkError;
use super::program::{AtomId, Kind, Program};
use super::thunks;
use crate::Fixup;
use crate::arch;
use crate::image::{Access, Image, Section, Segment};
use std::collections::BTreeMap;

/// How a format lays out images.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Address of the file's first byte.
    pub(crate) base: u64,
    /// Bytes of headers for so many segments and sections.
    pub(crate) header_size: fn(segments: usize, sections: usize) -> u64,
    /// Bytes of headers besides those.
    pub(crate) more_headers: u64,
    /// Alignment of segments in the file, in bytes. With 1, they follow each other without gaps,
    /// and share the pages they meet in.
    pub(crate) file_align: u64,
    /// The first is there even if empty and holds the headers.
    pub(crate) segments: Vec<SegmentPlan>,
}

/// A segment to be.
#[derive(Debug)]
pub(crate) struct SegmentPlan {
    pub(crate) name: String,
    pub(crate) access: Access,
    /// Where it must lie; otherwise behind the one before it.
    pub(crate) address: Option<u64>,
    pub(crate) sections: Vec<SectionPlan>,
}

/// A section to be.
#[derive(Debug)]
pub(crate) struct SectionPlan {
    pub(crate) name: String,
    /// Its atoms, kind by kind; [`Kind::Zero`] last.
    pub(crate) kinds: Vec<Kind>,
}

impl SectionPlan {
    pub(crate) fn new(name: &str, kinds: &[Kind]) -> Self {
        Self { name: name.to_owned(), kinds: kinds.to_vec() }
    }
}

/// Lays out the live atoms as `plan` says; the image's bytes are still zero.
pub(crate) fn arrange(program: &mut Program<'_>, plan: Plan) -> Result<Image, LinkError> {
    let mut kinds = sort_by_kind(program);
    let mut segments = Vec::new();
    for (index, mut segment) in plan.segments.into_iter().enumerate() {
        segment
            .sections
            .retain(|section| section.kinds.iter().any(|kind| kinds.contains_key(kind)));
        if index == 0 || !segment.sections.is_empty() {
            segments.push(segment);
        }
    }
    let count = segments.iter().map(|segment| segment.sections.len()).sum();
    let headers = (plan.header_size)(segments.len(), count) + plan.more_headers;
    let mut cursor = Cursor { offset: headers, address: plan.base + headers };
    let mut image = Image { base: plan.base, segments: vec![], sections: vec![], bytes: vec![] };
    for (index, segment) in segments.into_iter().enumerate() {
        if index > 0 {
            cursor.start_segment(&segment, plan.file_align, program.target.page_size);
        }
        let Cursor { offset, address } = cursor;
        let first = image.sections.len();
        for section in segment.sections {
            let number = image.sections.len() as u32;
            let section = cursor.place(program, &mut kinds, section, number);
            image.sections.push(section);
        }
        let start = if index == 0 { (0, plan.base) } else { (offset, address) };
        image.segments.push(Segment {
            name: segment.name,
            access: segment.access,
            address: start.1,
            size: cursor.address - start.1,
            offset: start.0,
            file_size: cursor.offset - start.0,
            sections: first..image.sections.len(),
        });
    }
    check_overlap(program, &image)?;
    image.bytes = vec![0; cursor.offset as usize];
    Ok(image)
}

/// Live atoms of each kind, in order of the inputs; [`Kind::Zero`] by size.
fn sort_by_kind(program: &mut Program<'_>) -> BTreeMap<Kind, Vec<AtomId>> {
    let mut kinds = BTreeMap::<Kind, Vec<AtomId>>::new();
    for (index, atom) in program.atoms.iter_mut().enumerate() {
        if !atom.live {
            continue;
        }
        let holds_pointer = |atom: &super::program::Atom<'_>| {
            atom.relocations.iter().any(|relocation| relocation.fixup == Fixup::Absolute64)
        };
        if atom.kind == Kind::ReadOnly && holds_pointer(atom) {
            atom.kind = Kind::Pointers;
        }
        kinds.entry(atom.kind).or_default().push(AtomId(index as u32));
    }
    // Small variables share the first page, which comes in with the variables before them.
    if let Some(zero) = kinds.get_mut(&Kind::Zero) {
        zero.sort_by_key(|&id| program.atom(id).size);
    }
    kinds
}

/// Where the next section goes.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    offset: u64,
    address: u64,
}

impl Cursor {
    fn start_segment(&mut self, segment: &SegmentPlan, file_align: u64, page_size: u64) {
        self.offset = self.offset.next_multiple_of(file_align);
        match segment.address {
            Some(address) => {
                self.offset = self.offset.next_multiple_of(page_size);
                self.address = address;
            }
            None => {
                self.address = self.address.next_multiple_of(page_size);
                if file_align == 1 {
                    // The file's page is mapped twice, so that its offset in the page stays.
                    self.address += self.offset % page_size;
                }
            }
        }
    }

    /// Places the atoms that `plan` asks for behind each other.
    fn place(
        &mut self,
        program: &mut Program<'_>,
        kinds: &mut BTreeMap<Kind, Vec<AtomId>>,
        plan: SectionPlan,
        number: u32,
    ) -> Section {
        let taken = plan.kinds.iter().filter_map(|kind| kinds.remove(kind));
        let mut atoms: Vec<AtomId> = taken.flatten().collect();
        let align = atoms.iter().map(|&id| program.atom(id).align).max().unwrap_or(1);
        let address = self.address.next_multiple_of(align);
        let kind = program.atom(atoms[0]).kind;
        if kind == Kind::Code && arch::branch_reach(program.target.arch).is_some() {
            atoms = thunks::place(program, atoms, address);
        } else {
            place_atoms(program, &atoms, address);
        }
        let end = |id: AtomId| program.atom(id).address + program.atom(id).size;
        let last_with_bytes = atoms.iter().rev().find(|&&id| program.atom(id).kind != Kind::Zero);
        let size = atoms.last().map_or(0, |&id| end(id) - address);
        let file_size = last_with_bytes.map_or(0, |&id| end(id) - address);
        let offset = self.offset + (address - self.address);
        if file_size > 0 {
            self.offset = offset + file_size;
        }
        self.address = address + size;
        for &id in &atoms {
            program.atom_mut(id).section = number;
        }
        Section { name: plan.name, kind, address, size, offset, file_size, align, atoms }
    }
}

/// Places `atoms` behind each other from `address` on and returns where they end.
pub(super) fn place_atoms(program: &mut Program<'_>, atoms: &[AtomId], mut address: u64) -> u64 {
    for &id in atoms {
        let atom = program.atom_mut(id);
        atom.address = address.next_multiple_of(atom.align);
        address = atom.address + atom.size;
    }
    address
}

/// Refuses images in which a placed section lies where something else does.
fn check_overlap(program: &Program<'_>, image: &Image) -> Result<(), LinkError> {
    let mut segments: Vec<&Segment> = image.segments.iter().collect();
    segments.sort_by_key(|segment| segment.address);
    for pair in segments.windows(2) {
        if pair[0].address + pair[0].size <= pair[1].address {
            continue;
        }
        let sections = pair.iter().flat_map(|segment| &image.sections[segment.sections.clone()]);
        let placed = sections
            .flat_map(|section| &section.atoms)
            .map(|&id| program.atom(id))
            .find(|atom| matches!(atom.kind, Kind::Placed(_)));
        return Err(LinkError::Placement {
            object: placed.map_or_else(String::new, |atom| program.object_name(atom)),
            reason: format!("so that {} and {} overlap", pair[0].name, pair[1].name),
        });
    }
    Ok(())
}
