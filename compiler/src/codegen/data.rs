//! The program's data: the records that code and runtime read, and what they point to.
//!
//! Each piece is plain bytes plus the places in them that hold addresses. Only what the code or
//! another piece refers to is made.
//!
//! Layouts: `kiln-abi`.

use super::code::Range;
use super::image::{self, Way};
use crate::error::Error;
use crate::module::Constant;
use crate::plan::Plan;
use crate::symbol::{Data, GLOBAL_SIZE, Symbol};
use core::mem::size_of;
use kiln_abi::WASM_PAGE_SIZE;
use kiln_abi::program::{
    MEMORY_CHECKED, MEMORY_FIXED, MEMORY_IN_PLACE, MEMORY_SHARED, Memory, Run,
};
use kiln_abi::symbol::{ABI, CHECK_PROCESSOR, PLACED_SECTION_PREFIX, PROGRAM};
use kiln_abi::table::{Element, NULL_ELEMENT_HIGH, NULL_ELEMENT_LOW};
use std::collections::BTreeSet;

/// What a piece of data is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Name {
    Symbol(Symbol),
    /// The start of a code range, by its position.
    Range(usize),
    /// A name of the contract, seen by other objects.
    Global(&'static str),
    /// A name of this object alone.
    Local(String),
}

impl From<Data> for Name {
    fn from(data: Data) -> Self {
        Self::Symbol(Symbol::Data(data))
    }
}

/// Where a piece goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    ReadOnly,
    /// Read-only once the addresses in it are known.
    ReadOnlyRelocated,
    Writable,
    /// A section of that name, by itself.
    Section(String),
    /// Pages that the runtime maps.
    Mapped,
}

/// A piece of data.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) name: Name,
    pub(super) place: Place,
    pub(super) align: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) pointers: Vec<Pointer>,
}

/// A place in a piece that holds the address of something, plus an addend.
#[derive(Debug)]
pub(super) struct Pointer {
    pub(super) offset: u64,
    pub(super) name: Name,
    pub(super) addend: i64,
}

