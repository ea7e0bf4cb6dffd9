//! ELF executables: static, at a fixed address, without interpreter.
//!
//! The image lies above every address that a linear memory can have, so that memories keep the
//! low addresses that instructions hold most cheaply. Segments follow each other in the file
//! without gaps: the page in which two meet is mapped twice.
//!
//! Sources: System V gABI, chapters 4 and 5; Linux `fs/binfmt_elf.c`.

use crate::image::{Access, Image, Segment};
use crate::link::LinkError;
use crate::link::layout::{self, Plan, SectionPlan, SegmentPlan};
use crate::link::program::{Kind, Program, SymbolId};
use crate::{Arch, Target};
use kiln_abi::symbol::{EMBED_SECTION, PLACED_SECTION_PREFIX, POLICY_SECTION};
use object::write::elf::{Encoder, FileHeader, FileHeaderLayout, ProgramHeader, SectionHeader};
use object::{LittleEndian, elf};
use std::mem::size_of;

pub(crate) mod shared;

/// Where the kernel starts the program.
pub(crate) const ENTRY: &str = "_start";

/// Writes the executable of a program whose pointers are made.
pub(crate) fn write(program: &mut Program<'_>, entry: SymbolId) -> Result<Vec<u8>, LinkError> {
    let plan = plan(program);
    let mut image = layout::arrange(program, plan)?;
    image.fill(program)?;
    let entry = program.address(entry)?;
    let segments = program_headers(&image, program.target);
    finish(program.target, elf::ET_EXEC, entry, &mut image, &segments)
}

/// Puts the section and program headers and the file header around a filled image.
fn finish(
    target: &Target,
    ty: elf::FileType,
    entry: u64,
    image: &mut Image,
    segments: &[ProgramHeader],
) -> Result<Vec<u8>, LinkError> {
    let mut bytes = std::mem::take(&mut image.bytes);
    let (names, mut headers) = section_headers(image);
    headers.push(SectionHeader {
        sh_name: names.len() as u32 - ".shstrtab\0".len() as u32,
        sh_type: elf::SHT_STRTAB,
        sh_offset: bytes.len() as u64,
        sh_size: names.len() as u64,
        sh_addralign: 1,
        ..SectionHeader::default()
    });
    bytes.extend_from_slice(&names);
    bytes.resize(bytes.len().next_multiple_of(8), 0);

    let machine = machine(target);
    let encoder = Encoder::new(LittleEndian, true, machine);
    let header =
        FileHeader { e_type: ty, e_machine: machine, e_entry: entry, ..FileHeader::default() };
    let layout = FileHeaderLayout {
        e_phoff: encoder.file_header_size(),
        segment_num: segments.len() as u32,
        e_shoff: bytes.len() as u64,
        section_num: headers.len() as u32 + 1,
        shstrtab_index: headers.len() as u32,
    };
    let too_large = |error: object::write::Error| LinkError::TooLarge(error.to_string());
    let mut front = Vec::new();
    encoder.file_header(&mut front, &header, &layout).map_err(too_large)?;
    segments.iter().for_each(|segment| encoder.program_header(&mut front, segment));
    bytes[..front.len()].copy_from_slice(&front);
    encoder.null_section_header(&mut bytes, &layout);
    headers.iter().for_each(|section| encoder.section_header(&mut bytes, section));
    Ok(bytes)
}

const fn machine(target: &Target) -> elf::Machine {
    match target.arch {
        Arch::Amd64 => elf::EM_X86_64,
        Arch::Arm64 => elf::EM_AARCH64,
    }
}

/// Above memory 0 with its guard region, and inside the smallest address space that Linux gives
/// programs on the architecture: 2^47 bytes on amd64, 2^39 on arm64.
const fn base(target: &Target) -> u64 {
    match target.arch {
        Arch::Amd64 => 0x4_0000_0000,
        Arch::Arm64 => 0x8_0000_0000,
    }
}

fn header_size(segments: usize, _: usize) -> u64 {
    let header = size_of::<elf::FileHeader64<LittleEndian>>();
    // One more says that the stack is not executable.
    let segments = (segments + 1) * size_of::<elf::ProgramHeader64<LittleEndian>>();
    (header + segments) as u64
}

