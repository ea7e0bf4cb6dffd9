//! Mach-O executables and dynamic libraries: position-independent, bound to libSystem, signed ad hoc.
//!
//! Fixups are written as dyld's opcodes, not as chains: every macOS that runs the image
//! understands them, and pointers may stand at any alignment.
//!
//! Sources: Apple `mach-o/loader.h`, `mach-o/nlist.h`; dyld `MachOAnalyzer.cpp` for what it
//! refuses.

mod dyld_info;
mod exports;
mod libsystem;
mod load_commands;
mod signature;
pub mod universal;

pub(crate) use libsystem::{PATH as LIBSYSTEM, symbol as libsystem_symbol};

use crate::Fixup;
use crate::image::{Access, Image};
use crate::link::layout::{self, Plan, SectionPlan, SegmentPlan};
use crate::link::program::{Definition, Kind, Program, Relocation, SymbolId};
use crate::link::{Input, LinkError};
use kiln_abi::symbol::MAPPED_SECTION;
use load_commands::{Contents, LoadCommands, Part};
use object::write::macho::{Encoder, Nlist};
use object::{LittleEndian, macho};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Where dyld starts the program, by `LC_MAIN`.
pub(crate) const ENTRY: &str = "_main";
/// Sections' names have no leading dot here.
const POLICY_SECTION: &str = "__kpolicy";
/// Segment of memories' contents. It stands by itself, so that no variable shares its pages.
const MEMORY_SEGMENT: &str = "__KMEMORY";
/// Segment and section of embedded files.
const EMBED_SEGMENT: &str = "__KEMBED";
const EMBED_SECTION: &str = "__kembed";

/// The first 4 GiB are left out, so that truncated pointers fault.
const BASE: u64 = 0x1_0000_0000;

/// Writes the executable of a program whose pointers are made.
pub(crate) fn write(
    program: &mut Program<'_>,
    entry: SymbolId,
    exports: &[(&str, SymbolId)],
    input: &Input<'_>,
) -> Result<Vec<u8>, LinkError> {
    let page_size = program.target.page_size;
    let kind = match input.library {
        Some(library) => Output::Library(format!("@rpath/{}", library.file_name)),
        None => Output::Executable { entry },
    };
    let mut image = layout::arrange(program, plan(page_size, &kind))?;
    check_pointers(program, &image)?;
    image.fill(program)?;
    let mut bytes = std::mem::take(&mut image.bytes);
    bytes.resize(bytes.len().next_multiple_of(page_size as usize), 0);
    let linkedit = bytes.len() as u64;

    let mut append = |contents: Vec<u8>, align: usize| {
        bytes.resize(bytes.len().next_multiple_of(align), 0);
        let part = Part { offset: bytes.len() as u32, size: contents.len() as u32 };
        bytes.extend_from_slice(&contents);
        part
    };
    let binds = image.bound_pointers(program);
    let imports: BTreeSet<&[u8]> =
        binds.iter().filter_map(|bind| import_name(program, bind.1)).collect();
    let rebase = append(dyld_info::rebase(&image, &image.moving_pointers(program)), 8);
    let bind = append(dyld_info::bind(&image, program, &binds), 8);
    let exported: Vec<Exported<'_>> = exports
        .iter()
        .map(|&(name, symbol)| {
            let section = program.defining_atom(symbol).map(|atom| program.atom(atom).section);
            let section = section.map_or(0, |section| section as u8 + 1);
            Ok(Exported { name, address: program.address(symbol)?, section })
        })
        .collect::<Result<_, LinkError>>()?;
    let addresses: Vec<(&str, u64)> =
        exported.iter().map(|export| (export.name, export.address - image.base)).collect();
    let exports = if exported.is_empty() { vec![] } else { exports::trie(&addresses) };
    let exports = append(exports, 8);
    let (symbols, strings) = symbol_table(&exported, &imports);
    let symbols = append(symbols, 8);
    let strings = append(strings, 8);
    bytes.resize(bytes.len().next_multiple_of(signature::ALIGN), 0);

    let signature_offset = bytes.len();
    let signature_size = signature::size(signature_offset, input.identifier);
    if u32::try_from(signature_offset + signature_size).is_err() {
        return Err(LinkError::TooLarge("a Mach-O file holds 4 GiB".to_owned()));
    }
    let signature = Part { offset: signature_offset as u32, size: signature_size as u32 };
    let contents = Contents {
        kind: match &kind {
            Output::Executable { entry } => {
                load_commands::Kind::Executable { entry: program.address(*entry)? - image.base }
            }
            Output::Library(name) => load_commands::Kind::Library { name },
        },
        linkedit,
        rebase,
        bind,
        symbols,
        export_count: exported.len() as u32,
        import_count: imports.len() as u32,
        exports,
        strings,
        signature,
    };
    let LoadCommands { bytes: commands, uuid_offset } =
        load_commands::write(program.target, &image, &contents);
    bytes[..commands.len()].copy_from_slice(&commands);
    let mut hashes = signature::hash_pages(&bytes);
    let uuid = content_uuid(&hashes.concat());
    bytes[uuid_offset..uuid_offset + uuid.len()].copy_from_slice(&uuid);
    // Only the headers' pages have changed since.
    let headers = commands.len().next_multiple_of(signature::PAGE).min(bytes.len());
    let changed = signature::hash_pages(&bytes[..headers]);
    hashes[..changed.len()].copy_from_slice(&changed);
    let text = image.segments[0].file_size.next_multiple_of(page_size);
    signature::append(&mut bytes, &hashes, input.identifier, text);
    Ok(bytes)
}

