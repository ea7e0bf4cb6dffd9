//! Objects made for tests, as a compiler would write them.

#![allow(dead_code, reason = "each test file uses a part of this module")]

use kiln_abi::symbol::ABI;
use kiln_targets::{Arch, Fixup, Input, ObjectFormat, Os, Target, relocation};
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};

/// Exit code of the sample program.
pub(crate) const EXIT_CODE: i32 = 42;

/// An object under construction.
pub(crate) struct Builder {
    pub(crate) target: &'static Target,
    pub(crate) object: Object<'static>,
}

impl Builder {
    pub(crate) fn new(target: &'static Target) -> Self {
        let (format, architecture) = target.object_kind();
        Self { target, object: Object::new(format, architecture, Endianness::Little) }
    }

    /// A section of its own, in a segment that Mach-O knows.
    pub(crate) fn section(
        &mut self,
        name: &str,
        kind: SectionKind,
        data: &[u8],
        align: u64,
    ) -> SectionId {
        let segment = match (self.target.format, kind) {
            (ObjectFormat::MachO, SectionKind::Text | SectionKind::ReadOnlyData) => "__TEXT",
            (ObjectFormat::MachO, _) => "__DATA",
            _ => "",
        };
        let id = self.object.add_section(segment.as_bytes().to_vec(), name.into(), kind);
        if kind == SectionKind::UninitializedData {
            self.object.append_section_bss(id, data.len() as u64, align);
        } else {
            self.object.append_section_data(id, data, align);
        }
        id
    }

    pub(crate) fn define(&mut self, name: &str, section: SectionId, value: u64) -> SymbolId {
        let section = SymbolSection::Section(section);
        self.object.add_symbol(symbol(name, section, value, SymbolScope::Linkage))
    }

    pub(crate) fn refer(&mut self, name: &str) -> SymbolId {
        self.object.add_symbol(symbol(name, SymbolSection::Undefined, 0, SymbolScope::Unknown))
    }

    /// A variable of `size` bytes that several objects may define.
    pub(crate) fn define_common(&mut self, name: &str, size: u64) {
        let common = symbol(name, SymbolSection::Undefined, 0, SymbolScope::Linkage);
        self.object.add_common_symbol(common, size, 8);
    }

    pub(crate) fn fix(
        &mut self,
        section: SectionId,
        offset: u64,
        fixup: Fixup,
        symbol: SymbolId,
        addend: i64,
    ) {
        let flags = relocation(self.target, fixup);
        let relocation = Relocation { offset, symbol, addend, flags };
        self.object.add_relocation(section, relocation).unwrap();
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        self.object.write().unwrap()
    }
}

fn symbol(name: &str, section: SymbolSection, value: u64, scope: SymbolScope) -> Symbol {
    Symbol {
        name: name.into(),
        value,
        size: 0,
        kind: SymbolKind::Data,
        scope,
        weak: false,
        section,
        flags: SymbolFlags::None,
    }
}

/// An archive without members.
pub(crate) const EMPTY_ARCHIVE: &[u8] = b"!<arch>\n";

/// The entry point's symbol, undecorated.
pub(crate) fn entry(target: &Target) -> &'static str {
    match target.os {
        Os::Linux => "_start",
        Os::Darwin => "main",
        Os::Windows => "kiln_start",
    }
}

/// A program for the runtime: ends with [`EXIT_CODE`]. A dead function refers to nothing that
/// exists.
pub(crate) fn sample(target: &'static Target) -> Vec<u8> {
    let mut builder = Builder::new(target);
    let data = builder.section("sample_data", SectionKind::Data, &[0; 80], 16);
    let marker = builder.define("marker", data, 72);
    let program = builder.define("kiln_program", data, 0);
    let abi = builder.refer(ABI);
    let stack_size = (1u64 << 20).to_le_bytes();
    builder.object.section_mut(data).data_mut()[40..48].copy_from_slice(&stack_size);
    builder.fix(data, 0, Fixup::Absolute64, abi, 0);
    builder.fix(data, 64, Fixup::Absolute64, program, 72);

    let exit = builder.refer("kiln_wasi_proc_exit");
    match target.arch {
        Arch::Amd64 => {
            // lea marker(%rip), %rdi; mov $42, %esi; mov $42, %edx; call exit; ud2
            let code = [
                &[0x48, 0x8d, 0x3d, 0, 0, 0, 0][..],
                &[0xbe, EXIT_CODE as u8, 0, 0, 0],
                &[0xba, EXIT_CODE as u8, 0, 0, 0],
                &[0xe8, 0, 0, 0, 0, 0x0f, 0x0b],
            ];
            let text = builder.section("sample_text", SectionKind::Text, &code.concat(), 16);
            builder.define("kiln_entry", text, 0);
            builder.fix(text, 3, Fixup::Relative32, marker, -4);
            builder.fix(text, 18, Fixup::Branch32, exit, -4);
        }
        Arch::Arm64 => {
            // adrp x0, marker; add x0, x0, marker; mov w1, #42; bl exit; udf #0
            let code = [0x9000_0000, 0x9100_0000, 0x5280_0541, 0x9400_0000, 0];
            let code = code.map(u32::to_le_bytes).concat();
            let text = builder.section("sample_text", SectionKind::Text, &code, 16);
            builder.define("kiln_entry", text, 0);
            builder.fix(text, 0, Fixup::Page21, marker, 0);
            builder.fix(text, 4, Fixup::PageOffset12Add, marker, 0);
            builder.fix(text, 12, Fixup::Branch26, exit, 0);
        }
    }

    let dead = builder.section("sample_dead", SectionKind::Data, &[0; 8], 8);
    builder.define("dead", dead, 0);
    let nowhere = builder.refer("nowhere");
    builder.fix(dead, 0, Fixup::Absolute64, nowhere, 0);
    builder.write()
}

/// Those objects, and no grants.
pub(crate) const fn input<'a>(objects: &'a [(&'a str, &'a [u8])]) -> Input<'a> {
    Input {
        objects,
        manifest: "",
        embedded: &[],
        stack_size: 1,
        identifier: "test",
        resources: &[],
        library: None,
    }
}
