//! The header and load commands of a Mach-O executable or dynamic library.
//!
//! Source: Apple `mach-o/loader.h`.

use crate::image::{Access, Image, Section, Segment};
use crate::link::program;
use crate::{Arch, Target};
use object::write::macho::{
    BuildVersionCommand, DyldInfoCommand, DylibCommand, DysymtabCommand, Encoder, MachHeader,
    SectionHeader, SegmentCommand, SymtabCommand,
};
use object::{LittleEndian, macho};

/// Segment that dyld makes read-only once its fixups are applied.
pub(super) const DATA_CONST: &str = "__DATA_CONST";

const DYLINKER: &[u8] = b"/usr/lib/dyld\0";

/// The oldest macOS that runs on both architectures.
const MINIMUM_OS: (u16, u8, u8) = (11, 0, 0);
/// What the image is written for; decides which behaviours of old the system keeps up for it.
const SDK: (u16, u8, u8) = (14, 0, 0);

/// Commands besides those of the segments that have sections, and those of [`Kind`].
const COMMANDS: u32 = 9;

/// What is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'k> {
    /// With the offset of the entry point in the file.
    Executable { entry: u64 },
    /// With the name by which programs look for it.
    Library { name: &'k str },
}

/// Bytes of the commands that executables alone have: `__PAGEZERO`, `LC_LOAD_DYLINKER`, `LC_MAIN`.
pub(super) const EXECUTABLE_SIZE: u64 = 72 + 32 + 24;

/// Bytes of the command that libraries alone have, `LC_ID_DYLIB`.
pub(super) fn library_size(name: &str) -> u64 {
    encoder().dylib_command_size(name.len())
}

/// A part of `__LINKEDIT`: offset in the file and bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) offset: u32,
    pub(super) size: u32,
}

/// What the load commands tell of.
pub(super) struct Contents<'c> {
    pub(super) kind: Kind<'c>,
    /// Offset of `__LINKEDIT`, which ends with the signature and the file.
    pub(super) linkedit: u64,
    pub(super) rebase: Part,
    pub(super) bind: Part,
    pub(super) symbols: Part,
    pub(super) exports: Part,
    /// The exported symbols come first.
    pub(super) export_count: u32,
    pub(super) import_count: u32,
    pub(super) strings: Part,
    pub(super) signature: Part,
}

/// Header and load commands; the UUID is still zero.
pub(super) struct LoadCommands {
    pub(super) bytes: Vec<u8>,
    pub(super) uuid_offset: usize,
}

fn encoder() -> Encoder<LittleEndian> {
    Encoder::new(LittleEndian, true)
}

/// Bytes of header and load commands, but for those of [`Kind`].
pub(super) fn size(segments: usize, sections: usize) -> u64 {
    let encoder = encoder();
    // `__LINKEDIT` has no sections.
    let segments = (segments as u64 + 1) * encoder.segment_command_size(0)
        + sections as u64 * encoder.section_header_size();
    let build_version = encoder.build_version_command_size(0);
    encoder.mach_header_size()
        + segments
        + encoder.dyld_info_command_size()
        + encoder.symtab_command_size()
        + encoder.dysymtab_command_size()
        + encoder.load_command_size(16)
        + build_version
        + encoder.load_command_size(8)
        + encoder.dylib_command_size(super::LIBSYSTEM.len())
        + encoder.linkedit_data_command_size()
}

/// The contents of `LC_LOAD_DYLINKER`: the offset of the path in the command, and the path.
fn dylinker() -> Vec<u8> {
    let mut contents = 12u32.to_le_bytes().to_vec();
    contents.extend_from_slice(DYLINKER);
    contents.resize(contents.len().next_multiple_of(8), 0);
    contents
}

