//! Reads a wasm file into a [`Module`].
//!
//! Requires nothing of the bytes. Guarantees that the module returned is valid by the
//! specification's rules, function bodies included, and uses supported proposals only.
//!
//! Source: core specification, "Binary Format / Modules" and "Validation / Modules".

use crate::analyze::{self, BodyFacts};
use crate::error::Error;
use crate::features::{self, Proposal};
use crate::module::{
    Body, ConstExpr, DataSegment, ElementItem, ElementSegment, Export, Function, Global, Import,
    Index, Memory, Mode, Module, Section, Signature, Table,
};
use kiln_abi::WASM_PAGE_SIZE;
use rayon::prelude::*;
use std::collections::HashMap;
use wasmparser::types::CoreTypeId;
use wasmparser::{
    BinaryReader, CompositeInnerType, DataKind, Element, ElementItems, ElementKind, ExternalKind,
    FuncToValidate, FuncType, FuncValidatorAllocations, FunctionBody, KnownCustom, MemoryType,
    Name, Parser, Payload, TableInit, TableType, TypeRef, ValidPayload, Validator,
    ValidatorResources, WasmFeatures,
};

/// Reads and validates a module.
///
/// # Errors
/// The bytes are no wasm module, are malformed or invalid, or use what Kiln does not support.
pub fn parse(wasm: &[u8]) -> Result<Module<'_>, Error> {
    parse_next(&mut Types::default(), wasm)
}

/// Reads and validates modules that are to be linked with each other.
///
/// # Errors
/// As [`parse`]; with the position of the module that is at fault.
pub fn parse_all<'a>(sources: &[&'a [u8]]) -> Result<Vec<Module<'a>>, (usize, Error)> {
    let mut types = Types::default();
    let modules = sources.iter().enumerate();
    modules
        .map(|(position, wasm)| parse_next(&mut types, wasm).map_err(|error| (position, error)))
        .collect()
}

/// What modules that are linked with each other have in common.
struct Types {
    /// Finds equal types of different modules.
    validator: Validator,
    /// A number for each type.
    numbers: HashMap<CoreTypeId, u32>,
}

impl Default for Types {
    fn default() -> Self {
        let validator = Validator::new_with_features(features::supported());
        Self { validator, numbers: HashMap::new() }
    }
}

fn parse_next<'a>(types: &mut Types, wasm: &'a [u8]) -> Result<Module<'a>, Error> {
    check_preamble(wasm)?;
    types.validator.reset();
    read(types, wasm).map_err(|error| as_unsupported(wasm, error))
}

/// Without a proposal some of its modules look invalid rather than unsupported: tells them apart.
fn as_unsupported(wasm: &[u8], error: Error) -> Error {
    let Error::Invalid { message, offset, function } = error else { return error };
    let all = WasmFeatures::all();
    let is_valid = |features| Validator::new_with_features(features).validate_all(wasm).is_ok();
    let is_lacking = |proposal: &&Proposal| {
        !proposal.supported && is_valid(all) && !is_valid(all - proposal.feature)
    };
    match features::PROPOSALS.iter().find(is_lacking) {
        Some(lacking) => Error::Unsupported { proposal: lacking.name, message, offset, function },
        None => Error::Invalid { message, offset, function },
    }
}

fn read<'a>(types: &mut Types, wasm: &'a [u8]) -> Result<Module<'a>, Error> {
    let mut reader = Reader::new(types, wasm);
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| reader.error(&error, None))?;
        reader.payload(payload)?;
    }
    reader.finish()
}

/// Tells at once what is not a core module, and what it is instead.
fn check_preamble(wasm: &[u8]) -> Result<(), Error> {
    const MODULE: [u8; 4] = [1, 0, 0, 0];
    const SIGNATURES: &[(&[u8], &str)] = &[
        (b"", "the file is empty"),
        (b"\x7fELF", "an ELF file"),
        (b"MZ", "a Windows executable"),
        (b"\xcf\xfa\xed\xfe", "a Mach-O file"),
        (b"\xca\xfe\xba\xbe", "a universal Mach-O file or a Java class"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"\x89PNG", "a PNG image"),
        (b"!<arch>", "a static library"),
        (b"BC\xc0\xde", "LLVM bitcode"),
    ];
    if let Some(version) = wasm.strip_prefix(b"\0asm") {
        return match version.get(..4) {
            Some(version) if version == MODULE => Ok(()),
            // The upper half of the version field is the layer: 1 for components.
            Some([_, _, 1, 0]) => Err(Error::Component),
            Some(_) => Err(Error::NotWasm { found: "a WebAssembly file of an unknown version" }),
            None => Err(Error::NotWasm { found: "the file ends within its first 8 bytes" }),
        };
    }
    let found = SIGNATURES
        .iter()
        .skip(usize::from(!wasm.is_empty()))
        .find(|(start, _)| wasm.starts_with(start))
        .map(|(_, found)| *found);
    let text = || std::str::from_utf8(&wasm[..wasm.len().min(512)]).is_ok();
    let fallback = if text() { "a text file" } else { "unknown bytes" };
    Err(Error::NotWasm { found: found.unwrap_or(fallback) })
}

