//! Instances of modules, linked: what one executable is made of.
//!
//! Requires valid modules. Guarantees that every import is provided by another instance or by the
//! host, with a type that matches, and that every index space is the program's own: an instance
//! keeps only the way from its module's indices to those ([`Indices`]).
//!
//! Instances come about in their order when the program starts, but for those that code asks for
//! by a function of the host ([`host`]).
//!
//! Source: core specification, "Execution / Modules".

mod exports;
pub(crate) mod host;
mod indices;
mod instantiation;
mod link;
mod matching;

pub use exports::{Export, ExportItem, INSTANTIATE, Number};
pub(crate) use host::Host;
pub(crate) use indices::{Indices, Space};
pub(crate) use instantiation::Placement;
pub use link::{Source, link, link_library};

use crate::analyze::Facts;
use crate::error::Error;
use crate::module::{
    Body, ConstExpr, Constant, DataSegment, ElementItem, ElementSegment, Global, Index, Memory,
    Module, Signature, Table,
};
use std::ops::Deref;
use wasmparser::ValType;

/// A linked program and what is known of it.
#[derive(Debug)]
pub struct Program<'a> {
    pub(crate) spaces: Spaces<'a>,
    pub(crate) facts: Facts,
    pub(crate) exports: Option<Vec<Export<'a>>>,
}

impl<'a> Program<'a> {
    /// What a library exports, in the order of its module; nothing of an executable.
    #[must_use]
    pub fn exports(&self) -> &[Export<'a>] {
        self.exports.as_deref().unwrap_or_default()
    }

    /// Number of functions to compile.
    #[must_use]
    pub fn function_count(&self) -> usize {
        self.facts.reached.len()
    }
}

/// The program's index spaces.
#[derive(Debug, Default)]
pub(crate) struct Spaces<'a> {
    pub(crate) instances: Vec<Instance<'a>>,
    pub(crate) types: Vec<&'a Signature>,
    pub(crate) functions: Vec<Function<'a>>,
    pub(crate) tables: Vec<Item<'a, Table<'a>>>,
    pub(crate) memories: Vec<Item<'a, Memory>>,
    pub(crate) globals: Vec<Item<'a, Global<'a>>>,
    /// Initial values of the globals.
    pub(crate) initials: Vec<Constant>,
    /// For each tag, the index of the type whose parameters are its payload.
    pub(crate) tags: Vec<u32>,
    pub(crate) elements: Vec<Segment<'a, ElementSegment<'a>>>,
    pub(crate) data: Vec<Segment<'a, DataSegment<'a>>>,
    /// The function that threads begin with, if the program starts any.
    pub(crate) thread_start: Option<u32>,
}

/// An instance of a module.
#[derive(Debug)]
pub(crate) struct Instance<'a> {
    pub(crate) module: &'a Module<'a>,
    pub(crate) indices: Indices,
    /// Whether the module's indices are not those of the program.
    pub(crate) renumbered: bool,
    /// It comes about when code asks for it, not when the program starts.
    pub(crate) lazy: bool,
    /// Imports that match only if what is imported grew by the time of instantiation.
    pub(crate) growths: Vec<instantiation::Growth>,
    /// The program's index of a function that is called once the instance is there.
    pub(crate) initialize: Option<u32>,
}

impl Instance<'_> {
    /// The program's indices of what is called when the instance comes about, in order.
    pub(crate) fn calls(&self) -> impl Iterator<Item = u32> {
        let start = self.module.start.map(|start| self.indices.functions.program(start));
        start.into_iter().chain(self.initialize)
    }

    /// The program's index of an exported function without parameters and results.
    pub(crate) fn command(&self, name: &str) -> Option<u32> {
        let Some(Index::Function(index)) = self.module.exported(name) else { return None };
        let ty = &self.module.signature(index).ty;
        let is_command = ty.params().is_empty() && ty.results().is_empty();
        is_command.then(|| self.indices.functions.program(index))
    }
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function<'a> {
    pub(crate) instance: u32,
    /// Its index in the module.
    pub(crate) index: u32,
    pub(crate) type_index: u32,
    pub(crate) name: Option<&'a str>,
    pub(crate) code: Code<'a>,
}

/// What a function does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Code<'a> {
    Body(&'a Body<'a>),
    Host(Host),
}

/// What an instance defines.
#[derive(Debug)]
pub(crate) struct Item<'a, T> {
    pub(crate) instance: u32,
    pub(crate) item: &'a T,
}

impl<T> Deref for Item<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.item
    }
}

/// A segment and where it goes.
#[derive(Debug)]
pub(crate) struct Segment<'a, T> {
    pub(crate) instance: u32,
    pub(crate) item: &'a T,
    pub(crate) placement: Placement,
}

impl<'a> Spaces<'a> {
    pub(crate) fn signature(&self, function: u32) -> &'a Signature {
        self.types[self.functions[function as usize].type_index as usize]
    }

    /// Types of a tag's payload.
    pub(crate) fn payload(&self, tag: u32) -> &'a [ValType] {
        self.types[self.tags[tag as usize] as usize].ty.params()
    }

    /// The function's name for messages.
    pub(crate) fn function_name(&self, index: u32) -> String {
        let function = &self.functions[index as usize];
        self.instances[function.instance as usize].module.function_name(function.index)
    }

    pub(crate) fn body(&self, function: u32) -> Option<&'a Body<'a>> {
        match self.functions[function as usize].code {
            Code::Body(body) => Some(body),
            Code::Host(_) => None,
        }
    }

    /// The value of an instance's constant expression.
    ///
    /// # Errors
    /// It cannot be known when compiling; `what` is what has that value.
    pub(crate) fn evaluate(
        &self,
        instance: u32,
        expression: &ConstExpr<'_>,
        what: &str,
    ) -> Result<Constant, Error> {
        let indices = &self.instances[instance as usize].indices;
        expression.evaluate(indices, &self.initials).ok_or_else(|| Error::Unsupported {
            proposal: "a constant expression",
            message: format!("the value of {what} is not known when compiling"),
            offset: expression.offset(),
            function: None,
        })
    }

    /// The value of an instance's item of an element segment.
    pub(crate) fn item(&self, instance: u32, item: &ElementItem<'_>) -> Result<Constant, Error> {
        match item {
            ElementItem::Function(index) => {
                let functions = &self.instances[instance as usize].indices.functions;
                Ok(Constant::Function(functions.program(*index)))
            }
            ElementItem::Expression(expression) => {
                self.evaluate(instance, expression, "a table entry")
            }
        }
    }
}
