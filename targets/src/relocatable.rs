//! Static libraries: all of a program as one object that any linker of the target takes.
//!
//! Code and constants without addresses become one section, so that what refers from one to the
//! other is settled here; what is left are references to variables, addresses in data, and symbols
//! of the system's libraries. Every other symbol but the exports is gone or local, so that nothing
//! in the program it is linked with can clash with it.
//!
//! Sources: as the formats' own modules.

use crate::arch::{self, Misfit};
use crate::archive;
use crate::image::{Access, Image};
use crate::link::LinkError;
use crate::link::layout::{self, Plan, SectionPlan, SegmentPlan};
use crate::link::program::{AtomId, Definition, Kind, Program, Relocation, SymbolId};
use crate::relocation;
use crate::{Arch, Fixup, ObjectFormat};
use object::write::{MachOBuildVersion, Object, Relocation as Written, SectionId, StandardSection};
use object::write::{Symbol, SymbolId as Place, SymbolSection};
use object::{Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope, macho};
use std::collections::HashMap;

/// The sections' names in the layout.
const CODE: &str = "code";
const POINTERS: &str = "pointers";
const DATA: &str = "data";
const ZERO: &str = "zero";
const UNWIND: &str = "unwind";

/// Code on arm64 finds its own constants by the 4 KiB pages of the address space.
const PAGE: u64 = 0x1000;

/// Writes the archive of a program whose pointers are made.
pub(crate) fn write(
    program: &mut Program<'_>,
    exports: &[(&str, SymbolId)],
) -> Result<Vec<u8>, LinkError> {
    let mut image = layout::arrange(program, plan())?;
    let left = separate(program, &image)?;
    image.fill(program)?;
    let mut writer = Writer::new(program, &image);
    writer.sections();
    for (name, symbol) in exports {
        writer.export(name, *symbol)?;
    }
    for (atom, relocation) in left {
        writer.relocate(atom, &relocation)?;
    }
    let object = writer.object.write();
    let object = object.map_err(|error| LinkError::TooLarge(error.to_string()))?;
    let names: Vec<&str> = exports.iter().map(|export| export.0).collect();
    archive::write(program.target.format, &object, &names)
}

fn plan() -> Plan {
    let segment = |name: &str, kinds: &[Kind]| SegmentPlan {
        name: name.to_owned(),
        access: Access::Read,
        address: None,
        sections: vec![SectionPlan::new(name, kinds)],
    };
    let segments = vec![
        segment(CODE, &[Kind::Code, Kind::Stub, Kind::ReadOnly, Kind::Manifest]),
        segment(POINTERS, &[Kind::Pointers, Kind::Slot]),
        segment(DATA, &[Kind::Data]),
        segment(ZERO, &[Kind::Zero]),
        segment(UNWIND, &[Kind::Unwind]),
    ];
    Plan { base: 0, header_size: |_, _| 0, more_headers: 0, file_align: PAGE, segments }
}

/// Takes the relocations that another linker has to settle from their atoms, and leaves instructions
/// as that one expects them.
fn separate(
    program: &mut Program<'_>,
    image: &Image,
) -> Result<Vec<(AtomId, Relocation)>, LinkError> {
    let mut left = Vec::new();
    for &id in image.sections.iter().flat_map(|section| &section.atoms) {
        let relocations = std::mem::take(&mut program.atom_mut(id).relocations);
        let (later, now): (Vec<_>, Vec<_>) =
            relocations.into_iter().partition(|relocation| is_later(program, id, relocation));
        program.atom_mut(id).relocations = now;
        for mut relocation in later {
            clear(program, id, &mut relocation)?;
            left.push((id, relocation));
        }
    }
    Ok(left)
}

/// Whether a relocation depends on where sections come to lie.
fn is_later(program: &Program<'_>, id: AtomId, relocation: &Relocation) -> bool {
    let section_of = |symbol| program.defining_atom(symbol).map(|atom| program.atom(atom).section);
    match (program.definition(relocation.symbol), relocation.subtrahend) {
        (Definition::Import { .. }, _) => true,
        (Definition::Atom { .. }, Some(subtrahend)) => {
            section_of(relocation.symbol) != section_of(subtrahend)
        }
        (Definition::Atom { .. }, None) => {
            let is_address = matches!(
                relocation.fixup,
                Fixup::Absolute64
                    | Fixup::Absolute32
                    | Fixup::Absolute32Signed
                    | Fixup::ImageRelative32
            );
            is_address || section_of(relocation.symbol) != Some(program.atom(id).section)
        }
        _ => false,
    }
}