/// A module in the making.
struct Reader<'t, 'a> {
    module: Module<'a>,
    types: &'t mut Types,
    /// Function bodies, to be validated in parallel once everything else is read.
    bodies: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'a>)>,
    used: WasmFeatures,
}

impl<'t, 'a> Reader<'t, 'a> {
    fn new(types: &'t mut Types, wasm: &'a [u8]) -> Self {
        Self {
            module: Module { bytes: wasm, ..Module::default() },
            types,
            bodies: Vec::new(),
            used: WasmFeatures::empty(),
        }
    }

    fn error(&self, error: &wasmparser::Error, function: Option<u32>) -> Error {
        let function = function.map(|index| self.module.function_name(index));
        Error::from_validation(error, function)
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        if matches!(payload, Payload::End(_)) {
            self.number_signatures();
        }
        match self.types.validator.payload(&payload) {
            Ok(ValidPayload::Func(validator, body)) => self.bodies.push((validator, body)),
            Ok(_) => {}
            Err(error) => return Err(self.error(&error, None)),
        }
        self.note_section(&payload);
        self.section(payload).map_err(|error| self.error(&error, None))
    }

    fn note_section(&mut self, payload: &Payload<'a>) {
        let name = match payload {
            Payload::TypeSection(_) => "type",
            Payload::ImportSection(_) => "import",
            Payload::FunctionSection(_) => "function",
            Payload::TableSection(_) => "table",
            Payload::MemorySection(_) => "memory",
            Payload::TagSection(_) => "tag",
            Payload::GlobalSection(_) => "global",
            Payload::ExportSection(_) => "export",
            Payload::StartSection { .. } => "start",
            Payload::ElementSection(_) => "element",
            Payload::DataCountSection { .. } => "data count",
            Payload::DataSection(_) => "data",
            Payload::CodeSectionStart { .. } => "code",
            Payload::CustomSection(section) => section.name(),
            _ => return,
        };
        let custom = matches!(payload, Payload::CustomSection(_));
        let size = payload.as_section().map_or(0, |(_, range)| (range.end - range.start) as usize);
        self.module.sections.push(Section { name, custom, size });
    }

