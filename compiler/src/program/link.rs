//! Linking: modules and what provides their imports → a program.

use super::host::{self, Host};
use super::indices::Space;
use super::instantiation::{self, Growth};
use super::matching::{self, Limits};
use super::{Code, Export, Function, Indices, Instance, Item, Program, Spaces};
use crate::analyze::Facts;
use crate::error::Error;
use crate::module::{Import, Index, Module};
use std::collections::BTreeMap;

/// A module to make an instance of.
#[derive(Debug)]
pub struct Source<'a> {
    /// What [`kiln:instantiate`](super::host) knows the instance by.
    pub name: &'a str,
    /// The module.
    pub module: &'a Module<'a>,
    /// For each module name that it imports from, the position of the instance that provides it;
    /// one before its own. The host provides the others.
    pub providers: BTreeMap<&'a str, usize>,
    /// The instance comes about when code asks for it, not when the program starts.
    pub lazy: bool,
}

impl<'a> Source<'a> {
    /// A module that imports from the host alone.
    #[must_use]
    pub fn alone(module: &'a Module<'a>) -> Self {
        Self { name: "", module, providers: BTreeMap::new(), lazy: false }
    }
}

/// Links modules that were [parsed together](crate::parse_all). The last one is the program's
/// main module, whose `_start` runs when all instances are there. Where another one that comes
/// about at start exports `_initialize`, that is called first, as WASI asks for its libraries.
///
/// # Errors
/// An import is unknown or has another type than what provides it, a constant expression cannot
/// be evaluated, or there is nothing to run; with the position of the module that is at fault.
pub fn link<'a>(sources: &[Source<'a>]) -> Result<Program<'a>, (usize, Error)> {
    link_as(sources, false)
}

/// Links the same to a library, whose exports are those of the main module: `_initialize` of that one
/// is called too, and `_start` is an export like others.
///
/// # Errors
/// As [`link`], but there need be nothing to run; and if the program starts threads.
pub fn link_library<'a>(sources: &[Source<'a>]) -> Result<Program<'a>, (usize, Error)> {
    let program = link_as(sources, true)?;
    match program.spaces.thread_start {
        Some(_) => Err((sources.len() - 1, Error::ThreadsInLibrary)),
        None => Ok(program),
    }
}

fn link_as<'a>(sources: &[Source<'a>], library: bool) -> Result<Program<'a>, (usize, Error)> {
    let mut spaces = Spaces::default();
    for position in 0..sources.len() {
        let initializes = library || position + 1 < sources.len();
        add(&mut spaces, sources, position, initializes).map_err(|error| (position, error))?;
    }
    let exports = library.then(|| Export::all(&spaces));
    let facts = Facts::new(&spaces, exports.as_deref());
    let facts = facts.map_err(|error| (sources.len() - 1, error))?;
    Ok(Program { spaces, facts, exports })
}

/// Adds an instance; `initializes` says that its `_initialize` is called if it comes about at start.
fn add<'a>(
    spaces: &mut Spaces<'a>,
    sources: &[Source<'a>],
    position: usize,
    initializes: bool,
) -> Result<(), Error> {
    let source = &sources[position];
    let first_type = spaces.types.len() as u32;
    let first = !source.lazy && !spaces.instances.iter().any(Instance::runs_code);
    let mut imports = Imports::default();
    let mut unknown = Vec::new();
    let mut mismatched = Vec::new();
    let memory = wasi_memory(spaces, sources, position);
    for import in &source.module.imports {
        let provided = provide(spaces, sources, position, import, memory, first);
        match provided {
            Provided::Program(index, growth) => imports.push(import.index, index, growth),
            Provided::Host(host) => {
                let Index::Function(index) = import.index else { continue };
                imports.functions.push(spaces.functions.len() as u32);
                let code = Code::Host(host);
                spaces.functions.push(function(source.module, position, first_type, index, code));
            }
            Provided::SharedMemory(index) => {
                imports.memories.push(spaces.memories.len() as u32);
                let item = &source.module.memories[index as usize];
                spaces.memories.push(Item { instance: position as u32, item });
            }
            Provided::Mismatched(found) => mismatched.push(format!(
                "{}.{} ({}, but {} is exported)",
                import.module, import.name, import.description, found
            )),
            Provided::Nothing => {
                unknown.push(format!("{}.{} ({})", import.module, import.name, import.description));
            }
        }
    }
    if !unknown.is_empty() {
        return Err(Error::UnknownImports(unknown));
    }
    if !mismatched.is_empty() {
        return Err(Error::IncompatibleImports(mismatched));
    }
    let spawns = |function: &Function<'_>| matches!(function.code, Code::Host(Host::ThreadSpawn));
    let starts_threads = spaces.functions.iter().any(spawns);
    define(spaces, source, position, imports)?;
    let instance = &mut spaces.instances[position];
    instance.initialize = instance.command("_initialize").filter(|_| initializes && !source.lazy);
    if starts_threads {
        let indices = &spaces.instances[position].indices;
        let start = host::thread_start(source.module);
        spaces.thread_start = start.map(|start| indices.functions.program(start));
    }
    instantiation::add_segments(spaces, position as u32, source.module, first)
}

