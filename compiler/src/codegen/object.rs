//! Code and data → a relocatable object in the target's own format.
//!
//! cranelift-object does not serve here: it has no arm64 COFF relocations, no Windows unwind
//! sections, and wants to compile one function after another.

use super::code::{LOOP_ALIGNMENT, Range};
use super::data::{Name, Piece, Place};
use super::function::CodeFixup;
use crate::error::Error;
use crate::plan::Plan;
use crate::symbol::Symbol;
use kiln_abi::symbol::MAPPED_SECTION;
use kiln_targets::{Fixup, ObjectFormat, relocation};
use object::write::{
    Object, Relocation, SectionId, StandardSection, StandardSegment, Symbol as ObjectSymbol,
    SymbolId, SymbolSection,
};
use object::{Endianness, SectionFlags, SectionKind, SymbolKind, SymbolScope, elf};
use std::collections::HashMap;

/// Writes the object.
pub(super) fn write(plan: &Plan<'_>, ranges: &[Range], pieces: &[Piece]) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::new(plan);
    let texts: Vec<SectionId> = (0..ranges.len()).map(|position| writer.text(position)).collect();
    for (position, range) in ranges.iter().enumerate() {
        writer.code(texts[position], position, range);
    }
    let placed: Vec<_> = pieces.iter().map(|piece| writer.place(piece)).collect();
    for (piece, &(section, offset)) in pieces.iter().zip(&placed) {
        for pointer in &piece.pointers {
            let symbol = writer.symbol(&pointer.name);
            let at = offset + pointer.offset;
            writer.relocate(section, at, Fixup::Absolute64, symbol, pointer.addend)?;
        }
    }
    for (range, &text) in ranges.iter().zip(&texts) {
        for fixup in &range.fixups {
            writer.fixup(text, fixup)?;
        }
    }
    writer.unwind(ranges)?;
    writer.object.write().map_err(|error| internal(&error))
}

fn internal(error: &object::write::Error) -> Error {
    Error::Codegen { function: "the object".to_owned(), message: error.to_string() }
}

struct Writer<'p, 'a> {
    plan: &'p Plan<'a>,
    object: Object<'static>,
    symbols: HashMap<Name, SymbolId>,
    mapped: Option<SectionId>,
    /// Symbols at places inside pieces of data.
    inner: HashMap<(SymbolId, i64), SymbolId>,
}

impl<'p, 'a> Writer<'p, 'a> {
    fn new(plan: &'p Plan<'a>) -> Self {
        let (format, architecture) = plan.target.object_kind();
        Self {
            plan,
            object: Object::new(format, architecture, Endianness::Little),
            symbols: HashMap::new(),
            mapped: None,
            inner: HashMap::new(),
        }
    }

    /// The section of a code range.
    fn text(&mut self, position: usize) -> SectionId {
        if position == 0 {
            return self.object.section_id(StandardSection::Text);
        }
        let standard = self.object.section_id(StandardSection::Text);
        let mut name = self.object.section(standard).name().unwrap_or("text").as_bytes().to_vec();
        // COFF linkers sort what follows a dollar sign and join the rest.
        name.extend(format!("$k{position:03}").bytes());
        let segment = self.object.segment_name(StandardSegment::Text).to_vec();
        self.object.add_section(segment, name, SectionKind::Text)
    }

    /// Adds a range's code and the symbols of its functions.
    fn code(&mut self, section: SectionId, position: usize, range: &Range) {
        let start = self.object.append_section_data(section, &range.code, LOOP_ALIGNMENT as u64);
        let name = Name::Range(position);
        self.define(name, section, start, range.code.len() as u64, SymbolKind::Text);
        for function in &range.functions {
            let name = Name::Symbol(function.symbol);
            let offset = start + u64::from(function.offset);
            self.define(name, section, offset, function.size.into(), SymbolKind::Text);
        }
    }

    /// Adds a piece of data; returns where it lies.
    fn place(&mut self, piece: &Piece) -> (SectionId, u64) {
        let section = match &piece.place {
            Place::ReadOnly => self.object.section_id(StandardSection::ReadOnlyData),
            Place::ReadOnlyRelocated => {
                self.object.section_id(StandardSection::ReadOnlyDataWithRel)
            }
            Place::Writable => self.object.section_id(StandardSection::Data),
            Place::Section(name) => self.placed(name),
            Place::Mapped => self.mapped(),
        };
        let offset = self.object.append_section_data(section, &piece.bytes, piece.align);
        let size = piece.bytes.len() as u64;
        self.define(piece.name.clone(), section, offset, size, SymbolKind::Data);
        (section, offset)
    }

    /// A section that lies at a fixed address, and that no reference keeps alive.
    fn placed(&mut self, name: &str) -> SectionId {
        let name = name.as_bytes().to_vec();
        let section = self.object.add_section(Vec::new(), name, SectionKind::Data);
        if self.plan.target.format == ObjectFormat::Elf {
            *self.object.section_flags_mut(section) = SectionFlags::Elf {
                sh_type: elf::SHT_PROGBITS,
                sh_flags: elf::SHF_ALLOC | elf::SHF_WRITE | elf::SHF_GNU_RETAIN,
            };
        }
        section
    }