/// What is written.
enum Output {
    Executable {
        entry: SymbolId,
    },
    /// By the name that programs look for it by.
    Library(String),
}

/// A symbol that a library exports, and the number of its section.
struct Exported<'e> {
    name: &'e str,
    address: u64,
    section: u8,
}

fn plan(page_size: u64, kind: &Output) -> Plan {
    let segment = |name: &str, access, sections: &[(&str, &[Kind])]| SegmentPlan {
        name: name.to_owned(),
        access,
        address: None,
        sections: sections.iter().map(|&(name, kinds)| SectionPlan::new(name, kinds)).collect(),
    };
    Plan {
        base: if matches!(kind, Output::Executable { .. }) { BASE } else { 0 },
        header_size: load_commands::size,
        more_headers: match kind {
            Output::Executable { .. } => load_commands::EXECUTABLE_SIZE,
            Output::Library(name) => load_commands::library_size(name),
        },
        file_align: page_size,
        segments: vec![
            segment(
                "__TEXT",
                Access::ReadExecute,
                &[
                    ("__text", &[Kind::Code, Kind::Stub]),
                    ("__const", &[Kind::ReadOnly]),
                    (POLICY_SECTION, &[Kind::Manifest]),
                ],
            ),
            // Variables that dyld makes constant once it has written their addresses.
            segment(
                load_commands::DATA_CONST,
                Access::ReadWrite,
                &[("__got", &[Kind::Slot]), ("__const", &[Kind::Pointers])],
            ),
            segment(
                "__DATA",
                Access::ReadWrite,
                &[("__data", &[Kind::Data]), ("__bss", &[Kind::Zero])],
            ),
            segment(MEMORY_SEGMENT, Access::ReadWrite, &[(MAPPED_SECTION, &[Kind::Mapped])]),
            segment(EMBED_SEGMENT, Access::Read, &[(EMBED_SECTION, &[Kind::Embedded])]),
        ],
    }
}

/// Name in libSystem of what `symbol` is bound to.
fn import_name<'a>(program: &Program<'a>, symbol: SymbolId) -> Option<&'a [u8]> {
    match program.definition(symbol) {
        Definition::Import { name, .. } => name.as_name(),
        _ => None,
    }
}

/// The symbol table and its strings, for the eyes of tools: what the image exports, then what it
/// imports.
fn symbol_table(exports: &[Exported<'_>], imports: &BTreeSet<&[u8]>) -> (Vec<u8>, Vec<u8>) {
    let encoder = Encoder::new(LittleEndian, true);
    // Offset 0 stands for no name; by custom a space is there.
    let (mut symbols, mut strings) = (Vec::new(), b" \0".to_vec());
    let exports = exports
        .iter()
        .map(|export| (export.name.as_bytes(), macho::N_SECT, export.section, 0, export.address));
    // The high byte of a description counts libraries from 1.
    let imports = imports.iter().map(|&name| (name, macho::N_UNDF, 0, 1 << 8, 0));
    for (name, kind, section, description, address) in exports.chain(imports) {
        encoder.nlist(
            &mut symbols,
            &Nlist {
                n_strx: strings.len() as u32,
                n_type: macho::SymbolFlags(kind.0 | macho::N_EXT.0),
                n_sect: section,
                n_desc: macho::SymbolDesc(description),
                n_value: address,
            },
        );
        strings.extend_from_slice(name);
        strings.push(0);
    }
    (symbols, strings)
}

/// A UUID that tells images apart whose pages have other hashes: RFC 4122, version 3's layout.
fn content_uuid(hashes: &[u8]) -> [u8; 16] {
    let digest = Sha256::digest(hashes);
    let mut uuid: [u8; 16] = digest[..16].try_into().expect("a digest has 32 bytes");
    uuid[6] = uuid[6] & 0x0f | 0x30;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

/// Refuses addresses where dyld cannot write: in code.
fn check_pointers(program: &Program<'_>, image: &Image) -> Result<(), LinkError> {
    let fixed = image.segments.iter().filter(|segment| segment.access != Access::ReadWrite);
    let sections = fixed.flat_map(|segment| &image.sections[segment.sections.clone()]);
    for atom in sections.flat_map(|section| &section.atoms).map(|&id| program.atom(id)) {
        let absolute = |relocation: &Relocation| {
            relocation.fixup == Fixup::Absolute64 && relocation.subtrahend.is_none()
        };
        if atom.relocations.iter().any(absolute) {
            let what = "an absolute address in code".to_owned();
            return Err(LinkError::Unsupported { object: program.object_name(atom), what });
        }
    }
    Ok(())
}

/// Number by which dyld knows the segment that holds `address`, and the offset in it.
fn locate(image: &Image, address: u64) -> (u8, u64) {
    let holds = |start: u64, size: u64| (start..start + size).contains(&address);
    let found = image.segments.iter().position(|segment| holds(segment.address, segment.size));
    let index = found.expect("a pointer lies in a segment");
    // `__PAGEZERO` is number 0 where there is one.
    (index as u8 + u8::from(image.base != 0), address - image.segments[index].address)
}