/// The program's indices of an instance's imports.
#[derive(Default)]
struct Imports {
    functions: Vec<u32>,
    tables: Vec<u32>,
    memories: Vec<u32>,
    globals: Vec<u32>,
    tags: Vec<u32>,
    growths: Vec<Growth>,
}

impl Imports {
    fn push(&mut self, kind: Index, index: u32, growth: Option<Growth>) {
        match kind {
            Index::Function(_) => self.functions.push(index),
            Index::Table(_) => self.tables.push(index),
            Index::Memory(_) => self.memories.push(index),
            Index::Global(_) => self.globals.push(index),
            Index::Tag(_) => self.tags.push(index),
        }
        self.growths.extend(growth);
    }
}

/// What there is for an import.
enum Provided {
    /// Something of the program, which may have to grow first.
    Program(u32, Option<Growth>),
    Host(Host),
    /// The host's, by the module's index.
    SharedMemory(u32),
    /// Something of another type, as text.
    Mismatched(String),
    Nothing,
}

fn provide<'a>(
    spaces: &Spaces<'a>,
    sources: &[Source<'a>],
    position: usize,
    import: &Import<'_>,
    memory: Option<u32>,
    first: bool,
) -> Provided {
    let module = sources[position].module;
    let Some(&provider) = sources[position].providers.get(import.module) else {
        let instance = |name: &str| {
            sources.iter().position(|source| source.lazy && source.name == name).map(|at| at as u32)
        };
        return match import.index {
            Index::Memory(index) if module.memories[index as usize].shared => {
                Provided::SharedMemory(index)
            }
            _ => host::function(module, import, memory, instance)
                // Threads of several instances would have to be told apart.
                .filter(|&host| host != Host::ThreadSpawn || sources.len() == 1)
                .map_or(Provided::Nothing, Provided::Host),
        };
    };
    let from = &spaces.instances[provider];
    let export = from.module.exports.iter().find(|export| export.name == import.name);
    let Some(export) = export else { return Provided::Nothing };
    let index = from.indices.program(export.index);
    match limits((export.index, from.module), (import.index, module)) {
        Limits::Match => Provided::Program(index, None),
        Limits::MatchWhenGrown if !first => {
            let (index, minimum) = match import.index {
                Index::Memory(own) => (Index::Memory(index), module.memories[own as usize].minimum),
                other => (Index::Table(index), module.tables[other.value() as usize].minimum),
            };
            Provided::Program(index.value(), Some(Growth { index, minimum }))
        }
        _ => Provided::Mismatched(export.description.clone()),
    }
}

/// Whether an export can stand for an import.
fn limits((found, from): (Index, &Module<'_>), (wanted, into): (Index, &Module<'_>)) -> Limits {
    let matches = match (found, wanted) {
        (Index::Function(one), Index::Function(other)) => {
            from.signature(one).id == into.signature(other).id
        }
        (Index::Tag(one), Index::Tag(other)) => from.tag_type(one).id == into.tag_type(other).id,
        (Index::Global(one), Index::Global(other)) => {
            let (one, other) = (&from.globals[one as usize], &into.globals[other as usize]);
            let matching = if one.mutable { matching::is_same } else { matching::value };
            one.mutable == other.mutable && matching((one.ty, from), (other.ty, into))
        }
        (Index::Table(one), Index::Table(other)) => {
            let (one, other) = (&from.tables[one as usize], &into.tables[other as usize]);
            return matching::table((one, from), (other, into));
        }
        (Index::Memory(one), Index::Memory(other)) => {
            return matching::memory(&from.memories[one as usize], &into.memories[other as usize]);
        }
        _ => false,
    };
    if matches { Limits::Match } else { Limits::Differ }
}