impl Piece {
    fn new(name: impl Into<Name>, place: Place, align: u64) -> Self {
        Self { name: name.into(), place, align, bytes: Vec::new(), pointers: Vec::new() }
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    fn pointer(&mut self, name: impl Into<Name>) -> &mut Self {
        self.pointer_into(name, 0)
    }

    fn pointer_into(&mut self, name: impl Into<Name>, addend: i64) -> &mut Self {
        let (offset, name) = (self.bytes.len() as u64, name.into());
        self.pointers.push(Pointer { offset, name, addend });
        self.u64(0)
    }
}

/// All data of the program whose code is `ranges`.
pub(super) fn pieces(plan: &Plan<'_>, ranges: &[Range]) -> Result<Vec<Piece>, Error> {
    let builder = Builder { plan };
    let mut pieces = builder.program(ranges);
    let mut wanted: BTreeSet<Data> = BTreeSet::from([Data::Memories]);
    let code = ranges.iter().flat_map(|range| &range.fixups);
    wanted.extend(code.filter_map(|fixup| match fixup.symbol {
        Symbol::Data(data) => Some(data),
        _ => None,
    }));
    let mut made = BTreeSet::new();
    while let Some(data) = wanted.pop_first() {
        if !made.insert(data) {
            continue;
        }
        for piece in builder.piece(data)? {
            wanted.extend(piece.pointers.iter().filter_map(|pointer| match pointer.name {
                Name::Symbol(Symbol::Data(data)) => Some(data),
                _ => None,
            }));
            pieces.push(piece);
        }
    }
    Ok(pieces)
}

struct Builder<'b, 'a> {
    plan: &'b Plan<'a>,
}

impl Builder<'_, '_> {
    /// The program record and the maps of its code.
    fn program(&self, ranges: &[Range]) -> Vec<Piece> {
        let mut maps = Vec::new();
        let mut list =
            Piece::new(Name::Local("kiln_code_ranges".into()), Place::ReadOnlyRelocated, 8);
        for (position, range) in ranges.iter().enumerate() {
            let local = |what: &str| Name::Local(format!("kiln_{what}_{position}"));
            let mut functions = Piece::new(local("functions"), Place::ReadOnly, 4);
            for function in &range.map {
                functions
                    .u32(function.code_offset)
                    .u32(function.index)
                    .u32(function.trap_sites_offset)
                    .u32(function.name_offset);
            }
            let mut traps = Piece::new(local("trap_sites"), Place::ReadOnly, 1);
            traps.bytes.clone_from(&range.trap_sites);
            let mut names = Piece::new(local("names"), Place::ReadOnly, 1);
            names.bytes.clone_from(&range.names);
            list.pointer(Name::Range(position)).u64(range.code.len() as u64);
            list.pointer(functions.name.clone()).u64(range.map.len() as u64);
            list.pointer(traps.name.clone()).u64(range.trap_sites.len() as u64);
            list.pointer(names.name.clone()).u64(range.names.len() as u64);
            let mut sites = Piece::new(local("call_sites"), Place::ReadOnly, 4);
            for site in &range.call_sites {
                sites.u32(site.return_offset).u32(site.frame_offset).u32(site.handlers_start);
            }
            let mut handlers = Piece::new(local("handlers"), Place::ReadOnly, 4);
            for handler in &range.handlers {
                handlers.u32(handler.tag).u32(handler.landing_offset);
            }
            list.pointer(sites.name.clone()).u64(range.call_sites.len() as u64);
            list.pointer(handlers.name.clone()).u64(range.handlers.len() as u64);
            maps.extend([functions, traps, names, sites, handlers]);
        }
        let cpu = self.plan.cpu.bits(self.plan.target);
        let mut program = Piece::new(Name::Global(PROGRAM), Place::ReadOnlyRelocated, 8);
        program
            .pointer(Name::Global(ABI))
            .pointer(Data::Memories)
            .u64(self.plan.memories.len() as u64)
            .pointer(list.name.clone())
            .u64(ranges.len() as u64)
            .u64(self.plan.stack_size)
            .u64(cpu);
        match cpu {
            0 => program.u64(0),
            _ => program.pointer(Name::Global(CHECK_PROCESSOR)),
        };
        maps.extend([list, program]);
        maps
    }

    fn piece(&self, data: Data) -> Result<Vec<Piece>, Error> {
        Ok(match data {
            Data::Memories => self.memories(),
            Data::Tables => vec![self.tables()],
            Data::Globals => vec![self.globals()],
            Data::References => vec![self.references()],
            Data::Segments => vec![self.data_segments()],
            Data::ElementSegments => vec![self.element_segments()],
            Data::TableElements(index) => vec![self.table_elements(index)],
            Data::SegmentBytes(index) => vec![self.segment_bytes(index)],
            Data::SegmentElements(index) => vec![self.segment_elements(index)?],
            Data::Threads => vec![self.threads()],
            Data::Template => vec![self.template()?],
        })
    }

    /// What the runtime has to know to start a thread.
    fn threads(&self) -> Piece {
        let mut record = Piece::new(Data::Threads, Place::ReadOnlyRelocated, 8);
        record.pointer(Data::Template);
        record.u64(self.plan.threads.as_ref().map_or(0, |threads| threads.size));
        record.u64(self.plan.thread_offset(Data::Tables).unwrap_or(0));
        record.u64(self.plan.spaces.tables.len() as u64);
        record.pointer(Name::Symbol(Symbol::ThreadEntry));
        record
    }

    /// What each thread has of its own, one piece behind the other.
    fn template(&self) -> Result<Piece, Error> {
        let mut template = Piece::new(Data::Template, Place::ReadOnlyRelocated, 16);
        for &(data, offset) in self.plan.threads.iter().flat_map(|threads| &threads.pieces) {
            debug_assert_eq!(template.bytes.len() as u64, offset);
            for piece in self.piece(data)? {
                template.bytes.extend(piece.bytes);
                template.pointers.extend(
                    piece
                        .pointers
                        .into_iter()
                        .map(|pointer| Pointer { offset: offset + pointer.offset, ..pointer }),
                );
            }
        }
        Ok(template)
    }

