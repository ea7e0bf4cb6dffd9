//! PE executables and DLLs: with imports, unwind data and base relocations.
//!
//! Source: Microsoft PE Format.

mod base_relocations;
mod exports;
mod headers;
mod imports;
mod memory;
pub mod resources;

use crate::image::{Access, Image, Segment};
use crate::link::layout::{self, Plan, SectionPlan, SegmentPlan};
use crate::link::program::{AtomId, Kind, Program, SymbolId};
use crate::link::{Input, LinkError};
use crate::{Arch, arch};
use headers::{Directories, Directory};
use kiln_abi::symbol::{EMBED_SECTION, POLICY_SECTION};

/// Where the loader starts the program.
pub(crate) const ENTRY: &str = "kiln_start";

/// Where linkers put executables that may be loaded anywhere above 4 GiB.
const BASE: u64 = 0x1_4000_0000;
/// Alignment of sections in memory: a page.
const SECTION_ALIGN: u64 = 0x1000;
/// Bytes of memory that an image can take.
const LARGEST_IMAGE: u64 = 1 << 31;
/// Alignment of sections in the file.
const FILE_ALIGN: u64 = 0x200;

/// Writes the executable of a program whose pointers are made.
pub(crate) fn write(
    program: &mut Program<'_>,
    entry: SymbolId,
    exports: &[(&str, SymbolId)],
    input: &Input<'_>,
) -> Result<Vec<u8>, LinkError> {
    if let Some(library) = input.library {
        exports::write_tables(program, library.file_name, exports);
    }
    let tables = imports::write_tables(program);
    let mut image = layout::arrange(program, plan())?;
    let relocations = base_relocations::write(&image, &image.moving_pointers(program));
    if !relocations.is_empty() {
        append_section(&mut image, ".reloc", &relocations);
    }
    if !input.resources.is_empty() {
        let end = image.segments.last().map_or(BASE, |segment| segment.address + segment.size);
        let start = end.next_multiple_of(SECTION_ALIGN) - BASE;
        append_section(&mut image, ".rsrc", &resources::write(input.resources, start as u32));
    }
    memory::place(program, &mut image)?;
    image.fill(program)?;
    sort_unwind_table(&mut image, program.target.arch);
    let padded = image.bytes.len().next_multiple_of(FILE_ALIGN as usize);
    image.bytes.resize(padded, 0);
    if image.segments.iter().any(|segment| segment.address + segment.size - BASE > LARGEST_IMAGE) {
        return Err(LinkError::TooLarge("a PE image holds 2 GiB".to_owned()));
    }

    let of_atoms = |atoms: &[AtomId]| match atoms {
        [first, .., last] | [first @ last] => Directory {
            start: program.atom(*first).address,
            size: program.atom(*last).address + program.atom(*last).size
                - program.atom(*first).address,
        },
        [] => Directory::default(),
    };
    let of_section = |name: &str| {
        let section = image.sections.iter().find(|section| section.name == name);
        section.map_or_else(Directory::default, |section| Directory {
            start: section.address,
            size: section.size,
        })
    };
    let directories = Directories {
        exports: of_section(".edata"),
        imports: of_atoms(tables.directory.as_slice()),
        exceptions: of_section(".pdata"),
        base_relocations: of_section(".reloc"),
        resources: of_section(".rsrc"),
        import_addresses: of_atoms(&tables.addresses),
    };
    // A DLL has nothing to do when it is loaded.
    let entry = match input.library {
        Some(_) => None,
        None => Some(program.address(entry)?),
    };
    let front = headers::write(program.target, &image, entry, input.stack_size, &directories);
    let mut bytes = image.bytes;
    bytes[..front.len()].copy_from_slice(&front);
    headers::write_checksum(&mut bytes);
    Ok(bytes)
}

fn plan() -> Plan {
    let section = |name: &str, access, kinds: &[Kind]| SegmentPlan {
        name: name.to_owned(),
        access,
        address: None,
        sections: vec![SectionPlan::new(name, kinds)],
    };
    let headers = SegmentPlan {
        name: "headers".to_owned(),
        access: Access::Read,
        address: None,
        sections: vec![],
    };
    let constants = [Kind::Slot, Kind::ReadOnly, Kind::Pointers, Kind::Imports];
    Plan {
        base: BASE,
        header_size: headers::size,
        more_headers: 0,
        file_align: FILE_ALIGN,
        segments: vec![
            headers,
            section(".text", Access::ReadExecute, &[Kind::Code, Kind::Stub]),
            section(".rdata", Access::Read, &constants),
            section(".edata", Access::Read, &[Kind::Exports]),
            section(".data", Access::ReadWrite, &[Kind::Data, Kind::Zero]),
            section(".pdata", Access::Read, &[Kind::Unwind]),
            section(POLICY_SECTION, Access::Read, &[Kind::Manifest]),
            section(EMBED_SECTION, Access::Read, &[Kind::Embedded]),
        ],
    }
}

/// Sorts the records of the unwind table by the address of their functions, as the OS searches
/// them: PE Format, "The .pdata Section".
fn sort_unwind_table(image: &mut Image, arch: Arch) {
    let Some(section) = image.sections.iter().find(|section| section.kind == Kind::Unwind) else {
        return;
    };
    let start = section.offset as usize;
    let table = &mut image.bytes[start..start + section.file_size as usize];
    let size = arch::unwind_record_size(arch) as usize;
    let mut records: Vec<Vec<u8>> = table.chunks_exact(size).map(<[u8]>::to_vec).collect();
    records.sort_by_key(|record| u32::from_le_bytes([record[0], record[1], record[2], record[3]]));
    for (place, record) in table.chunks_exact_mut(size).zip(&records) {
        place.copy_from_slice(record);
    }
}

/// Appends a section that no atom is in.
fn append_section(image: &mut Image, name: &str, contents: &[u8]) {
    let offset = image.bytes.len().next_multiple_of(FILE_ALIGN as usize);
    image.bytes.resize(offset, 0);
    image.bytes.extend_from_slice(contents);
    let end = image.segments.last().map_or(BASE, |segment| segment.address + segment.size);
    let (address, size) = (end.next_multiple_of(SECTION_ALIGN), contents.len() as u64);
    let offset = offset as u64;
    image.sections.push(crate::image::Section {
        name: name.to_owned(),
        kind: Kind::ReadOnly,
        address,
        size,
        offset,
        file_size: size,
        align: 4,
        atoms: vec![],
    });
    image.segments.push(Segment {
        name: name.to_owned(),
        access: Access::Read,
        address,
        size,
        offset,
        file_size: size,
        sections: image.sections.len() - 1..image.sections.len(),
    });
}