/// Writes header and load commands of `image`.
pub(super) fn write(target: &Target, image: &Image, contents: &Contents<'_>) -> LoadCommands {
    let encoder = encoder();
    let count: usize = image.sections.len();
    let own = match contents.kind {
        Kind::Executable { .. } => EXECUTABLE_SIZE,
        Kind::Library { name } => library_size(name),
    };
    let total = (size(image.segments.len(), count) + own) as usize;
    let mut out = Vec::with_capacity(total);
    let header = header(target, image.segments.len() as u32, total, contents.kind);
    encoder.mach_header(&mut out, &header);
    write_segments(&mut out, target, image, contents);
    encoder.dyld_info_command(
        &mut out,
        macho::LC_DYLD_INFO_ONLY,
        &DyldInfoCommand {
            rebase_off: contents.rebase.offset,
            rebase_size: contents.rebase.size,
            bind_off: contents.bind.offset,
            bind_size: contents.bind.size,
            weak_bind_off: 0,
            weak_bind_size: 0,
            lazy_bind_off: 0,
            lazy_bind_size: 0,
            export_off: if contents.exports.size == 0 { 0 } else { contents.exports.offset },
            export_size: contents.exports.size,
        },
    );
    write_symbol_tables(&mut out, contents);
    let version = |(major, minor, update)| macho::Version::new(major, minor, update);
    match contents.kind {
        Kind::Executable { .. } => {
            encoder.load_command(&mut out, macho::LC_LOAD_DYLINKER, &dylinker());
        }
        Kind::Library { name } => encoder.dylib_command(
            &mut out,
            &DylibCommand {
                cmd: macho::LC_ID_DYLIB,
                name: name.as_bytes(),
                timestamp: 1,
                current_version: version((1, 0, 0)),
                compatibility_version: version((1, 0, 0)),
            },
        ),
    }
    encoder.load_command(&mut out, macho::LC_UUID, &[0; 16]);
    let uuid_offset = out.len() - 16;
    encoder.build_version_command(
        &mut out,
        &BuildVersionCommand {
            platform: macho::PLATFORM_MACOS,
            minos: version(MINIMUM_OS),
            sdk: version(SDK),
            ntools: 0,
        },
    );
    encoder.load_command(&mut out, macho::LC_SOURCE_VERSION, &[0; 8]);
    if let Kind::Executable { entry } = contents.kind {
        // The stack's size follows; 0 stands for the system's default.
        let main = [entry.to_le_bytes(), [0; 8]].concat();
        encoder.load_command(&mut out, macho::LC_MAIN, &main);
    }
    encoder.dylib_command(
        &mut out,
        &DylibCommand {
            cmd: macho::LC_LOAD_DYLIB,
            name: super::LIBSYSTEM.as_bytes(),
            // By custom, so that images of one program are equal.
            timestamp: 2,
            current_version: version((1311, 0, 0)),
            compatibility_version: version((1, 0, 0)),
        },
    );
    let Part { offset, size } = contents.signature;
    encoder.linkedit_data_command(&mut out, macho::LC_CODE_SIGNATURE, offset, size);
    debug_assert_eq!(out.len(), total);
    LoadCommands { bytes: out, uuid_offset }
}

fn header(target: &Target, segments: u32, size: usize, kind: Kind<'_>) -> MachHeader {
    let (cputype, cpusubtype) = match target.arch {
        Arch::Amd64 => {
            let subtype = macho::CPU_SUBTYPE_X86_64_ALL.0 | macho::CPU_SUBTYPE_LIB64.0;
            (macho::CPU_TYPE_X86_64, subtype)
        }
        Arch::Arm64 => (macho::CPU_TYPE_ARM64, macho::CPU_SUBTYPE_ARM64_ALL.0),
    };
    let (filetype, own_flag, own_commands) = match kind {
        Kind::Executable { .. } => (macho::MH_EXECUTE, macho::MH_PIE, 3),
        Kind::Library { .. } => (macho::MH_DYLIB, macho::MH_NO_REEXPORTED_DYLIBS, 1),
    };
    let flags = macho::MH_NOUNDEFS.0 | macho::MH_DYLDLINK.0 | macho::MH_TWOLEVEL.0 | own_flag.0;
    MachHeader {
        cputype,
        cpusubtype: macho::CpuSubtype(cpusubtype),
        filetype,
        ncmds: segments + COMMANDS + own_commands,
        sizeofcmds: (size as u64 - encoder().mach_header_size()) as u32,
        flags: macho::FileFlags(flags),
    }
}

