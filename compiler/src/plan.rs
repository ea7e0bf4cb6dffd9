//! Where each entity of a program lives, and what code may take for granted about it.
//!
//! The plan of a program for one target: everything that the translation of one function has to
//! know of the others.

use crate::Options;
use crate::analyze::{Contents, Facts, TableFacts};
use crate::program::{Code, Export, Host, Program, Spaces};
use crate::symbol::{Data, GLOBAL_SIZE, Symbol};
use core::mem::size_of;
use kiln_abi::program::DataSegment;
use kiln_abi::table::{Element, ElementSegment, Table};
use kiln_abi::{GUARDED_RESERVATION, WASM_PAGE_SIZE};
use kiln_targets::{Cpu, Target};

/// The plan.
pub(crate) struct Plan<'a> {
    pub(crate) spaces: &'a Spaces<'a>,
    pub(crate) facts: &'a Facts,
    /// What a library exports; none of an executable.
    pub(crate) exports: Option<&'a [Export<'a>]>,
    pub(crate) target: &'static Target,
    pub(crate) memories: Vec<MemoryPlan>,
    /// What each thread has of its own, if the program starts any.
    pub(crate) threads: Option<ThreadPlan>,
    pub(crate) stack_size: u64,
    pub(crate) cpu: Cpu,
    /// Whether to optimize at all.
    pub(crate) optimize: bool,
}

/// What each thread has of its own: one block of memory, which the pinned register points to.
#[derive(Debug)]
pub(crate) struct ThreadPlan {
    /// The function that a thread begins with.
    pub(crate) start: u32,
    /// The pieces of data in the block, in ascending order of their offsets.
    pub(crate) pieces: Vec<(Data, u64)>,
    /// Bytes of the block.
    pub(crate) size: u64,
}

impl ThreadPlan {
    fn new(start: u32, spaces: &Spaces<'_>, facts: &Facts) -> Self {
        let array = |count: usize, size: usize| count as u64 * size as u64;
        let mut sizes = vec![
            (Data::Globals, array(spaces.globals.len(), GLOBAL_SIZE as usize)),
            (Data::Tables, array(spaces.tables.len(), size_of::<Table>())),
            (Data::Segments, array(spaces.data.len(), size_of::<DataSegment>())),
            (Data::ElementSegments, array(spaces.elements.len(), size_of::<ElementSegment>())),
        ];
        for (index, table) in (0..).zip(&spaces.tables) {
            if facts.tables[index as usize].changes {
                let size = array(table.minimum as usize, size_of::<Element>());
                sizes.push((Data::TableElements(index), size));
            }
        }
        let mut plan = Self { start, pieces: Vec::new(), size: 0 };
        for (data, size) in sizes {
            plan.pieces.push((data, plan.size));
            plan.size += size;
        }
        plan
    }

    /// Where a piece of data lies in the block; `None` if all threads share it.
    pub(crate) fn offset(&self, data: Data) -> Option<u64> {
        self.pieces.iter().find(|(piece, _)| *piece == data).map(|(_, offset)| *offset)
    }
}

/// What the translation of a function asked of the target.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    /// Where a memory lies.
    pub(crate) memory_base: bool,
}

/// How code accesses a memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemoryPlan {
    pub(crate) memory64: bool,
    /// The link-time address of byte 0; else it is read from the memory's record.
    pub(crate) base: Option<u64>,
    /// The length that it always has; else it is read from the record.
    pub(crate) length: Option<u64>,
    /// Every access is compared with the length.
    pub(crate) checked: bool,
    /// Bytes of address space to reserve.
    pub(crate) reservation: u64,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        program: &'a Program<'a>,
        target: &'static Target,
        options: &Options,
    ) -> Self {
        let Program { spaces, facts, exports } = program;
        let exports = exports.as_deref();
        // A library lies wherever its process has room for it.
        let base = target.memory_base().filter(|_| exports.is_none());
        let memories = (0..spaces.memories.len())
            .map(|index| plan_memory(spaces, facts, base, options, index))
            .collect();
        let stack_size = options.stack_size.next_multiple_of(WASM_PAGE_SIZE);
        let threads = spaces.thread_start.map(|start| ThreadPlan::new(start, spaces, facts));
        let Options { cpu, optimize, .. } = *options;
        Self { spaces, facts, exports, target, memories, threads, stack_size, cpu, optimize }
    }

    /// Whether another target of the same program has the same answers to what was asked, so that
    /// a translation for this one serves it too.
    pub(crate) fn agrees(&self, other: &Self, asked: Asked) -> bool {
        let bases =
            |plan: &Self| plan.memories.iter().map(|memory| memory.base).collect::<Vec<_>>();
        !asked.memory_base || bases(self) == bases(other)
    }

    /// Where a piece of data lies in the block of each thread; `None` if all threads share it.
    pub(crate) fn thread_offset(&self, data: Data) -> Option<u64> {
        self.threads.as_ref()?.offset(data)
    }

    /// What the host provides as the function of that index.
    pub(crate) fn host(&self, function: u32) -> Option<Host> {
        match self.spaces.functions[function as usize].code {
            Code::Host(host) => Some(host),
            Code::Body(_) => None,
        }
    }

    /// The code of a function in the convention of compiled code.
    pub(crate) fn symbol(&self, function: u32) -> Symbol {
        match self.host(function) {
            Some(_) => Symbol::Trampoline(function),
            None => Symbol::Function(function),
        }
    }

    /// Whether some call of WASI comes from an instance without memory.
    pub(crate) fn lacks_wasi_memory(&self) -> bool {
        let lacks = |host| matches!(host, Code::Host(Host::Wasi { memory: None, .. }));
        self.spaces.functions.iter().any(|function| lacks(function.code))
    }

    /// What a table always holds; `None` if that changes, or is not to be made use of.
    pub(crate) fn table_contents(&self, table: u32) -> Option<&'a Contents> {
        let TableFacts { changes, grows } = self.facts.tables[table as usize];
        (self.optimize && !changes && !grows).then(|| &self.facts.contents[table as usize])
    }

    /// The length that a table always has; `None` if it grows.
    pub(crate) fn table_length(&self, table: u32) -> Option<u64> {
        let grows = self.facts.tables[table as usize].grows;
        (!grows).then(|| self.spaces.tables[table as usize].minimum)
    }
}

fn plan_memory(
    spaces: &Spaces<'_>,
    facts: &Facts,
    base: Option<u64>,
    options: &Options,
    index: usize,
) -> MemoryPlan {
    let memory = &spaces.memories[index];
    let checked = options.checked_memory || memory.memory64;
    MemoryPlan {
        memory64: memory.memory64,
        base: base.filter(|_| index == 0 && !memory.memory64),
        length: (!facts.memories_grow[index]).then_some(memory.minimum),
        checked,
        reservation: match (checked, facts.memories_grow[index]) {
            (false, _) => GUARDED_RESERVATION,
            // No operating system reserves nothing.
            (true, false) => memory.minimum.max(WASM_PAGE_SIZE),
            (true, true) => memory.maximum.max(WASM_PAGE_SIZE),
        },
    }
}