/// The memory that the guest's pointers in an instance's calls of WASI point into: the one exported
/// as `memory`, else the module's first; by its index in the program.
fn wasi_memory(spaces: &Spaces<'_>, sources: &[Source<'_>], position: usize) -> Option<u32> {
    let source = &sources[position];
    let index = match source.module.exported("memory") {
        Some(Index::Memory(index)) => index,
        _ => 0,
    };
    let imported =
        source.module.imports.iter().filter(|import| matches!(import.index, Index::Memory(_)));
    let imports = imported.clone().count();
    let provided = |import: &&Import<'_>| source.providers.contains_key(import.module);
    let first = imported.clone().take(index as usize).filter(|import| !provided(import)).count();
    match imported.clone().nth(index as usize) {
        Some(import) if provided(&import) => {
            let from = &spaces.instances[source.providers[import.module]];
            from.module.exported(import.name).map(|export| from.indices.program(export))
        }
        Some(_) => Some((spaces.memories.len() + first) as u32),
        None => {
            let defined = index as usize - imports;
            (defined < source.module.memories.len() - imports)
                .then(|| (spaces.memories.len() + first + defined) as u32)
        }
    }
}

fn function<'a>(
    module: &'a Module<'a>,
    instance: usize,
    first_type: u32,
    index: u32,
    code: Code<'a>,
) -> Function<'a> {
    let function = &module.functions[index as usize];
    Function {
        instance: instance as u32,
        index,
        type_index: first_type + function.type_index,
        name: function.name,
        code,
    }
}

/// Adds what an instance's module defines, and the instance itself.
fn define<'a>(
    spaces: &mut Spaces<'a>,
    source: &Source<'a>,
    position: usize,
    imports: Imports,
) -> Result<(), Error> {
    let module = source.module;
    let instance = position as u32;
    let first_type = spaces.types.len() as u32;
    let Imports { functions, tables, memories, globals, tags, growths } = imports;
    let (table_count, memory_count) = (tables.len(), memories.len());
    let (global_count, tag_count) = (globals.len(), tags.len());
    let indices = Indices {
        types: Space::new(Vec::new(), spaces.types.len()),
        functions: Space::new(functions, spaces.functions.len()),
        tables: Space::new(tables, spaces.tables.len()),
        memories: Space::new(memories, spaces.memories.len()),
        globals: Space::new(globals, spaces.globals.len()),
        tags: Space::new(tags, spaces.tags.len()),
        elements: Space::new(Vec::new(), spaces.elements.len()),
        data: Space::new(Vec::new(), spaces.data.len()),
    };
    spaces.types.extend(&module.types);
    for (index, body) in (0..).zip(module.functions.iter().map(|function| &function.body)) {
        if let Some(body) = body {
            let code = Code::Body(body);
            spaces.functions.push(function(module, position, first_type, index, code));
        }
    }
    let item = |item| Item { instance, item };
    spaces.tables.extend(module.tables[table_count..].iter().map(item));
    let item = |item| Item { instance, item };
    spaces.memories.extend(module.memories[memory_count..].iter().map(item));
    spaces.tags.extend(module.tags[tag_count..].iter().map(|&ty| first_type + ty));
    spaces.instances.push(Instance {
        module,
        renumbered: !indices.are_identity(),
        indices,
        lazy: source.lazy,
        growths,
        initialize: None,
    });
    for global in &module.globals[global_count..] {
        let value = match &global.initial {
            Some(expression) => {
                spaces.evaluate(instance, expression, "a global's initial value")?
            }
            None => unreachable!("a global that is not imported has an initial value"),
        };
        spaces.globals.push(Item { instance, item: global });
        spaces.initials.push(value);
    }
    Ok(())
}
