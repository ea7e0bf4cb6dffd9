//! What is noted of a function body while it is validated.

use super::{idiom, proposals};
use wasmparser::{BlockType, FunctionBody, Operator, WasmFeatures};

/// What one function body does, as far as other functions' code depends on it. Each list is
/// sorted and free of duplicates once [`BodyFacts::finish`] ran.
#[derive(Debug)]
pub(crate) struct BodyFacts {
    pub(crate) proposals: WasmFeatures,
    /// Functions called directly.
    pub(crate) calls: Vec<u32>,
    /// Functions that `ref.func` makes a reference of.
    pub(crate) references: Vec<u32>,
    /// Globals that are set.
    pub(crate) globals_set: Vec<u32>,
    /// Tables whose entries change.
    pub(crate) tables_set: Vec<u32>,
    /// Tables that grow.
    pub(crate) tables_grown: Vec<u32>,
    /// Memories that grow.
    pub(crate) memories_grown: Vec<u32>,
    /// Targets of all branch tables, counted as often as they are named.
    pub(crate) branch_targets: u32,
    /// It is `memcmp`: it compares bytes of memory 0.
    pub(crate) compares_bytes: bool,
}

impl BodyFacts {
    /// Those of a body that stand before its operators are seen.
    pub(crate) fn new(body: &FunctionBody<'_>) -> Self {
        Self {
            proposals: WasmFeatures::empty(),
            calls: Vec::new(),
            references: Vec::new(),
            globals_set: Vec::new(),
            tables_set: Vec::new(),
            tables_grown: Vec::new(),
            memories_grown: Vec::new(),
            branch_targets: 0,
            compares_bytes: idiom::compares_bytes(body.as_bytes()),
        }
    }

    pub(crate) fn note(&mut self, operator: &Operator<'_>) {
        self.proposals |= proposals::of_operator(operator);
        match *operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                self.calls.push(function_index);
            }
            Operator::RefFunc { function_index } => self.references.push(function_index),
            Operator::GlobalSet { global_index } => self.globals_set.push(global_index),
            Operator::TableSet { table }
            | Operator::TableFill { table }
            | Operator::TableInit { table, .. }
            | Operator::TableCopy { dst_table: table, .. } => self.tables_set.push(table),
            Operator::TableGrow { table } => {
                self.tables_set.push(table);
                self.tables_grown.push(table);
            }
            Operator::BrTable { ref targets } => {
                self.branch_targets = self.branch_targets.saturating_add(targets.len());
            }
            Operator::MemoryGrow { mem } => self.memories_grown.push(mem),
            Operator::Block { blockty: BlockType::FuncType(_) }
            | Operator::Loop { blockty: BlockType::FuncType(_) }
            | Operator::If { blockty: BlockType::FuncType(_) } => {
                self.proposals |= WasmFeatures::MULTI_VALUE;
            }
            _ => {}
        }
    }

    pub(crate) fn finish(&mut self) {
        for list in [
            &mut self.calls,
            &mut self.references,
            &mut self.globals_set,
            &mut self.tables_set,
            &mut self.tables_grown,
            &mut self.memories_grown,
        ] {
            list.sort_unstable();
            list.dedup();
            list.shrink_to_fit();
        }
    }
}