/// A segment whose sections hold those kinds of atoms.
fn segment(name: &str, access: Access, sections: &[(&str, &[Kind])]) -> SegmentPlan {
    SegmentPlan {
        name: name.to_owned(),
        access,
        address: None,
        sections: sections.iter().map(|&(name, kinds)| SectionPlan::new(name, kinds)).collect(),
    }
}

fn plan(program: &Program<'_>) -> Plan {
    // Nothing moves the image, so that constants with addresses in them are constants too.
    let constants = [Kind::ReadOnly, Kind::Pointers, Kind::Slot];
    let mut segments = vec![
        segment(
            "constants",
            Access::Read,
            &[(POLICY_SECTION, &[Kind::Manifest]), (".rodata", &constants)],
        ),
        segment("code", Access::ReadExecute, &[(".text", &[Kind::Code])]),
        segment(
            "variables",
            Access::ReadWrite,
            &[(".data", &[Kind::Data]), (".bss", &[Kind::Zero])],
        ),
        segment("embedded files", Access::Read, &[(EMBED_SECTION, &[Kind::Embedded])]),
    ];
    let mut placed: Vec<u64> = program
        .atoms
        .iter()
        .filter(|atom| atom.live)
        .filter_map(|atom| match atom.kind {
            Kind::Placed(address) => Some(address),
            _ => None,
        })
        .collect();
    placed.sort_unstable();
    placed.dedup();
    segments.extend(placed.into_iter().map(|address| {
        let name = format!("{PLACED_SECTION_PREFIX}{address:016x}");
        let section = (&*name, &[Kind::Placed(address)][..]);
        let access = Access::ReadWrite;
        SegmentPlan { address: Some(address), ..segment(&name, access, &[section]) }
    }));
    Plan { base: base(program.target), header_size, more_headers: 0, file_align: 1, segments }
}

fn program_headers(image: &Image, target: &Target) -> Vec<ProgramHeader> {
    // System V gABI 5, "Program Header": loadable segments stand in ascending order of address.
    let mut segments: Vec<&Segment> = image.segments.iter().collect();
    segments.sort_by_key(|segment| segment.address);
    let mut headers: Vec<ProgramHeader> = segments
        .into_iter()
        .map(|segment| ProgramHeader {
            p_type: elf::PT_LOAD,
            p_flags: match segment.access {
                Access::Read => elf::PF_R,
                Access::ReadExecute => elf::PF_R | elf::PF_X,
                Access::ReadWrite => elf::PF_R | elf::PF_W,
            },
            p_offset: segment.offset,
            p_vaddr: segment.address,
            p_paddr: segment.address,
            p_filesz: segment.file_size,
            p_memsz: segment.size,
            p_align: target.page_size,
        })
        .collect();
    headers.push(ProgramHeader {
        p_type: elf::PT_GNU_STACK,
        p_flags: elf::PF_R | elf::PF_W,
        p_offset: 0,
        p_vaddr: 0,
        p_paddr: 0,
        p_filesz: 0,
        p_memsz: 0,
        p_align: 16,
    });
    headers
}

/// The section name table, which ends with its own name, and the headers that refer to it.
fn section_headers(image: &Image) -> (Vec<u8>, Vec<SectionHeader>) {
    let mut names = vec![0];
    let mut headers = Vec::new();
    for segment in &image.segments {
        for section in &image.sections[segment.sections.clone()] {
            let access = match segment.access {
                Access::Read => elf::SectionFlags(0),
                Access::ReadExecute => elf::SHF_EXECINSTR,
                Access::ReadWrite => elf::SHF_WRITE,
            };
            let (sh_type, links) = match section.kind {
                Kind::Zero => (elf::SHT_NOBITS, SectionHeader::default()),
                Kind::Dynamic(table) => shared::section(image, table),
                _ => (elf::SHT_PROGBITS, SectionHeader::default()),
            };
            headers.push(SectionHeader {
                sh_name: names.len() as u32,
                sh_type,
                sh_flags: elf::SHF_ALLOC | access,
                sh_addr: section.address,
                sh_offset: section.offset,
                sh_size: section.size,
                sh_addralign: section.align,
                ..links
            });
            names.extend_from_slice(section.name.as_bytes());
            names.push(0);
        }
    }
    names.extend_from_slice(b".shstrtab\0");
    (names, headers)
}