/// Makes the instruction what it is without a pointer, with nothing in its field.
fn clear(
    program: &mut Program<'_>,
    id: AtomId,
    relocation: &mut Relocation,
) -> Result<(), LinkError> {
    let offset = relocation.offset as usize;
    let place = program.atom(id).address + u64::from(relocation.offset);
    let nothing = match relocation.fixup {
        Fixup::Absolute64
        | Fixup::Absolute32
        | Fixup::Absolute32Signed
        | Fixup::ImageRelative32
        | Fixup::PageOffset12Add
        | Fixup::PageOffset12Load
        | Fixup::GotPageOffset12 => 0,
        _ => place,
    };
    let symbol = program.name(relocation.symbol);
    let object = program.object_name(program.atom(id));
    let atom = program.atom_mut(id);
    // A piece without bytes holds no relocations.
    let applied = match relocation.subtrahend {
        None => arch::apply(relocation.fixup, atom.data.to_mut(), offset, place, nothing),
        Some(_) => Err(Misfit::OutOfRange),
    };
    applied.map_err(|_| LinkError::OutOfRange { symbol, object, fixup: relocation.fixup })?;
    relocation.fixup = match relocation.fixup {
        Fixup::GotLoad32 => Fixup::Relative32,
        Fixup::GotPage21 => Fixup::Page21,
        Fixup::GotPageOffset12 => Fixup::PageOffset12Add,
        other => other,
    };
    Ok(())
}

struct Writer<'w, 'a> {
    program: &'w Program<'a>,
    image: &'w Image,
    object: Object<'static>,
    /// For each section of the image, the object's.
    sections: Vec<SectionId>,
    /// Symbols by which relocations refer to places: section and offset.
    places: HashMap<(u32, u64), Place>,
    /// Symbols of the system's libraries.
    imports: HashMap<SymbolId, Place>,
}

impl<'w, 'a> Writer<'w, 'a> {
    fn new(program: &'w Program<'a>, image: &'w Image) -> Self {
        let (format, architecture) = program.target.object_kind();
        let mut object = Object::new(format, architecture, Endianness::Little);
        // Names are decorated already.
        object.mangling = object::write::Mangling::None;
        if format == object::BinaryFormat::MachO {
            let mut version = MachOBuildVersion::default();
            version.platform = macho::PLATFORM_MACOS;
            version.minos = macho::Version::new(11, 0, 0);
            version.sdk = macho::Version::new(14, 0, 0);
            object.set_macho_build_version(version);
        }
        Self {
            program,
            image,
            object,
            sections: Vec::new(),
            places: HashMap::new(),
            imports: HashMap::new(),
        }
    }

    fn sections(&mut self) {
        for section in &self.image.sections {
            let id = match &*section.name {
                CODE => self.object.section_id(StandardSection::Text),
                POINTERS => self.object.section_id(StandardSection::ReadOnlyDataWithRel),
                DATA => self.object.section_id(StandardSection::Data),
                ZERO => self.object.section_id(StandardSection::UninitializedData),
                _ => self.object.add_section(
                    Vec::new(),
                    b".pdata".to_vec(),
                    SectionKind::ReadOnlyData,
                ),
            };
            let align = match (&*section.name, self.program.target.arch) {
                (CODE, Arch::Arm64) => section.align.max(PAGE),
                _ => section.align,
            };
            if section.file_size == 0 {
                self.object.append_section_bss(id, section.size, align);
            } else {
                let start = section.offset as usize;
                let bytes = &self.image.bytes[start..start + section.file_size as usize];
                self.object.append_section_data(id, bytes, align);
            }
            self.sections.push(id);
        }
        if self.program.target.format == ObjectFormat::Elf {
            // Says that nothing in here needs an executable stack.
            let name = b".note.GNU-stack".to_vec();
            self.object.add_section(Vec::new(), name, SectionKind::Other);
        }
    }

