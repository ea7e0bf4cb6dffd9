//! Where each entity of a program lives, and what code may take for granted about it.
//!
//! The plan of a module for one target: everything that the translation of one function has to
//! know of the others.

use crate::Options;
use crate::analyze::Facts;
use crate::module::{Index, Module};
use kiln_abi::{GUARDED_RESERVATION, WASM_PAGE_SIZE};
use kiln_targets::Target;

/// The plan.
pub(crate) struct Plan<'a> {
    pub(crate) module: &'a Module<'a>,
    pub(crate) facts: &'a Facts,
    pub(crate) target: &'static Target,
    pub(crate) memories: Vec<MemoryPlan>,
    /// For every imported function, its position in [`kiln_abi::wasi::FUNCTIONS`].
    pub(crate) wasi: Vec<u32>,
    pub(crate) stack_size: u64,
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
        module: &'a Module<'a>,
        facts: &'a Facts,
        target: &'static Target,
        wasi: Vec<u32>,
        options: &Options,
    ) -> Self {
        let memories = (0..module.memories.len())
            .map(|index| plan_memory(module, facts, target, options, index))
            .collect();
        Self {
            module,
            facts,
            target,
            memories,
            wasi,
            stack_size: options.stack_size.next_multiple_of(WASM_PAGE_SIZE),
        }
    }

    /// Whether the function of that index is imported.
    pub(crate) fn is_imported(&self, function: u32) -> bool {
        (function as usize) < self.wasi.len()
    }

    /// The memory that the guest's pointers in a call of WASI point into: the one exported as
    /// `memory`, else the first.
    pub(crate) fn wasi_memory(&self) -> u32 {
        match self.module.exported("memory") {
            Some(Index::Memory(index)) => index,
            _ => 0,
        }
    }

    /// The length that a table always has; `None` if it grows.
    pub(crate) fn table_length(&self, table: u32) -> Option<u64> {
        let grows = self.facts.tables[table as usize].grows;
        (!grows).then(|| self.module.tables[table as usize].minimum)
    }
}

fn plan_memory(
    module: &Module<'_>,
    facts: &Facts,
    target: &Target,
    options: &Options,
    index: usize,
) -> MemoryPlan {
    let memory = &module.memories[index];
    let checked = options.checked_memory || memory.memory64;
    MemoryPlan {
        memory64: memory.memory64,
        base: target.memory_base.filter(|_| index == 0 && !memory.memory64),
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
