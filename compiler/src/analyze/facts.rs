//! Facts of the whole program, drawn from those of its reachable functions.

use super::{BodyFacts, Contents};
use crate::error::Error;
use crate::module::Constant;
use crate::program::{Export, ExportItem, Indices, Instance, Placement, Space, Spaces};

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
    /// What every table holds at the start.
    pub(crate) contents: Vec<Contents>,
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
    /// Follows the program from its roots: `_start`, start functions, what threads begin with, and
    /// every function that a segment or a global refers to; of a library, what it exports.
    pub(crate) fn new(spaces: &Spaces<'_>, exports: Option<&[Export<'_>]>) -> Result<Self, Error> {
        let main = spaces.instances.last().filter(|_| exports.is_none());
        let entry = main.and_then(|main| main.command("_start"));
        let starts = || spaces.instances.iter().flat_map(Instance::calls);
        if exports.is_none() && entry.is_none() && starts().next().is_none() {
            return Err(Error::NoEntry);
        }
        let mut reach = Reach::new(spaces);
        for root in entry.into_iter().chain(starts()).chain(spaces.thread_start) {
            reach.visit(root);
        }
        for export in exports.unwrap_or_default() {
            match export.item {
                ExportItem::Function { index, .. } => reach.visit(index),
                ExportItem::Global { index, mutable: true, .. } => {
                    reach.globals_set[index as usize] = true;
                }
                _ => {}
            }
        }
        for index in spaces.initials.iter().filter_map(referred) {
            reach.refer(index);
        }
        for index in segment_functions(spaces)? {
            reach.refer(index);
        }
        for segment in &spaces.elements {
            if let Placement::Instantiation { index, .. } = segment.placement {
                reach.tables[index as usize].changes = true;
            }
        }
        let tables = 0..spaces.tables.len() as u32;
        let contents =
            tables.map(|table| Contents::new(spaces, table)).collect::<Result<_, _>>()?;
        Ok(reach.finish(entry, contents))
    }
}

fn referred(value: &Constant) -> Option<u32> {
    match value {
        Constant::Function(index) => Some(*index),
        Constant::Bits(_) | Constant::Null => None,
    }
}

/// Functions that tables can come to hold. Segments that are only declared name what `ref.func`
/// may name; the code that does so speaks for itself.
fn segment_functions(spaces: &Spaces<'_>) -> Result<Vec<u32>, Error> {
    let mut values = Vec::new();
    for table in &spaces.tables {
        if let Some(initial) = &table.initial {
            values.push(spaces.evaluate(table.instance, initial, "a table entry")?);
        }
    }
    for segment in &spaces.elements {
        if segment.placement != Placement::Declared {
            for item in &segment.item.items {
                values.push(spaces.item(segment.instance, item)?);
            }
        }
    }
    Ok(values.iter().filter_map(referred).collect())
}

/// A module's indices as those of the program.
fn numbered<'s>(space: &'s Space, list: &'s [u32]) -> impl Iterator<Item = u32> + 's {
    list.iter().map(|&index| space.program(index))
}

/// The search from the roots.
struct Reach<'m, 'a> {
    spaces: &'m Spaces<'a>,
    visited: Vec<bool>,
    referenced: Vec<bool>,
    pending: Vec<u32>,
    globals_set: Vec<bool>,
    tables: Vec<TableFacts>,
    memories_grow: Vec<bool>,
}

impl<'m, 'a> Reach<'m, 'a> {
    fn new(spaces: &'m Spaces<'a>) -> Self {
        Self {
            spaces,
            visited: vec![false; spaces.functions.len()],
            referenced: vec![false; spaces.functions.len()],
            pending: Vec::new(),
            globals_set: vec![false; spaces.globals.len()],
            tables: vec![TableFacts::default(); spaces.tables.len()],
            memories_grow: vec![false; spaces.memories.len()],
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
            let Some(body) = self.spaces.body(index) else { continue };
            let instance = self.spaces.functions[index as usize].instance;
            self.note(&body.facts, &self.spaces.instances[instance as usize].indices);
        }
    }

    /// Takes over what a function of an instance with these indices does.
    fn note(&mut self, facts: &BodyFacts, indices: &Indices) {
        self.pending.extend(numbered(&indices.functions, &facts.calls));
        for index in numbered(&indices.functions, &facts.references) {
            self.pending.push(index);
            self.referenced[index as usize] = true;
        }
        for index in numbered(&indices.globals, &facts.globals_set) {
            self.globals_set[index as usize] = true;
        }
        for index in numbered(&indices.tables, &facts.tables_set) {
            self.tables[index as usize].changes = true;
        }
        for index in numbered(&indices.tables, &facts.tables_grown) {
            self.tables[index as usize].grows = true;
        }
        for index in numbered(&indices.memories, &facts.memories_grown) {
            self.memories_grow[index as usize] = true;
        }
    }

    fn finish(self, entry: Option<u32>, contents: Vec<Contents>) -> Facts {
        let functions = 0..self.spaces.functions.len() as u32;
        let references: Vec<u32> =
            functions.clone().filter(|&index| self.referenced[index as usize]).collect();
        let mut referenced = vec![None; self.spaces.functions.len()];
        for (number, &index) in references.iter().enumerate() {
            referenced[index as usize] = Some(number as u32);
        }
        let reached = functions
            .filter(|&index| self.visited[index as usize] && self.spaces.body(index).is_some())
            .collect();
        let globals = self
            .spaces
            .initials
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
            contents,
            memories_grow: self.memories_grow,
            entry,
        }
    }
}
