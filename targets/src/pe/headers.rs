//! The headers of a PE executable: PE Format, "Optional Header (Image Only)" and "Section Table".

use super::{BASE, FILE_ALIGN, SECTION_ALIGN};
use crate::image::{Access, Image, Segment};
use crate::{Arch, Target};
use object::pod::{bytes_of, bytes_of_slice};
use object::{LittleEndian as LE, U16, U32, U64, pe};
use std::mem::{offset_of, size_of};

/// Windows 7 and later: the first that knows every function the runtime imports by these names
/// is later still, but older versions in this field only make loaders refuse more.
const OS_VERSION: (u16, u16) = (6, 1);
/// First version for arm64: Windows 8.
const OS_VERSION_ARM64: (u16, u16) = (6, 2);

const HEAP_RESERVE: u64 = 1 << 20;
const PAGE: u64 = 0x1000;

/// Offset of the checksum in the file.
const CHECKSUM: usize = size_of::<pe::ImageDosHeader>()
    + offset_of!(pe::ImageNtHeaders64, optional_header)
    + offset_of!(pe::ImageOptionalHeader64, check_sum);

/// A table that the loader reads: its address and bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Directory {
    pub(super) start: u64,
    pub(super) size: u64,
}

/// The tables that the optional header points to.
#[derive(Debug)]
pub(super) struct Directories {
    pub(super) exports: Directory,
    pub(super) imports: Directory,
    pub(super) exceptions: Directory,
    pub(super) base_relocations: Directory,
    pub(super) resources: Directory,
    pub(super) import_addresses: Directory,
}

/// Bytes of the headers for so many sections, and one for base relocations besides.
pub(super) fn size(_: usize, sections: usize) -> u64 {
    let headers = size_of::<pe::ImageDosHeader>()
        + size_of::<pe::ImageNtHeaders64>()
        + pe::IMAGE_NUMBEROF_DIRECTORY_ENTRIES * size_of::<pe::ImageDataDirectory>()
        + (sections + 1) * size_of::<pe::ImageSectionHeader>();
    (headers as u64).next_multiple_of(FILE_ALIGN)
}

/// Writes all headers of `image`, an executable that starts at `entry` or else a DLL; the checksum is still zero.
pub(super) fn write(
    target: &Target,
    image: &Image,
    entry: Option<u64>,
    stack_size: u64,
    directories: &Directories,
) -> Vec<u8> {
    let sections = &image.segments[1..];
    let mut out = Vec::new();
    out.extend_from_slice(bytes_of(&dos_header()));
    out.extend_from_slice(bytes_of(&pe::ImageNtHeaders64 {
        signature: U32::new(LE, pe::IMAGE_NT_SIGNATURE),
        file_header: file_header(target, sections.len(), entry.is_none()),
        optional_header: optional_header(target, image, entry, stack_size),
    }));
    let mut table = [Directory::default(); pe::IMAGE_NUMBEROF_DIRECTORY_ENTRIES];
    table[pe::IMAGE_DIRECTORY_ENTRY_EXPORT] = directories.exports;
    table[pe::IMAGE_DIRECTORY_ENTRY_IMPORT] = directories.imports;
    table[pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION] = directories.exceptions;
    table[pe::IMAGE_DIRECTORY_ENTRY_BASERELOC] = directories.base_relocations;
    table[pe::IMAGE_DIRECTORY_ENTRY_RESOURCE] = directories.resources;
    table[pe::IMAGE_DIRECTORY_ENTRY_IAT] = directories.import_addresses;
    let table = table.map(|directory| pe::ImageDataDirectory {
        virtual_address: U32::new(LE, directory.start.saturating_sub(BASE) as u32),
        size: U32::new(LE, directory.size as u32),
    });
    out.extend_from_slice(bytes_of_slice(&table));
    for section in sections {
        out.extend_from_slice(bytes_of(&section_header(section)));
    }
    out
}

/// All that is left of MS-DOS: the letters, and where the headers are that count.
fn dos_header() -> pe::ImageDosHeader {
    let zero = U16::new(LE, 0);
    pe::ImageDosHeader {
        e_magic: U16::new(LE, pe::IMAGE_DOS_SIGNATURE),
        e_cblp: zero,
        e_cp: zero,
        e_crlc: zero,
        e_cparhdr: zero,
        e_minalloc: zero,
        e_maxalloc: zero,
        e_ss: zero,
        e_sp: zero,
        e_csum: zero,
        e_ip: zero,
        e_cs: zero,
        e_lfarlc: zero,
        e_ovno: zero,
        e_res: [zero; 4],
        e_oemid: zero,
        e_oeminfo: zero,
        e_res2: [zero; 10],
        e_lfanew: U32::new(LE, size_of::<pe::ImageDosHeader>() as u32),
    }
}

fn file_header(target: &Target, sections: usize, is_dll: bool) -> pe::ImageFileHeader {
    let machine = match target.arch {
        Arch::Amd64 => pe::IMAGE_FILE_MACHINE_AMD64,
        Arch::Arm64 => pe::IMAGE_FILE_MACHINE_ARM64,
    };
    let optional = size_of::<pe::ImageOptionalHeader64>()
        + pe::IMAGE_NUMBEROF_DIRECTORY_ENTRIES * size_of::<pe::ImageDataDirectory>();
    let dll = if is_dll { pe::IMAGE_FILE_DLL.0 } else { 0 };
    let flags = pe::IMAGE_FILE_EXECUTABLE_IMAGE.0 | pe::IMAGE_FILE_LARGE_ADDRESS_AWARE.0 | dll;
    pe::ImageFileHeader {
        machine: U16::new(LE, machine),
        number_of_sections: U16::new(LE, sections as u16),
        // No time: the same inputs give the same bytes.
        time_date_stamp: U32::new(LE, 0),
        pointer_to_symbol_table: U32::new(LE, 0),
        number_of_symbols: U32::new(LE, 0),
        size_of_optional_header: U16::new(LE, optional as u16),
        characteristics: U16::new(LE, pe::FileFlags(flags)),
    }
}