    /// The section of pages that the runtime maps.
    fn mapped(&mut self) -> SectionId {
        if let Some(section) = self.mapped {
            return section;
        }
        let segment = self.object.segment_name(StandardSegment::Data).to_vec();
        let name = MAPPED_SECTION.as_bytes().to_vec();
        *self.mapped.insert(self.object.add_section(segment, name, SectionKind::Data))
    }

    fn define(&mut self, name: Name, section: SectionId, value: u64, size: u64, kind: SymbolKind) {
        let scope = match name {
            Name::Global(_)
            | Name::Symbol(
                Symbol::Entry | Symbol::Instantiate | Symbol::Export(_) | Symbol::ExportSecond(_),
            ) => SymbolScope::Linkage,
            _ => SymbolScope::Compilation,
        };
        let section = SymbolSection::Section(section);
        let text = self.text_of(&name);
        let id = self.add(&text, section, value, size, kind, scope);
        self.symbols.insert(name, id);
    }

    fn add(
        &mut self,
        name: &str,
        section: SymbolSection,
        value: u64,
        size: u64,
        kind: SymbolKind,
        scope: SymbolScope,
    ) -> SymbolId {
        // A NUL byte would end the name early.
        let name = name.replace('\0', "?").into_bytes();
        let flags = object::SymbolFlags::None;
        self.object.add_symbol(ObjectSymbol {
            name,
            value,
            size,
            kind,
            scope,
            weak: false,
            section,
            flags,
        })
    }

    fn text_of(&self, name: &Name) -> String {
        match name {
            Name::Symbol(symbol) => symbol.name(self.plan.spaces),
            Name::Range(position) => format!("kiln_code_{position}"),
            Name::Global(name) => (*name).to_owned(),
            Name::Local(name) => name.clone(),
        }
    }

    /// The symbol of that name; what is not defined here is another object's.
    fn symbol(&mut self, name: &Name) -> SymbolId {
        if let Some(&symbol) = self.symbols.get(name) {
            return symbol;
        }
        let kind = match name {
            Name::Symbol(_) => SymbolKind::Text,
            _ => SymbolKind::Data,
        };
        let text = self.text_of(name);
        let symbol = self.add(&text, SymbolSection::Undefined, 0, 0, kind, SymbolScope::Unknown);
        self.symbols.insert(name.clone(), symbol);
        symbol
    }

    fn fixup(&mut self, section: SectionId, fixup: &CodeFixup) -> Result<(), Error> {
        let mut symbol = self.symbol(&Name::Symbol(fixup.symbol));
        let mut addend = fixup.addend;
        // Some formats hold no addend for instructions: a symbol at the place itself does.
        if matches!(fixup.kind, Fixup::Page21 | Fixup::PageOffset12Add) && addend != 0 {
            symbol = self.inner(symbol, addend);
            addend = 0;
        }
        self.relocate(section, fixup.offset.into(), fixup.kind, symbol, addend)
    }

    fn inner(&mut self, outer: SymbolId, offset: i64) -> SymbolId {
        if let Some(&symbol) = self.inner.get(&(outer, offset)) {
            return symbol;
        }
        let outer_symbol = self.object.symbol(outer);
        let name = format!("{}+{offset}", String::from_utf8_lossy(&outer_symbol.name));
        let (section, kind) = (outer_symbol.section, outer_symbol.kind);
        let value = outer_symbol.value.wrapping_add_signed(offset);
        let symbol = self.add(&name, section, value, 0, kind, SymbolScope::Compilation);
        self.inner.insert((outer, offset), symbol);
        symbol
    }

    fn relocate(
        &mut self,
        section: SectionId,
        offset: u64,
        kind: Fixup,
        symbol: SymbolId,
        addend: i64,
    ) -> Result<(), Error> {
        let flags = relocation(self.plan.target, kind);
        self.object
            .add_relocation(section, Relocation { offset, symbol, addend, flags })
            .map_err(|error| internal(&error))
    }

    /// The function table of Windows and the records it points to.
    ///
    /// Sources: Microsoft PE Format, "The .pdata Section"; "ARM64 exception handling".
    fn unwind(&mut self, ranges: &[Range]) -> Result<(), Error> {
        if ranges.iter().all(|range| range.unwind.is_empty()) {
            return Ok(());
        }
        let xdata =
            self.object.add_section(Vec::new(), b".xdata".to_vec(), SectionKind::ReadOnlyData);
        let pdata =
            self.object.add_section(Vec::new(), b".pdata".to_vec(), SectionKind::ReadOnlyData);
        let records = self.add(
            "kiln_unwind",
            SymbolSection::Section(xdata),
            0,
            0,
            SymbolKind::Data,
            SymbolScope::Compilation,
        );
        for (position, range) in ranges.iter().enumerate() {
            let code = self.symbol(&Name::Range(position));
            for record in &range.unwind {
                let at = self.object.append_section_data(xdata, &record.bytes, 4);
                let with_end = self.plan.target.unwind_entry_has_end();
                let fields = [
                    (code, i64::from(record.start), true),
                    (code, i64::from(record.end), with_end),
                    (records, at as i64, true),
                ];
                for (symbol, addend, _) in fields.into_iter().filter(|(_, _, used)| *used) {
                    let offset = self.object.append_section_data(pdata, &[0; 4], 4);
                    self.relocate(pdata, offset, Fixup::ImageRelative32, symbol, addend)?;
                }
            }
        }
        Ok(())
    }
}