    /// The records of all memories, and their contents. A record of no memory at the end serves
    /// calls of WASI from a module without memory.
    fn memories(&self) -> Vec<Piece> {
        let mut records = Piece::new(Data::Memories, Place::Writable, 8);
        let mut contents = Vec::new();
        let ways = image::ways(self.plan);
        for (index, (plan, way)) in self.plan.memories.iter().zip(ways).enumerate() {
            let memory = &self.plan.spaces.memories[index];
            let (runs, begins_at) = self.runs(index as u32, way, &mut contents);
            let bits = [
                (plan.base.is_some(), MEMORY_FIXED),
                (plan.checked, MEMORY_CHECKED),
                (memory.shared, MEMORY_SHARED),
                (begins_at.is_some(), MEMORY_IN_PLACE),
            ];
            let flags = bits.iter().filter(|(set, _)| *set).fold(0, |all, (_, bit)| all | bit);
            match begins_at {
                Some((run, offset)) => records.pointer_into(run, -(offset as i64)),
                None => records.u64(plan.base.unwrap_or(0)),
            };
            records.u64(memory.minimum).u64(memory.maximum).u64(plan.reservation);
            let count = (runs.bytes.len() / size_of::<Run>()) as u64;
            records.pointer(runs.name.clone()).u64(count);
            records.u32(flags).u32(WASM_PAGE_SIZE.ilog2());
            contents.push(runs);
        }
        if self.plan.lacks_wasi_memory() {
            records.bytes.extend([0; size_of::<Memory>()]);
        }
        contents.push(records);
        contents
    }

    /// The list of a memory's runs, whose bytes become pieces of their own in `contents`; and, where
    /// the memory begins in the image, the first of them and its offset.
    fn runs(
        &self,
        memory: u32,
        way: Way,
        contents: &mut Vec<Piece>,
    ) -> (Piece, Option<(Name, u64)>) {
        /// Zeros to skip rather than to copy.
        const GRANULE: u64 = 64;
        let granule = if way == Way::Copied { GRANULE } else { self.plan.target.page_size };
        let name = Name::Local(format!("kiln_memory_{memory}_runs"));
        let mut list = Piece::new(name, Place::ReadOnlyRelocated, 8);
        let mut begins_at = None;
        let runs = image::runs(self.plan.spaces, memory, granule);
        for (position, run) in runs.into_iter().enumerate() {
            let at = |address| Place::Section(format!("{PLACED_SECTION_PREFIX}{address:016x}"));
            let place = match way {
                Way::Copied => Place::ReadOnly,
                Way::Fixed(base) => at(base + run.offset),
                Way::Mapped => Place::Mapped,
                Way::InPlace => at(run.offset),
            };
            let name = Name::Local(format!("kiln_memory_{memory}_run_{position}"));
            if way == Way::InPlace && position == 0 {
                begins_at = Some((name.clone(), run.offset));
            }
            list.u64(run.offset);
            match way {
                Way::Fixed(_) => list.u64(0),
                _ => list.pointer(name.clone()),
            };
            list.u64(run.bytes.len() as u64);
            let mut piece = Piece::new(name, place, granule);
            piece.bytes = run.bytes;
            contents.push(piece);
        }
        (list, begins_at)
    }

    fn tables(&self) -> Piece {
        let mut records = Piece::new(Data::Tables, Place::Writable, 8);
        for (index, table) in self.plan.spaces.tables.iter().enumerate() {
            let limit = table.maximum.unwrap_or(u64::from(u32::MAX)).min(u64::from(u32::MAX));
            let elements = Data::TableElements(index as u32);
            match self.plan.thread_offset(elements) {
                Some(own) => records.pointer_into(Data::Template, own.cast_signed()),
                None => records.pointer(elements),
            };
            records.u64(table.minimum).u64(limit).u64(table.minimum);
        }
        records
    }