    /// Where a symbol lies: its section in the image, and the offset in that.
    fn locate(&self, symbol: SymbolId) -> Result<(u32, u64), LinkError> {
        let address = self.program.address(symbol)?;
        let section = self.program.defining_atom(symbol);
        let section = section.map_or(0, |atom| self.program.atom(atom).section);
        Ok((section, address.wrapping_sub(self.image.sections[section as usize].address)))
    }

    fn export(&mut self, name: &str, symbol: SymbolId) -> Result<(), LinkError> {
        let (section, offset) = self.locate(symbol)?;
        self.add(name.as_bytes(), Some(section), offset, SymbolKind::Text, SymbolScope::Dynamic);
        Ok(())
    }

    fn add(
        &mut self,
        name: &[u8],
        section: Option<u32>,
        value: u64,
        kind: SymbolKind,
        scope: SymbolScope,
    ) -> Place {
        let section = section.map_or(SymbolSection::Undefined, |section| {
            SymbolSection::Section(self.sections[section as usize])
        });
        self.object.add_symbol(Symbol {
            name: name.to_vec(),
            value,
            size: 0,
            kind,
            scope,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    }

    /// A symbol at a place.
    fn place(&mut self, section: u32, offset: u64) -> Place {
        if let Some(&place) = self.places.get(&(section, offset)) {
            return place;
        }
        let name = format!("kiln_{section}_{offset:x}");
        let (kind, scope) = (SymbolKind::Data, SymbolScope::Compilation);
        let place = self.add(name.as_bytes(), Some(section), offset, kind, scope);
        self.places.insert((section, offset), place);
        place
    }

    fn import(&mut self, symbol: SymbolId) -> Place {
        let symbol = self.program.resolve(symbol);
        if let Some(&place) = self.imports.get(&symbol) {
            return place;
        }
        let name = self.program.symbol(symbol).name.to_vec();
        let place = self.add(&name, None, 0, SymbolKind::Text, SymbolScope::Unknown);
        self.imports.insert(symbol, place);
        place
    }

    fn relocate(&mut self, id: AtomId, relocation: &Relocation) -> Result<(), LinkError> {
        let atom = self.program.atom(id);
        let section = &self.image.sections[atom.section as usize];
        let start = atom.address - section.address;
        let (symbol, addend) = match self.program.definition(relocation.symbol) {
            Definition::Import { .. } => (self.import(relocation.symbol), relocation.addend),
            _ => {
                let (section, offset) = self.locate(relocation.symbol)?;
                match self.program.target.format {
                    // Addends stand beside the instructions, so that a symbol for each section does.
                    ObjectFormat::Elf => {
                        let id = self.sections[section as usize];
                        let addend = relocation.addend.wrapping_add_unsigned(offset);
                        (self.object.section_symbol(id), addend)
                    }
                    // Some formats hold no addend for instructions: a symbol at the place does.
                    _ if is_instruction(relocation.fixup) => {
                        let offset = offset.wrapping_add_signed(relocation.addend);
                        (self.place(section, offset), 0)
                    }
                    _ => (self.place(section, offset), relocation.addend),
                }
            }
        };
        let offset = relocation.offset as usize;
        let flags = match relocation.fixup {
            Fixup::PageOffset12Load => {
                relocation::of_load(self.program.target, arch::load_scale(&atom.data, offset))
            }
            fixup => relocation::relocation(self.program.target, fixup),
        };
        let written = Written { offset: start + offset as u64, symbol, addend, flags };
        let id = self.sections[atom.section as usize];
        let added = self.object.add_relocation(id, written);
        added.map_err(|error| LinkError::TooLarge(error.to_string()))
    }
}

/// Whether a fixup's field is a part of an arm64 instruction.
fn is_instruction(fixup: Fixup) -> bool {
    matches!(
        fixup,
        Fixup::Page21
            | Fixup::PageOffset12Add
            | Fixup::PageOffset12Load
            | Fixup::Branch26
            | Fixup::Address21
    )
}
