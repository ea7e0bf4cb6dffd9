//! A parsed and validated module as plain data, in the index spaces of the specification.
//!
//! Source: WebAssembly core specification, "Structure / Modules".

mod const_expr;

pub use const_expr::ConstExpr;
pub(crate) use const_expr::Constant;

use crate::analyze::BodyFacts;
use wasmparser::{FuncType, FunctionBody, RefType, ValType};

/// A module.
#[derive(Debug, Default)]
pub struct Module<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// The name that the module gives itself.
    pub name: Option<&'a str>,
    /// Imports in order.
    pub imports: Vec<Import<'a>>,
    /// Exports in order.
    pub exports: Vec<Export<'a>>,
    /// Proposals beyond the MVP that the module uses, in order of their names.
    pub proposals: Vec<&'static str>,
    /// Sections in order, custom sections included.
    pub sections: Vec<Section<'a>>,
    pub(crate) types: Vec<Signature>,
    pub(crate) functions: Vec<Function<'a>>,
    pub(crate) tables: Vec<Table<'a>>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) globals: Vec<Global<'a>>,
    /// For each tag, the index of the type whose parameters are its payload.
    pub(crate) tags: Vec<u32>,
    pub(crate) start: Option<u32>,
    pub(crate) elements: Vec<ElementSegment<'a>>,
    pub(crate) data: Vec<DataSegment<'a>>,
}

impl Module<'_> {
    /// The bytes of every data segment, in order.
    pub fn data(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.data.iter().map(|segment| segment.bytes)
    }

    /// Number of functions with bodies.
    #[must_use]
    pub fn defined_functions(&self) -> usize {
        self.functions.iter().filter(|function| function.body.is_some()).count()
    }

    /// The function's name for messages: its own, else the one it is exported or imported by,
    /// else its index.
    pub(crate) fn function_name(&self, index: u32) -> String {
        self.functions
            .get(index as usize)
            .and_then(|function| function.name)
            .map_or_else(|| format!("func[{index}]"), str::to_owned)
    }

    pub(crate) fn signature(&self, function: u32) -> &Signature {
        &self.types[self.functions[function as usize].type_index as usize]
    }

    /// The type whose parameters are a tag's payload.
    pub(crate) fn tag_type(&self, tag: u32) -> &Signature {
        &self.types[self.tags[tag as usize] as usize]
    }

    pub(crate) fn exported(&self, name: &str) -> Option<Index> {
        self.exports.iter().find(|export| export.name == name).map(|export| export.index)
    }
}

/// A section of the file.
#[derive(Debug)]
pub struct Section<'a> {
    /// The name in the specification, such as `code`, or the custom section's own.
    pub name: &'a str,
    /// Whether it is a custom section.
    pub custom: bool,
    /// Bytes of its contents.
    pub size: usize,
}

/// An import.
#[derive(Debug)]
pub struct Import<'a> {
    /// Module name.
    pub module: &'a str,
    /// Item name.
    pub name: &'a str,
    /// Its kind and type as text, such as `func (i32, i32) -> i32` or `memory 17`.
    pub description: String,
    pub(crate) index: Index,
}

/// An export.
#[derive(Debug)]
pub struct Export<'a> {
    /// Item name.
    pub name: &'a str,
    /// Its kind and type as text.
    pub description: String,
    pub(crate) index: Index,
}

/// An index together with its index space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Function(u32),
    Table(u32),
    Memory(u32),
    Global(u32),
    Tag(u32),
}

impl Index {
    /// The index without its space.
    pub(crate) fn value(self) -> u32 {
        let (Self::Function(index)
        | Self::Table(index)
        | Self::Memory(index)
        | Self::Global(index)
        | Self::Tag(index)) = self;
        index
    }
}

/// A function type with its canonical number: equal types have equal numbers.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) id: u32,
    pub(crate) ty: FuncType,
}

#[derive(Debug)]
pub(crate) struct Function<'a> {
    pub(crate) type_index: u32,
    pub(crate) name: Option<&'a str>,
    /// The body, and what a look at it told; `None` for an imported function.
    pub(crate) body: Option<Body<'a>>,
}

#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub(crate) code: FunctionBody<'a>,
    pub(crate) facts: BodyFacts,
}

#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) element: RefType,
    pub(crate) table64: bool,
    pub(crate) minimum: u64,
    pub(crate) maximum: Option<u64>,
    /// What every entry holds at first; null without.
    pub(crate) initial: Option<ConstExpr<'a>>,
}

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) memory64: bool,
    pub(crate) shared: bool,
    /// In bytes.
    pub(crate) minimum: u64,
    /// In bytes: what the module allows and the address type can name.
    pub(crate) maximum: u64,
    /// In bytes: what the module allows, if it says so.
    pub(crate) declared_maximum: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Global<'a> {
    pub(crate) ty: ValType,
    pub(crate) mutable: bool,
    /// `None` for an imported global.
    pub(crate) initial: Option<ConstExpr<'a>>,
}

#[derive(Debug)]
pub(crate) struct ElementSegment<'a> {
    pub(crate) mode: Mode<'a>,
    pub(crate) items: Vec<ElementItem<'a>>,
}

#[derive(Debug)]
pub(crate) enum ElementItem<'a> {
    Function(u32),
    Expression(ConstExpr<'a>),
}

#[derive(Debug)]
pub(crate) struct DataSegment<'a> {
    pub(crate) mode: Mode<'a>,
    pub(crate) bytes: &'a [u8],
}

/// When a segment is copied to where.
#[derive(Debug)]
pub(crate) enum Mode<'a> {
    Passive,
    /// On instantiation, into the table or memory of that index.
    Active {
        index: u32,
        offset: ConstExpr<'a>,
    },
    /// Never: it only declares functions that are referred to.
    Declared,
}
