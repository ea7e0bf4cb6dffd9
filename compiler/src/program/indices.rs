//! From the indices of a module to those of the program.

use crate::module::Index;
use wasmparser::{BlockType, Catch, MemArg, MemArgTarget, Operator, TryTable};

/// One index space.
#[derive(Debug, Default)]
pub(crate) struct Space {
    /// The program's indices of what is imported.
    imported: Vec<u32>,
    /// The program's index of the first one that is defined.
    first: u32,
}

impl Space {
    /// A space whose definitions begin at an index of the program.
    pub(super) fn new(imported: Vec<u32>, first: usize) -> Self {
        Self { imported, first: first as u32 }
    }

    /// The program's index for one of the module.
    pub(crate) fn program(&self, index: u32) -> u32 {
        let imported = self.imported.get(index as usize).copied();
        imported.unwrap_or_else(|| self.first + index - self.imported.len() as u32)
    }

    fn is_identity(&self) -> bool {
        self.imported.iter().zip(0..).all(|(&program, index)| program == index)
            && self.first as usize == self.imported.len()
    }
}

/// All index spaces of a module.
#[derive(Debug, Default)]
pub(crate) struct Indices {
    pub(crate) types: Space,
    pub(crate) functions: Space,
    pub(crate) tables: Space,
    pub(crate) memories: Space,
    pub(crate) globals: Space,
    pub(crate) tags: Space,
    pub(crate) elements: Space,
    pub(crate) data: Space,
}

impl Indices {
    /// The program's index for one of the module.
    pub(crate) fn program(&self, index: Index) -> u32 {
        match index {
            Index::Function(index) => self.functions.program(index),
            Index::Table(index) => self.tables.program(index),
            Index::Memory(index) => self.memories.program(index),
            Index::Global(index) => self.globals.program(index),
            Index::Tag(index) => self.tags.program(index),
        }
    }

    /// Whether the module's indices are those of the program.
    pub(crate) fn are_identity(&self) -> bool {
        let Self { types, functions, tables, memories, globals, tags, elements, data } = self;
        [types, functions, tables, memories, globals, tags, elements, data]
            .iter()
            .all(|space| space.is_identity())
    }

    fn block_type(&self, ty: &mut BlockType) {
        if let BlockType::FuncType(index) = ty {
            *index = self.types.program(*index);
        }
    }

    fn memory_argument(&self, argument: &mut MemArg) {
        if let MemArgTarget::Memory(index) = &mut argument.target {
            *index = self.memories.program(*index);
        }
    }

    fn try_table(&self, table: &mut TryTable) {
        self.block_type(&mut table.ty);
        for catch in &mut table.catches {
            if let Catch::One { tag, .. } | Catch::OneRef { tag, .. } = catch {
                *tag = self.tags.program(*tag);
            }
        }
    }
}

/// What becomes of an operator's immediate of that name.
macro_rules! immediate {
    ($indices:ident function_index $value:ident) => {
        *$value = $indices.functions.program(*$value)
    };
    ($indices:ident type_index $value:ident) => {
        *$value = $indices.types.program(*$value)
    };
    ($indices:ident global_index $value:ident) => {
        *$value = $indices.globals.program(*$value)
    };
    ($indices:ident tag_index $value:ident) => {
        *$value = $indices.tags.program(*$value)
    };
    ($indices:ident elem_index $value:ident) => {
        *$value = $indices.elements.program(*$value)
    };
    ($indices:ident data_index $value:ident) => {
        *$value = $indices.data.program(*$value)
    };
    ($indices:ident table $value:ident) => {
        *$value = $indices.tables.program(*$value)
    };
    ($indices:ident table_index $value:ident) => {
        *$value = $indices.tables.program(*$value)
    };
    ($indices:ident dst_table $value:ident) => {
        *$value = $indices.tables.program(*$value)
    };
    ($indices:ident src_table $value:ident) => {
        *$value = $indices.tables.program(*$value)
    };
    ($indices:ident mem $value:ident) => {
        *$value = $indices.memories.program(*$value)
    };
    ($indices:ident dst_mem $value:ident) => {
        *$value = $indices.memories.program(*$value)
    };
    ($indices:ident src_mem $value:ident) => {
        *$value = $indices.memories.program(*$value)
    };
    ($indices:ident memarg $value:ident) => {
        $indices.memory_argument($value)
    };
    ($indices:ident blockty $value:ident) => {
        $indices.block_type($value)
    };
    ($indices:ident try_table $value:ident) => {
        $indices.try_table($value)
    };
    // Heap types of null references, types of locals and labels mean the same everywhere.
    ($indices:ident $other:ident $value:ident) => {
        _ = $value
    };
}

macro_rules! renumber {
    ($(@$proposal:ident $op:ident $({ $($field:ident: $ty:ty),* })? => $visit:ident ($($rest:tt)*))*) => {
        impl Indices {
            /// Replaces the module's indices in an operator by those of the program.
            pub(crate) fn renumber(&self, operator: &mut Operator<'_>) {
                match operator {
                    $(Operator::$op { $($($field),*)? } => {
                        $($(immediate!(self $field $field);)*)?
                    })*
                    _ => {}
                }
            }
        }
    };
}
wasmparser::for_each_operator!(renumber);