    fn globals(&self) -> Piece {
        let mut slots = Piece::new(Data::Globals, Place::Writable, GLOBAL_SIZE);
        for global in &self.plan.facts.globals {
            match global.initial {
                Constant::Bits(bits) => slots.bytes.extend(bits.to_le_bytes()),
                Constant::Null => slots.bytes.extend([0; 16]),
                Constant::Function(index) => {
                    let offset = self.number(index) as usize * size_of::<Element>();
                    slots.pointer_into(Data::References, offset as i64).u64(0);
                }
            }
        }
        slots
    }

    fn number(&self, function: u32) -> u32 {
        self.plan.facts.referenced[function as usize]
            .expect("analysis numbered every function that is referred to")
    }

    /// The records behind function references.
    fn references(&self) -> Piece {
        let mut records = Piece::new(Data::References, Place::ReadOnlyRelocated, 16);
        for &function in &self.plan.facts.references {
            self.element(&mut records, Constant::Function(function));
        }
        self.element(&mut records, Constant::Null);
        records
    }

    /// Appends a table entry.
    fn element(&self, piece: &mut Piece, value: Constant) {
        match value {
            Constant::Function(index) => {
                piece.pointer(Name::Symbol(self.plan.symbol(index)));
                piece.u32(self.plan.spaces.signature(index).id).u32(self.number(index));
            }
            Constant::Null => {
                piece.u64(NULL_ELEMENT_LOW).u64(NULL_ELEMENT_HIGH);
            }
            Constant::Bits(bits) => {
                piece.u64(bits as u64).u64(0);
            }
        }
    }

    fn table_elements(&self, table_index: u32) -> Piece {
        let contents = &self.plan.facts.contents[table_index as usize];
        let facts = self.plan.facts.tables[table_index as usize];
        let place = match facts.changes {
            true => Place::Writable,
            false => Place::ReadOnlyRelocated,
        };
        let mut piece = Piece::new(Data::TableElements(table_index), place, 16);
        for position in 0..self.plan.spaces.tables[table_index as usize].minimum {
            self.element(&mut piece, contents.at(position));
        }
        piece
    }

    fn data_segments(&self) -> Piece {
        let mut records = Piece::new(Data::Segments, Place::Writable, 8);
        for (index, segment) in self.plan.spaces.data.iter().enumerate() {
            if segment.placement.is_copied() {
                let length = segment.item.bytes.len() as u64;
                records.pointer(Data::SegmentBytes(index as u32)).u64(length);
            } else {
                // Dropped by instantiation.
                records.u64(0).u64(0);
            }
        }
        records
    }

    fn segment_bytes(&self, index: u32) -> Piece {
        let mut piece = Piece::new(Data::SegmentBytes(index), Place::ReadOnly, 16);
        piece.bytes = self.plan.spaces.data[index as usize].item.bytes.to_vec();
        piece
    }

    fn element_segments(&self) -> Piece {
        let mut records = Piece::new(Data::ElementSegments, Place::Writable, 8);
        for (index, segment) in self.plan.spaces.elements.iter().enumerate() {
            if segment.placement.is_copied() {
                let length = segment.item.items.len() as u64;
                records.pointer(Data::SegmentElements(index as u32)).u64(length);
            } else {
                records.u64(0).u64(0);
            }
        }
        records
    }

    fn segment_elements(&self, index: u32) -> Result<Piece, Error> {
        let segment = &self.plan.spaces.elements[index as usize];
        let mut piece = Piece::new(Data::SegmentElements(index), Place::ReadOnlyRelocated, 16);
        for item in &segment.item.items {
            let value = self.plan.spaces.item(segment.instance, item)?;
            self.element(&mut piece, value);
        }
        Ok(piece)
    }
}
