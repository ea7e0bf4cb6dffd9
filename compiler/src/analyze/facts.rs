//! Facts of the whole program, drawn from those of its reachable functions.

use crate::error::Error;
use crate::module::{Constant, ElementItem, Evaluator, Index, Mode, Module};

/// What is known of a program.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Functions with bodies that can be reached, in ascending order of index.
    pub(crate) reached: Vec<u32>,
    /// For every function that some table or reference can hold, its number among those.
    pub(crate) referenced: Vec<Option<u32>>,
    /// The functions that have such numbers, in that order.
    pub(crate) references: Vec<u32>,
    pub(crate) globals: Vec<GlobalFacts>,
    pub(crate) tables: Vec<TableFacts>,
    /// For every memory, whether it grows.
    pub(crate) memories_grow: Vec<bool>,
    /// The exported `_start`.
    pub(crate) entry: Option<u32>,
}

/// What is known of a global.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GlobalFacts {
    pub(crate) initial: Constant,
    /// No reachable code sets it: it is a constant.
    pub(crate) constant: bool,
}

/// What is known of a table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TableFacts {
    /// Reachable code changes entries.
    pub(crate) changes: bool,
    /// Reachable code grows it.
    pub(crate) grows: bool,
}

impl Facts {
    /// Follows the program from its roots: `_start`, the start function, and every function that
    /// a segment or a global refers to.
    pub(crate) fn new(module: &Module<'_>) -> Result<Self, Error> {
        let entry = match module.exported("_start") {
            Some(Index::Function(index)) if is_command(module, index) => Some(index),
            _ => None,
        };
        if entry.is_none() && module.start.is_none() {
            return Err(Error::NoEntry);
        }
        let evaluator = evaluate_globals(module)?;
        let mut reach = Reach::new(module);
        for root in entry.into_iter().chain(module.start) {
            reach.visit(root);
        }
        for index in evaluator.globals.iter().filter_map(referred) {
            reach.refer(index);
        }
        for index in segment_functions(module, &evaluator)? {
            reach.refer(index);
        }
        Ok(reach.finish(module, &evaluator.globals, entry))
    }
}

fn is_command(module: &Module<'_>, index: u32) -> bool {
    let ty = &module.signature(index).ty;
    ty.params().is_empty() && ty.results().is_empty()
}

fn referred(value: &Constant) -> Option<u32> {
    match value {
        Constant::Function(index) => Some(*index),
        Constant::Bits(_) | Constant::Null => None,
    }
}

fn unevaluated(what: &str) -> Error {
    Error::Unsupported {
        proposal: "a constant expression",
        message: format!("the initial value of {what} is not known when compiling"),
        offset: 0,
        function: None,
    }
}

/// Evaluates the initial value of every global.
fn evaluate_globals(module: &Module<'_>) -> Result<Evaluator, Error> {
    let mut evaluator = Evaluator::default();
    for (index, global) in module.globals.iter().enumerate() {
        let value = global
            .initial
            .as_ref()
            .and_then(|expression| evaluator.evaluate(expression))
            .ok_or_else(|| unevaluated(&format!("global {index}")))?;
        evaluator.globals.push(value);
    }
    Ok(evaluator)
}

/// Functions that tables can come to hold. Segments that are only declared name what `ref.func`
/// may name; the code that does so speaks for itself.
fn segment_functions(module: &Module<'_>, evaluator: &Evaluator) -> Result<Vec<u32>, Error> {
    let mut functions = Vec::new();
    let tables = module.tables.iter().filter_map(|table| table.initial.as_ref());
    let expressions = module
        .elements
        .iter()
        .filter(|segment| !matches!(segment.mode, Mode::Declared))
        .flat_map(|segment| &segment.items)
        .filter_map(|item| match item {
            ElementItem::Function(index) => {
                functions.push(*index);
                None
            }
            ElementItem::Expression(expression) => Some(expression),
        })
        .collect::<Vec<_>>();
    for expression in tables.chain(expressions) {
        let value = evaluator.evaluate(expression).ok_or_else(|| unevaluated("a table entry"))?;
        functions.extend(referred(&value));
    }
    Ok(functions)
}

/// The search from the roots.
struct Reach<'m, 'a> {
    module: &'m Module<'a>,
    visited: Vec<bool>,
    referenced: Vec<bool>,
    pending: Vec<u32>,
    globals_set: Vec<bool>,
    tables: Vec<TableFacts>,
    memories_grow: Vec<bool>,
}

impl<'m, 'a> Reach<'m, 'a> {
    fn new(module: &'m Module<'a>) -> Self {
        Self {
            module,
            visited: vec![false; module.functions.len()],
            referenced: vec![false; module.functions.len()],
            pending: Vec::new(),
            globals_set: vec![false; module.globals.len()],
            tables: vec![TableFacts::default(); module.tables.len()],
            memories_grow: vec![false; module.memories.len()],
        }
    }

    fn refer(&mut self, index: u32) {
        self.referenced[index as usize] = true;
        self.visit(index);
    }

    fn visit(&mut self, index: u32) {
        self.pending.push(index);
        while let Some(index) = self.pending.pop() {
            if std::mem::replace(&mut self.visited[index as usize], true) {
                continue;
            }
            let Some(body) = &self.module.functions[index as usize].body else { continue };
            let facts = &body.facts;
            self.pending.extend(&facts.calls);
            self.pending.extend(&facts.references);
            for &index in &facts.references {
                self.referenced[index as usize] = true;
            }
            for &index in &facts.globals_set {
                self.globals_set[index as usize] = true;
            }
            for &index in &facts.tables_set {
                self.tables[index as usize].changes = true;
            }
            for &index in &facts.tables_grown {
                self.tables[index as usize].grows = true;
            }
            for &index in &facts.memories_grown {
                self.memories_grow[index as usize] = true;
            }
        }
    }

    fn finish(self, module: &Module<'_>, initials: &[Constant], entry: Option<u32>) -> Facts {
        let functions = 0..module.functions.len() as u32;
        let references: Vec<u32> =
            functions.clone().filter(|&index| self.referenced[index as usize]).collect();
        let mut referenced = vec![None; module.functions.len()];
        for (number, &index) in references.iter().enumerate() {
            referenced[index as usize] = Some(number as u32);
        }
        let reached = functions
            .filter(|&index| {
                self.visited[index as usize] && module.functions[index as usize].body.is_some()
            })
            .collect();
        let globals = initials
            .iter()
            .zip(&self.globals_set)
            .map(|(&initial, &set)| GlobalFacts { initial, constant: !set })
            .collect();
        Facts {
            reached,
            referenced,
            references,
            globals,
            tables: self.tables,
            memories_grow: self.memories_grow,
            entry,
        }
    }
}
