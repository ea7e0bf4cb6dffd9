//! ELF shared libraries: position-independent, bound to nothing.
//!
//! All that the dynamic linker does is to add the image's address to pointers and to look up what is
//! exported. A library stays loaded once it is: handlers of faults lead into it.
//!
//! Sources: System V gABI, chapter 5, "Dynamic Linking"; the processors' supplements for the
//! relocation that is relative to the image's address.

use super::{finish, header_size, machine, program_headers, segment};
use crate::image::{Access, Image};
use crate::link::layout::{self, Plan};
use crate::link::program::{AtomId, Definition, DynamicTable, Kind, Program, SymbolId};
use crate::link::{Library, LinkError};
use crate::{Arch, Fixup};
use kiln_abi::symbol::POLICY_SECTION;
use object::write::elf::{Encoder, ProgramHeader, Rel, SectionHeader, Sym};
use object::{LittleEndian, elf};
use std::borrow::Cow;
use std::mem::size_of;

const SYMBOL_SIZE: u64 = size_of::<elf::Sym64<LittleEndian>>() as u64;
const RELOCATION_SIZE: u64 = size_of::<elf::Rela64<LittleEndian>>() as u64;
const ENTRY_SIZE: u64 = size_of::<elf::Dyn64<LittleEndian>>() as u64;

/// Segment that the dynamic linker makes read-only once it has written addresses there.
const RELOCATED: &str = "relocated constants";

/// Entries of the dynamic section.
const ENTRIES: u64 = 13;

/// Writes the library of a program whose pointers are made.
pub(crate) fn write(
    program: &mut Program<'_>,
    library: &Library<'_>,
    exports: &[(&str, SymbolId)],
) -> Result<Vec<u8>, LinkError> {
    check_pointers(program)?;
    let tables = reserve(program, library, exports);
    let mut image = layout::arrange(program, plan())?;
    let contents = Contents { program, image: &image, exports, names: &tables.names };
    let filled = [
        (tables.symbols, contents.symbols()?),
        (tables.strings, tables.strings()),
        (tables.hash, contents.hash()),
        (tables.relocations, contents.relocations()?),
        (tables.dynamic, contents.dynamic(&tables)),
    ];
    for (atom, bytes) in filled {
        debug_assert_eq!(program.atom(atom).size, bytes.len() as u64);
        program.atom_mut(atom).data = Cow::Owned(bytes);
    }
    image.fill(program)?;
    let mut segments = program_headers(&image, program.target);
    segments.splice(0..0, special_headers(program, &image, &tables));
    // Loadable segments begin the table; what describes parts of them may stand anywhere.
    segments.sort_by_key(|header| header.p_type != elf::PT_LOAD);
    finish(program.target, elf::ET_DYN, 0, &mut image, &segments)
}

/// The tables' atoms, whose sizes are known before any address is.
struct Tables {
    symbols: AtomId,
    strings: AtomId,
    hash: AtomId,
    relocations: AtomId,
    dynamic: AtomId,
    /// The library's own name, then those of its exports.
    names: Vec<String>,
}

impl Tables {
    /// The string table: begins with the empty string.
    fn strings(&self) -> Vec<u8> {
        let texts = self.names.iter().map(|name| [name.as_bytes(), b"\0"].concat());
        [b"\0".to_vec()].into_iter().chain(texts).collect::<Vec<_>>().concat()
    }

    /// Where each name begins there.
    fn offsets(names: &[String]) -> impl Iterator<Item = u32> {
        names.iter().scan(1, |offset, name| {
            let start = *offset;
            *offset += name.len() as u32 + 1;
            Some(start)
        })
    }
}

fn reserve(
    program: &mut Program<'_>,
    library: &Library<'_>,
    exports: &[(&str, SymbolId)],
) -> Tables {
    let mut names = vec![library.file_name.to_owned()];
    names.extend(exports.iter().map(|export| export.0.to_owned()));
    let pointers: usize = program
        .atoms
        .iter()
        .filter(|atom| atom.live)
        .map(|atom| moving(program, &atom.relocations).count())
        .sum();
    let count = exports.len() as u64 + 1;
    let strings = names.iter().map(|name| name.len() as u64 + 1).sum::<u64>() + 1;
    let mut table = |table, size: u64, align| {
        program.add_own(Kind::Dynamic(table), align, vec![0; size as usize], vec![]).0
    };
    Tables {
        symbols: table(DynamicTable::Symbols, count * SYMBOL_SIZE, 8),
        strings: table(DynamicTable::Strings, strings, 1),
        // The counts of both parts, a bucket for each symbol, a chain for each symbol.
        hash: table(DynamicTable::Hash, (2 + 2 * count) * 4, 4),
        relocations: table(DynamicTable::Relocations, pointers as u64 * RELOCATION_SIZE, 8),
        dynamic: table(DynamicTable::Dynamic, ENTRIES * ENTRY_SIZE, 8),
        names,
    }
}