    /// Takes over a section that the validator accepted.
    fn section(&mut self, payload: Payload<'a>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                for group in types {
                    for ty in group?.into_types() {
                        self.add_type(ty.composite_type.inner);
                    }
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.add_import(import?);
                }
            }
            Payload::FunctionSection(functions) => {
                for type_index in functions {
                    self.add_function(type_index?);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    let table = table?;
                    let initial = match table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(expression) => Some(ConstExpr(expression)),
                    };
                    self.add_table(table.ty, initial);
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    self.add_memory(memory?);
                }
            }
            Payload::TagSection(tags) => {
                for tag in tags {
                    self.add_tag(tag?.func_type_idx);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let global = global?;
                    self.used |= analyze::proposals::of_expression(&global.init_expr);
                    self.module.globals.push(Global {
                        ty: global.ty.content_type,
                        mutable: global.ty.mutable,
                        initial: Some(ConstExpr(global.init_expr)),
                    });
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    self.add_export(export?);
                }
            }
            Payload::StartSection { func, .. } => self.module.start = Some(func),
            Payload::ElementSection(elements) => {
                for element in elements {
                    self.add_element(element?)?;
                }
            }
            Payload::DataSection(segments) => {
                for segment in segments {
                    let segment = segment?;
                    let mode = match segment.kind {
                        DataKind::Passive => Mode::Passive,
                        DataKind::Active { memory_index, offset_expr } => {
                            Mode::Active { index: memory_index, offset: ConstExpr(offset_expr) }
                        }
                    };
                    self.module.data.push(DataSegment { mode, bytes: segment.data });
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.read_names(names);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_type(&mut self, ty: CompositeInnerType) {
        // Other kinds of type belong to proposals that the validator refuses by now; the row
        // keeps the index space whole.
        let ty = match ty {
            CompositeInnerType::Func(ty) => ty,
            _ => FuncType::new([], []),
        };
        if ty.results().len() > 1 {
            self.used |= WasmFeatures::MULTI_VALUE;
        }
        self.module.types.push(Signature { id: 0, ty });
    }

    fn add_import(&mut self, import: wasmparser::Import<'a>) {
        let index = match import.ty {
            TypeRef::Func(type_index) | TypeRef::FuncExact(type_index) => {
                self.add_function(type_index)
            }
            TypeRef::Table(ty) => self.add_table(ty, None),
            TypeRef::Memory(ty) => self.add_memory(ty),
            TypeRef::Global(ty) => {
                self.module.globals.push(Global {
                    ty: ty.content_type,
                    mutable: ty.mutable,
                    initial: None,
                });
                if ty.mutable {
                    self.used |= WasmFeatures::MUTABLE_GLOBAL;
                }
                Index::Global(self.module.globals.len() as u32 - 1)
            }
            TypeRef::Tag(ty) => self.add_tag(ty.func_type_idx),
        };
        let description = self.describe(index);
        let (module, name) = (import.module, import.name);
        self.module.imports.push(Import { module, name, description, index });
    }

    fn add_function(&mut self, type_index: u32) -> Index {
        self.module.functions.push(Function { type_index, name: None, body: None });
        Index::Function(self.module.functions.len() as u32 - 1)
    }

    fn add_tag(&mut self, type_index: u32) -> Index {
        self.used |= WasmFeatures::EXCEPTIONS;
        self.module.tags.push(type_index);
        Index::Tag(self.module.tags.len() as u32 - 1)
    }

    fn add_table(&mut self, ty: TableType, initial: Option<ConstExpr<'a>>) -> Index {
        if ty.table64 {
            self.used |= WasmFeatures::MEMORY64;
        }
        self.module.tables.push(Table {
            element: ty.element_type,
            table64: ty.table64,
            minimum: ty.initial,
            maximum: ty.maximum,
            initial,
        });
        if self.module.tables.len() > 1 {
            self.used |= WasmFeatures::REFERENCE_TYPES;
        }
        Index::Table(self.module.tables.len() as u32 - 1)
    }

    fn add_memory(&mut self, ty: MemoryType) -> Index {
        if ty.memory64 {
            self.used |= WasmFeatures::MEMORY64;
        }
        if ty.shared {
            self.used |= WasmFeatures::THREADS;
        }
        // A 64-bit memory may name more than an address space holds. 256 GiB can be reserved
        // everywhere, on arm64 kernels with 39-bit addresses too.
        let nameable = if ty.memory64 { 1 << 38 } else { 1 << 32 };
        let bytes = |pages: u64| pages.saturating_mul(WASM_PAGE_SIZE);
        self.module.memories.push(Memory {
            declared_maximum: ty.maximum.map(bytes),
            memory64: ty.memory64,
            shared: ty.shared,
            minimum: bytes(ty.initial),
            maximum: ty.maximum.map_or(nameable, bytes).min(nameable),
        });
        if self.module.memories.len() > 1 {
            self.used |= WasmFeatures::MULTI_MEMORY;
        }
        Index::Memory(self.module.memories.len() as u32 - 1)
    }

    fn add_export(&mut self, export: wasmparser::Export<'a>) {
        let index = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => Index::Function(export.index),
            ExternalKind::Table => Index::Table(export.index),
            ExternalKind::Memory => Index::Memory(export.index),
            ExternalKind::Global => Index::Global(export.index),
            ExternalKind::Tag => Index::Tag(export.index),
        };
        let description = self.describe(index);
        self.module.exports.push(Export { name: export.name, description, index });
    }

    fn add_element(&mut self, element: Element<'a>) -> wasmparser::Result<()> {
        let mode = match element.kind {
            ElementKind::Passive => Mode::Passive,
            ElementKind::Declared => Mode::Declared,
            ElementKind::Active { table_index, offset_expr } => {
                Mode::Active { index: table_index.unwrap_or(0), offset: ConstExpr(offset_expr) }
            }
        };
        let items = match element.items {
            ElementItems::Functions(functions) => functions
                .into_iter()
                .map(|index| index.map(ElementItem::Function))
                .collect::<Result<_, _>>()?,
            ElementItems::Expressions(_, expressions) => {
                self.used |= WasmFeatures::REFERENCE_TYPES;
                expressions
                    .into_iter()
                    .map(|item| item.map(|item| ElementItem::Expression(ConstExpr(item))))
                    .collect::<Result<_, _>>()?
            }
        };
        self.module.elements.push(ElementSegment { mode, items });
        Ok(())
    }

    /// Takes what names there are: a malformed name section is no reason to refuse a module.
    fn read_names(&mut self, names: wasmparser::NameSectionReader<'a>) {
        for name in names {
            match name {
                Ok(Name::Module { name, .. }) => self.module.name = Some(name),
                Ok(Name::Function(names)) => {
                    for naming in names.into_iter().map_while(Result::ok) {
                        if let Some(function) = self.module.functions.get_mut(naming.index as usize)
                        {
                            function.name = Some(naming.name);
                        }
                    }
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn describe(&self, index: Index) -> String {
        let limits = |minimum: u64, maximum: Option<u64>| match maximum {
            Some(maximum) => format!("{minimum}..{maximum}"),
            None => format!("{minimum}.."),
        };
        match index {
            Index::Function(index) => {
                let ty = &self.module.signature(index).ty;
                let list = |types: &[wasmparser::ValType]| {
                    types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                };
                let results = match ty.results() {
                    [] => String::new(),
                    [one] => format!(" -> {one}"),
                    many => format!(" -> ({})", list(many)),
                };
                format!("func ({}){results}", list(ty.params()))
            }
            Index::Table(index) => {
                let table = &self.module.tables[index as usize];
                format!("table {} {}", limits(table.minimum, table.maximum), table.element)
            }
            Index::Memory(index) => {
                let memory = &self.module.memories[index as usize];
                let pages = |bytes: u64| bytes / WASM_PAGE_SIZE;
                format!("memory {}", limits(pages(memory.minimum), Some(pages(memory.maximum))))
            }
            Index::Global(index) => {
                let global = &self.module.globals[index as usize];
                format!("global {}{}", if global.mutable { "mut " } else { "" }, global.ty)
            }
            Index::Tag(_) => "tag".to_owned(),
        }
    }

    /// Validates the function bodies and completes the module.
    fn finish(mut self) -> Result<Module<'a>, Error> {
        self.name_by_linkage();
        let imported = self.module.functions.len() - self.bodies.len();
        let bodies = std::mem::take(&mut self.bodies);
        let checked: Vec<_> = bodies
            .into_par_iter()
            .map_init(FuncValidatorAllocations::default, |allocations, (validator, body)| {
                let index = validator.index;
                check_body(validator, &body, allocations)
                    .map(|facts| Body { code: body, facts })
                    .map_err(|error| (index, error))
            })
            .collect();
        for (offset, body) in checked.into_iter().enumerate() {
            let body = body.map_err(|(index, error)| self.error(&error, Some(index)))?;
            self.used |= body.facts.proposals;
            self.module.functions[imported + offset].body = Some(body);
        }
        self.module.proposals = features::PROPOSALS
            .iter()
            .filter(|proposal| self.used.intersects(proposal.feature))
            .map(|proposal| proposal.name)
            .collect();
        Ok(self.module)
    }

    /// Numbers the types: those that the validator found equal get one number. It forgets the
    /// module's indices with the module's end.
    fn number_signatures(&mut self) {
        let Types { validator, numbers } = &mut *self.types;
        let Some(types) = validator.types(0) else { return };
        for (index, signature) in self.module.types.iter_mut().enumerate() {
            let next = numbers.len() as u32;
            let id = types.core_type_at_in_module(index as u32);
            signature.id = *numbers.entry(id).or_insert(next);
        }
    }

    /// Gives functions without a name of their own the one they are exported or imported by.
    fn name_by_linkage(&mut self) {
        let exports = self.module.exports.iter().map(|export| (export.index, export.name));
        let imports = self.module.imports.iter().map(|import| (import.index, import.name));
        for (index, name) in exports.chain(imports) {
            if let Index::Function(index) = index {
                self.module.functions[index as usize].name.get_or_insert(name);
            }
        }
    }
}

/// Validates one body and notes what later stages want to know of it.
fn check_body(
    validator: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
    allocations: &mut FuncValidatorAllocations,
) -> wasmparser::Result<BodyFacts> {
    let mut validator = validator.into_validator(std::mem::take(allocations));
    let mut reader: BinaryReader<'_> = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    reader.set_features(*validator.features());
    let mut operators = wasmparser::OperatorsReader::new(reader);
    let mut facts = BodyFacts::new(body);
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        validator.op(offset, &operator)?;
        facts.note(&operator);
    }
    operators.finish()?;
    facts.finish();
    *allocations = validator.into_allocations();
    Ok(facts)
}
