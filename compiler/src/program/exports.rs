//! What a library lets C programs use: the exports of its main module.

use super::Spaces;
use crate::module::Index;
use std::fmt;
use wasmparser::ValType;

/// An export of a library.
#[derive(Debug)]
pub struct Export<'a> {
    /// Its name in wasm.
    pub name: &'a str,
    /// What it is.
    pub item: ExportItem,
    /// Kind and type as text.
    pub description: &'a str,
}

/// What an export is. The numbers are indices in the program, of use to this crate alone.
#[derive(Debug, PartialEq, Eq)]
pub enum ExportItem {
    /// A function.
    Function {
        /// Its index.
        index: u32,
        /// Types of its parameters.
        parameters: Vec<Number>,
        /// Types of its results.
        results: Vec<Number>,
    },
    /// A linear memory.
    Memory {
        /// Its index.
        index: u32,
    },
    /// A global.
    Global {
        /// Its index.
        index: u32,
        /// Its type.
        ty: Number,
        /// Whether it can be set.
        mutable: bool,
    },
    /// Something that C has no type for: tables, tags, vectors, references.
    LeftOut,
}

/// A type that C has, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
    /// A float of 32 bits.
    F32,
    /// A float of 64 bits.
    F64,
}

impl Number {
    fn of(ty: ValType) -> Option<Self> {
        match ty {
            ValType::I32 => Some(Self::I32),
            ValType::I64 => Some(Self::I64),
            ValType::F32 => Some(Self::F32),
            ValType::F64 => Some(Self::F64),
            ValType::V128 | ValType::Ref(_) => None,
        }
    }
}

impl<'a> Export<'a> {
    /// The exports of the main module.
    pub(super) fn all(spaces: &Spaces<'a>) -> Vec<Self> {
        let Some(main) = spaces.instances.last() else { return Vec::new() };
        let exports = &main.module.exports;
        exports
            .iter()
            .map(|export| {
                let index = main.indices.program(export.index);
                let item = item(spaces, export.index, index).unwrap_or(ExportItem::LeftOut);
                Self { name: export.name, item, description: &export.description }
            })
            .collect()
    }

    /// The names of the C symbols by which its parts are linked, given its position: what is called
    /// first, such as the function itself or what gets a global; then what sets that or tells a
    /// memory's length.
    #[must_use]
    pub fn symbols(position: usize) -> [String; 2] {
        [format!("kiln_export_{position}"), format!("kiln_export_{position}_second")]
    }
}

/// The C symbol of what makes a library's instance.
pub const INSTANTIATE: &str = "kiln_instantiate";

fn item(spaces: &Spaces<'_>, kind: Index, index: u32) -> Option<ExportItem> {
    let numbers =
        |types: &[ValType]| types.iter().copied().map(Number::of).collect::<Option<Vec<_>>>();
    match kind {
        Index::Function(_) => {
            let ty = &spaces.signature(index).ty;
            let (parameters, results) = (numbers(ty.params())?, numbers(ty.results())?);
            Some(ExportItem::Function { index, parameters, results })
        }
        Index::Memory(_) => Some(ExportItem::Memory { index }),
        Index::Global(_) => {
            let global = &spaces.globals[index as usize];
            Some(ExportItem::Global { index, ty: Number::of(global.ty)?, mutable: global.mutable })
        }
        Index::Table(_) | Index::Tag(_) => None,
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}