/// The relocations that need the image's address when it is loaded.
fn moving<'r>(
    program: &'r Program<'_>,
    relocations: &'r [crate::link::program::Relocation],
) -> impl Iterator<Item = &'r crate::link::program::Relocation> {
    relocations.iter().filter(|relocation| {
        relocation.fixup == Fixup::Absolute64
            && relocation.subtrahend.is_none()
            && matches!(program.definition(relocation.symbol), Definition::Atom { .. })
    })
}

/// Refuses addresses that depend on where the library lies in places where nothing can write them.
fn check_pointers(program: &Program<'_>) -> Result<(), LinkError> {
    for atom in program.atoms.iter().filter(|atom| atom.live) {
        let is_wrong = atom.relocations.iter().any(|relocation| match relocation.fixup {
            Fixup::Absolute64 => atom.kind == Kind::Code,
            Fixup::Absolute32 | Fixup::Absolute32Signed => true,
            _ => false,
        });
        if is_wrong || matches!(atom.kind, Kind::Placed(_)) {
            let what = "an absolute address in a library".to_owned();
            return Err(LinkError::Unsupported { object: program.object_name(atom), what });
        }
    }
    Ok(())
}

fn plan() -> Plan {
    let dynamic = |name, table| (name, [Kind::Dynamic(table)]);
    let symbols = dynamic(".dynsym", DynamicTable::Symbols);
    let strings = dynamic(".dynstr", DynamicTable::Strings);
    let hash = dynamic(".hash", DynamicTable::Hash);
    let relocations = dynamic(".rela.dyn", DynamicTable::Relocations);
    let own = dynamic(".dynamic", DynamicTable::Dynamic);
    let segments = vec![
        segment(
            "constants",
            Access::Read,
            &[
                (POLICY_SECTION, &[Kind::Manifest]),
                (symbols.0, &symbols.1),
                (strings.0, &strings.1),
                (hash.0, &hash.1),
                (relocations.0, &relocations.1),
                (".rodata", &[Kind::ReadOnly]),
            ],
        ),
        segment("code", Access::ReadExecute, &[(".text", &[Kind::Code])]),
        segment(
            RELOCATED,
            Access::ReadWrite,
            &[(".data.rel.ro", &[Kind::Pointers, Kind::Slot]), (own.0, &own.1)],
        ),
        segment(
            "variables",
            Access::ReadWrite,
            &[(".data", &[Kind::Data]), (".bss", &[Kind::Zero])],
        ),
    ];
    // Two more headers than an executable's.
    let more_headers = 2 * size_of::<elf::ProgramHeader64<LittleEndian>>() as u64;
    Plan { base: 0, header_size, more_headers, file_align: 1, segments }
}

/// The type of a table's section, and what the header says of others.
pub(super) fn section(image: &Image, table: DynamicTable) -> (elf::SectionType, SectionHeader) {
    let number = |table| {
        let position =
            image.sections.iter().position(|section| section.kind == Kind::Dynamic(table));
        position.map_or(0, |position| position as u32 + 1)
    };
    let linked = |table, sh_entsize| SectionHeader {
        sh_link: number(table),
        sh_entsize,
        ..SectionHeader::default()
    };
    match table {
        DynamicTable::Symbols => {
            // The first one that is not local follows the null one.
            let header = linked(DynamicTable::Strings, SYMBOL_SIZE);
            (elf::SHT_DYNSYM, SectionHeader { sh_info: 1, ..header })
        }
        DynamicTable::Strings => (elf::SHT_STRTAB, SectionHeader::default()),
        DynamicTable::Hash => (elf::SHT_HASH, linked(DynamicTable::Symbols, 4)),
        DynamicTable::Relocations => {
            (elf::SHT_RELA, linked(DynamicTable::Symbols, RELOCATION_SIZE))
        }
        DynamicTable::Dynamic => (elf::SHT_DYNAMIC, linked(DynamicTable::Strings, ENTRY_SIZE)),
    }
}

