//! The memory that begins in the image: its contents are the image's last sections, where the
//! runtime can reserve the rest of its address space behind them. Where something lies there already
//! (Windows chooses addresses at random), it reserves all of it elsewhere, and copies.
//!
//! Mapping the file once more instead would find room always; but the file would have to be opened
//! by a name that may be another file's by then, and older systems cannot map it into a reservation.
//!
//! Windows places reservations at multiples of 64 KiB and images too, so that memory and image end
//! at such a multiple. Sections follow each other in memory without gaps, as the loader demands:
//! what is zero belongs to the section before it, or to one that has no bytes in the file.

use super::{BASE, LARGEST_IMAGE, SECTION_ALIGN};
use crate::image::{Access, Image, Section, Segment};
use crate::link::LinkError;
use crate::link::program::{AtomId, Kind, Program};

const NAME: &str = ".kmemory";

/// `dwAllocationGranularity` in the documentation of `SYSTEM_INFO`.
const ALLOCATION_GRANULARITY: u64 = 0x1_0000;

/// The file's pages are mapped as they are only if they begin at a page of the file.
const FILE_ALIGN: u64 = 0x1000;

/// Places the contents of the memory, if one begins in the image, behind all that is there.
pub(super) fn place(program: &mut Program<'_>, image: &mut Image) -> Result<(), LinkError> {
    let mut runs: Vec<(u64, AtomId)> = program
        .atoms
        .iter()
        .enumerate()
        .filter(|(_, atom)| atom.live)
        .filter_map(|(index, atom)| match atom.kind {
            Kind::Placed(offset) => Some((offset, AtomId(index as u32))),
            _ => None,
        })
        .collect();
    runs.sort_unstable();
    check(program, &runs)?;
    let end = image.segments.last().map_or(BASE, |segment| segment.address + segment.size);
    let end = end.next_multiple_of(SECTION_ALIGN);
    let start = end.next_multiple_of(ALLOCATION_GRANULARITY);
    if let [(first, _), ..] = runs[..]
        && start + first > end
    {
        append(image, end, start + first - end, 0, vec![]);
    }
    for (position, &(offset, id)) in runs.iter().enumerate() {
        let address = start + offset;
        let atom = program.atom_mut(id);
        atom.address = address;
        atom.section = image.sections.len() as u32;
        let size = atom.size;
        let end = match runs.get(position + 1) {
            Some((next, _)) => start + next,
            None => (address + size).next_multiple_of(ALLOCATION_GRANULARITY),
        };
        append(image, address, end - address, size, vec![id]);
    }
    Ok(())
}

/// Refuses contents that overlap, or lie where no image reaches.
fn check(program: &Program<'_>, runs: &[(u64, AtomId)]) -> Result<(), LinkError> {
    let mut free = 0;
    for &(offset, id) in runs {
        let atom = program.atom(id);
        let reason = match offset + atom.size {
            _ if offset < free => "where another one is",
            end if end > LARGEST_IMAGE => "beyond the 2 GiB of a PE image",
            end => {
                free = end;
                continue;
            }
        };
        let (object, reason) = (program.object_name(atom), reason.to_owned());
        return Err(LinkError::Placement { object, reason });
    }
    Ok(())
}

/// Appends a section of so many bytes in memory and in the file.
fn append(image: &mut Image, address: u64, size: u64, file_size: u64, atoms: Vec<AtomId>) {
    let offset = (image.bytes.len() as u64).next_multiple_of(FILE_ALIGN);
    if file_size > 0 {
        image.bytes.resize((offset + file_size) as usize, 0);
    }
    let number = image.sections.len();
    image.sections.push(Section {
        name: NAME.to_owned(),
        kind: Kind::Placed(address),
        address,
        size,
        offset,
        file_size,
        align: SECTION_ALIGN,
        atoms,
    });
    image.segments.push(Segment {
        name: NAME.to_owned(),
        access: Access::ReadWrite,
        address,
        size,
        offset,
        file_size,
        sections: number..number + 1,
    });
}