fn optional_header(
    target: &Target,
    image: &Image,
    entry: Option<u64>,
    stack_size: u64,
) -> pe::ImageOptionalHeader64 {
    let sections = &image.segments[1..];
    let of = |code: bool| {
        let chosen =
            sections.iter().filter(|section| (section.access == Access::ReadExecute) == code);
        U32::new(LE, chosen.map(|section| raw_size(section) as u32).sum())
    };
    let code = sections.iter().find(|section| section.access == Access::ReadExecute);
    let end = sections.last().map_or(BASE, |section| section.address + section.size);
    let (major, minor) = match target.arch {
        Arch::Amd64 => OS_VERSION,
        Arch::Arm64 => OS_VERSION_ARM64,
    };
    let flags = pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA.0
        | pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE.0
        | pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT.0
        | pe::IMAGE_DLLCHARACTERISTICS_TERMINAL_SERVER_AWARE.0;
    pe::ImageOptionalHeader64 {
        magic: U16::new(LE, pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC),
        major_linker_version: 14,
        minor_linker_version: 0,
        size_of_code: of(true),
        size_of_initialized_data: of(false),
        size_of_uninitialized_data: U32::new(LE, 0),
        address_of_entry_point: U32::new(LE, entry.map_or(0, |entry| (entry - BASE) as u32)),
        base_of_code: U32::new(LE, code.map_or(0, |section| (section.address - BASE) as u32)),
        image_base: U64::new(LE, BASE),
        section_alignment: U32::new(LE, SECTION_ALIGN as u32),
        file_alignment: U32::new(LE, FILE_ALIGN as u32),
        major_operating_system_version: U16::new(LE, major),
        minor_operating_system_version: U16::new(LE, minor),
        major_image_version: U16::new(LE, 0),
        minor_image_version: U16::new(LE, 0),
        major_subsystem_version: U16::new(LE, major),
        minor_subsystem_version: U16::new(LE, minor),
        win32_version_value: U32::new(LE, 0),
        size_of_image: U32::new(LE, (end - BASE).next_multiple_of(SECTION_ALIGN) as u32),
        size_of_headers: U32::new(LE, image.segments[0].size as u32),
        check_sum: U32::new(LE, 0),
        subsystem: U16::new(LE, pe::IMAGE_SUBSYSTEM_WINDOWS_CUI),
        dll_characteristics: U16::new(LE, pe::DllFlags(flags)),
        size_of_stack_reserve: U64::new(LE, stack_size.next_multiple_of(PAGE)),
        size_of_stack_commit: U64::new(LE, PAGE),
        size_of_heap_reserve: U64::new(LE, HEAP_RESERVE),
        size_of_heap_commit: U64::new(LE, PAGE),
        loader_flags: U32::new(LE, 0),
        number_of_rva_and_sizes: U32::new(LE, pe::IMAGE_NUMBEROF_DIRECTORY_ENTRIES as u32),
    }
}

fn raw_size(section: &Segment) -> u64 {
    section.file_size.next_multiple_of(FILE_ALIGN)
}

fn section_header(section: &Segment) -> pe::ImageSectionHeader {
    let mut flags = pe::IMAGE_SCN_MEM_READ.0;
    flags |= match section.access {
        Access::Read => pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0,
        Access::ReadExecute => pe::IMAGE_SCN_CNT_CODE.0 | pe::IMAGE_SCN_MEM_EXECUTE.0,
        Access::ReadWrite => pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0 | pe::IMAGE_SCN_MEM_WRITE.0,
    };
    if section.name == ".reloc" {
        flags |= pe::IMAGE_SCN_MEM_DISCARDABLE.0;
    }
    let mut name = [0; pe::IMAGE_SIZEOF_SHORT_NAME];
    name[..section.name.len()].copy_from_slice(section.name.as_bytes());
    let empty = section.file_size == 0;
    let zero = U32::new(LE, 0);
    pe::ImageSectionHeader {
        name,
        virtual_size: U32::new(LE, section.size as u32),
        virtual_address: U32::new(LE, (section.address - BASE) as u32),
        size_of_raw_data: U32::new(LE, raw_size(section) as u32),
        pointer_to_raw_data: if empty { zero } else { U32::new(LE, section.offset as u32) },
        pointer_to_relocations: zero,
        pointer_to_linenumbers: zero,
        number_of_relocations: U16::new(LE, 0),
        number_of_linenumbers: U16::new(LE, 0),
        characteristics: U32::new(LE, pe::SectionFlags(flags)),
    }
}

/// Writes the checksum that `CheckSumMappedFile` of ImageHlp computes: the sum of all 16-bit
/// words but the checksum's own, carries added back in, plus the file's size.
pub(super) fn write_checksum(file: &mut [u8]) {
    // A carry is worth as much as a 1, so that larger words have the same sum.
    let words = file.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from(u32::from_le_bytes(word))
    });
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    let checksum = sum as u32 + file.len() as u32;
    file[CHECKSUM..CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
}