/// The headers that lead to the dynamic section, and to what is read-only once it is relocated.
fn special_headers(program: &Program<'_>, image: &Image, tables: &Tables) -> Vec<ProgramHeader> {
    let dynamic = program.atom(tables.dynamic);
    let relocated = image.segments.iter().find(|segment| segment.name == RELOCATED);
    relocated
        .into_iter()
        .flat_map(|segment| {
            let whole = ProgramHeader {
                p_type: elf::PT_GNU_RELRO,
                p_flags: elf::PF_R,
                p_offset: segment.offset,
                p_vaddr: segment.address,
                p_paddr: segment.address,
                p_filesz: segment.file_size,
                p_memsz: segment.size,
                p_align: 1,
            };
            let own = ProgramHeader {
                p_type: elf::PT_DYNAMIC,
                p_flags: elf::PF_R | elf::PF_W,
                p_offset: segment.offset + (dynamic.address - segment.address),
                p_vaddr: dynamic.address,
                p_paddr: dynamic.address,
                p_filesz: dynamic.size,
                p_memsz: dynamic.size,
                p_align: dynamic.align,
            };
            [own, whole]
        })
        .collect()
}

/// What the tables hold, once there are addresses.
struct Contents<'c, 'a> {
    program: &'c Program<'a>,
    image: &'c Image,
    exports: &'c [(&'c str, SymbolId)],
    /// As in [`Tables`].
    names: &'c [String],
}

impl Contents<'_, '_> {
    fn encoder(&self) -> Encoder<LittleEndian> {
        Encoder::new(LittleEndian, true, machine(self.program.target))
    }

    fn symbols(&self) -> Result<Vec<u8>, LinkError> {
        let mut bytes = vec![0; SYMBOL_SIZE as usize];
        for (&(_, symbol), name) in self.exports.iter().zip(Tables::offsets(self.names).skip(1)) {
            let atom = self.program.defining_atom(symbol).map(|atom| self.program.atom(atom));
            let symbol = Sym {
                section: atom.map(|atom| atom.section + 1),
                st_name: name,
                st_info: elf::SymbolInfo((elf::STB_GLOBAL.0 << 4) | elf::STT_FUNC.0),
                st_other: elf::SymbolOther(elf::STV_DEFAULT.0),
                st_shndx: elf::SymbolSection(0),
                st_value: self.program.address(symbol)?,
                st_size: 0,
            };
            self.encoder().symbol(&mut bytes, &symbol);
        }
        Ok(bytes)
    }

    fn hash(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let count = self.names.len() as u32;
        // Symbol 0 is none; the library's own name stands in its place here.
        let hash =
            |index: u32| (index > 0).then(|| elf::hash(self.names[index as usize].as_bytes()));
        self.encoder().hash_table(&mut bytes, count, count, hash);
        bytes
    }

    fn relocations(&self) -> Result<Vec<u8>, LinkError> {
        let r_type = match self.program.target.arch {
            Arch::Amd64 => elf::R_X86_64_RELATIVE,
            Arch::Arm64 => elf::R_AARCH64_RELATIVE,
        };
        let mut found = Vec::new();
        let atoms = self.image.sections.iter().flat_map(|section| &section.atoms);
        for atom in atoms.map(|&id| self.program.atom(id)) {
            for relocation in moving(self.program, &atom.relocations) {
                let target = self.program.address(relocation.symbol)?;
                let r_addend = target.wrapping_add_signed(relocation.addend).cast_signed();
                let r_offset = atom.address + u64::from(relocation.offset);
                found.push(Rel { r_offset, r_sym: 0, r_type, r_addend });
            }
        }
        found.sort_by_key(|relocation| relocation.r_offset);
        let mut bytes = Vec::new();
        found.iter().for_each(|found| self.encoder().relocation(&mut bytes, true, found));
        Ok(bytes)
    }

    fn dynamic(&self, tables: &Tables) -> Vec<u8> {
        let address = |atom| self.program.atom(atom).address;
        let size = |atom| self.program.atom(atom).size;
        let entries = [
            (elf::DT_SONAME, u64::from(Tables::offsets(self.names).next().unwrap_or(0))),
            (elf::DT_HASH, address(tables.hash)),
            (elf::DT_STRTAB, address(tables.strings)),
            (elf::DT_SYMTAB, address(tables.symbols)),
            (elf::DT_STRSZ, size(tables.strings)),
            (elf::DT_SYMENT, SYMBOL_SIZE),
            (elf::DT_RELA, address(tables.relocations)),
            (elf::DT_RELASZ, size(tables.relocations)),
            (elf::DT_RELAENT, RELOCATION_SIZE),
            (elf::DT_RELACOUNT, size(tables.relocations) / RELOCATION_SIZE),
            (elf::DT_FLAGS, elf::DF_BIND_NOW.0),
            (elf::DT_FLAGS_1, elf::DF_1_NOW.0 | elf::DF_1_NODELETE.0),
            (elf::DT_NULL, 0),
        ];
        debug_assert_eq!(entries.len() as u64, ENTRIES);
        let mut bytes = Vec::new();
        for (tag, value) in entries {
            let written = self.encoder().dynamic(&mut bytes, tag, value);
            written.expect("64 bits hold every value");
        }
        bytes
    }
}