fn write_segments(out: &mut Vec<u8>, target: &Target, image: &Image, contents: &Contents<'_>) {
    let encoder = encoder();
    let zero = SegmentCommand {
        segname: name("__PAGEZERO"),
        vmaddr: 0,
        vmsize: image.base,
        fileoff: 0,
        filesize: 0,
        maxprot: macho::VmProt(0),
        initprot: macho::VmProt(0),
        nsects: 0,
        flags: macho::SegmentFlags(0),
    };
    if matches!(contents.kind, Kind::Executable { .. }) {
        encoder.segment_command(out, &zero);
    }
    let pages = |size: u64| size.next_multiple_of(target.page_size);
    let mut end = image.base;
    for segment in &image.segments {
        let protection = match segment.access {
            Access::Read => macho::VM_PROT_READ.0,
            Access::ReadExecute => macho::VM_PROT_READ.0 | macho::VM_PROT_EXECUTE.0,
            Access::ReadWrite => macho::VM_PROT_READ.0 | macho::VM_PROT_WRITE.0,
        };
        let read_only = match &*segment.name {
            DATA_CONST => macho::SG_READ_ONLY,
            _ => macho::SegmentFlags(0),
        };
        let command = SegmentCommand {
            segname: name(&segment.name),
            vmaddr: segment.address,
            vmsize: pages(segment.size),
            fileoff: segment.offset,
            filesize: pages(segment.file_size),
            maxprot: macho::VmProt(protection),
            initprot: macho::VmProt(protection),
            nsects: segment.sections.len() as u32,
            flags: read_only,
        };
        end = segment.address + command.vmsize;
        encoder.segment_command(out, &command);
        for section in &image.sections[segment.sections.clone()] {
            encoder.section_header(out, &section_header(segment, section));
        }
    }
    let signature = contents.signature;
    let size = u64::from(signature.offset) + u64::from(signature.size) - contents.linkedit;
    let linkedit = SegmentCommand {
        segname: name("__LINKEDIT"),
        vmaddr: end,
        vmsize: pages(size),
        fileoff: contents.linkedit,
        filesize: size,
        maxprot: macho::VM_PROT_READ,
        initprot: macho::VM_PROT_READ,
        ..zero
    };
    encoder.segment_command(out, &linkedit);
}

fn section_header(segment: &Segment, section: &Section) -> SectionHeader {
    let flags = match section.kind {
        program::Kind::Code | program::Kind::Stub => {
            macho::S_ATTR_PURE_INSTRUCTIONS.0 | macho::S_ATTR_SOME_INSTRUCTIONS.0
        }
        program::Kind::Zero => u32::from(macho::S_ZEROFILL.0),
        _ => 0,
    };
    SectionHeader {
        sectname: name(&section.name),
        segname: name(&segment.name),
        addr: section.address,
        size: section.size,
        // What has no bytes in the file has no place there either.
        offset: if section.file_size == 0 { 0 } else { section.offset as u32 },
        align: section.align.trailing_zeros(),
        reloff: 0,
        nreloc: 0,
        flags: macho::SectionFlags(flags),
        reserved1: 0,
        reserved2: 0,
        reserved3: 0,
    }
}

fn write_symbol_tables(out: &mut Vec<u8>, contents: &Contents<'_>) {
    let encoder = encoder();
    encoder.symtab_command(
        out,
        &SymtabCommand {
            symoff: contents.symbols.offset,
            nsyms: contents.export_count + contents.import_count,
            stroff: contents.strings.offset,
            strsize: contents.strings.size,
        },
    );
    encoder.dysymtab_command(
        out,
        &DysymtabCommand {
            nextdefsym: contents.export_count,
            iundefsym: contents.export_count,
            nundefsym: contents.import_count,
            ..DysymtabCommand::default()
        },
    );
}

/// A name in the 16 bytes that the format has for it.
fn name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}
