//! A module of a script, and what is appended to it.
//!
//! New entries go to the ends of index spaces, so nothing of the module itself changes: sections
//! are vectors, and a vector grows by a larger count and more bytes.

use std::collections::{BTreeMap, HashMap};

use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{
    BlockType, Encode as _, ExportKind, Function, NameMap, NameSection, RawSection, SectionId,
};
use wasmparser::types::{EntityType, TypesRef};
use wasmparser::{
    BinaryReader, CompositeInnerType, HeapType, Parser, RefType, ValType, Validator, WasmFeatures,
};

use super::{Action, Outcome, Step};

/// Sections in the order that the binary format asks for.
const ORDER: [SectionId; 13] = [
    SectionId::Type,
    SectionId::Import,
    SectionId::Function,
    SectionId::Table,
    SectionId::Memory,
    SectionId::Tag,
    SectionId::Global,
    SectionId::Export,
    SectionId::Start,
    SectionId::Element,
    SectionId::DataCount,
    SectionId::Code,
    SectionId::Data,
];

/// A valid module.
pub(super) struct Module {
    /// Contents of all sections but custom ones, by their number.
    sections: BTreeMap<u8, Vec<u8>>,
    /// Exported functions: index and types of their results.
    functions: HashMap<String, (u32, Vec<ValType>)>,
    /// Exported globals: index and type.
    globals: HashMap<String, (u32, ValType)>,
    type_count: u32,
    function_count: u32,
}

impl Module {
    pub(super) fn parse(wasm: &[u8]) -> wasmparser::Result<Self> {
        let types = Validator::new_with_features(WasmFeatures::all()).validate_all(wasm)?;
        let types = types.as_ref();
        let mut module = Self {
            sections: BTreeMap::new(),
            functions: HashMap::new(),
            globals: HashMap::new(),
            type_count: types.core_type_count_in_module(),
            function_count: types.function_count(),
        };
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            if let Some((id, range)) = payload.as_section()
                && id != SectionId::Custom as u8
            {
                let contents = &wasm[range.start as usize..range.end as usize];
                module.sections.insert(id, contents.to_vec());
            }
            if let wasmparser::Payload::ExportSection(exports) = payload {
                for export in exports {
                    let export = export?;
                    module.export(types, export);
                }
            }
        }
        Ok(module)
    }

    fn export(&mut self, types: TypesRef<'_>, export: wasmparser::Export<'_>) {
        let (name, index) = (export.name.to_owned(), export.index);
        match types.entity_type_from_export(&export) {
            Some(EntityType::Func(id) | EntityType::FuncExact(id)) => {
                let results = types[id].unwrap_func().results();
                let results = results.iter().map(|&ty| local_type(types, ty)).collect();
                self.functions.insert(name, (index, results));
            }
            Some(EntityType::Global(global)) => {
                self.globals.insert(name, (index, local_type(types, global.content_type)));
            }
            _ => {}
        }
    }

    pub(super) fn has_imports(&self) -> bool {
        self.sections.contains_key(&(SectionId::Import as u8))
    }

    /// Index and types of the results of an exported function.
    pub(super) fn function(&self, name: &str) -> Result<(u32, Vec<ValType>), String> {
        self.functions
            .get(name)
            .cloned()
            .ok_or_else(|| format!("no function is exported as {name:?}"))
    }

    /// Index and type of an exported global.
    pub(super) fn global(&self, name: &str) -> Result<(u32, ValType), String> {
        self.globals.get(name).copied().ok_or_else(|| format!("no global is exported as {name:?}"))
    }

    /// The module with a function for each step, named `script:line`, and a `_start` that calls
    /// them.
    pub(super) fn with_steps(&self, script: &str, steps: &[&Step]) -> Vec<u8> {
        let mut start = Function::new([]);
        let mut names = NameMap::new();
        let mut bodies = Vec::new();
        for (index, step) in (self.function_count..).zip(steps) {
            start.instructions().call(index);
            names.append(index, &format!("{script}:{}", step.line));
            bodies.push(encoded(&step_function(step)));
        }
        start.instructions().end();
        bodies.push(encoded(&start));
        let start_index = self.function_count + steps.len() as u32;

        // A function type: its tag, no parameters, no results.
        let type_entry = vec![0x60, 0, 0];
        let mut export_entry = Vec::new();
        "_start".encode(&mut export_entry);
        ExportKind::Func.encode(&mut export_entry);
        start_index.encode(&mut export_entry);

        let mut sections = self.sections.clone();
        append(&mut sections, SectionId::Type, &[type_entry]);
        append(&mut sections, SectionId::Function, &vec![encoded(&self.type_count); bodies.len()]);
        append(&mut sections, SectionId::Export, &[export_entry]);
        append(&mut sections, SectionId::Code, &bodies);

        let mut module = wasm_encoder::Module::new();
        for id in ORDER.map(|id| id as u8) {
            if let Some(data) = sections.get(&id) {
                module.section(&RawSection { id, data });
            }
        }
        let mut name_section = NameSection::new();
        name_section.functions(&names);
        module.section(&name_section);
        module.finish()
    }
}

/// The type of a local variable for values of `ty`: of the module's own types, their supertype.
fn local_type(types: TypesRef<'_>, ty: ValType) -> ValType {
    let ValType::Ref(reference) = ty else { return ty };
    let (HeapType::Concrete(index) | HeapType::Exact(index)) = reference.heap_type() else {
        return ty;
    };
    let id = index.as_core_type_id().expect("validated types are identified");
    ValType::Ref(match types[id].composite_type.inner {
        CompositeInnerType::Func(_) => RefType::FUNCREF,
        CompositeInnerType::Array(_) | CompositeInnerType::Struct(_) => RefType::ANYREF,
        CompositeInnerType::Cont(_) => RefType::CONTREF,
    })
}

fn encoded(entry: &impl wasm_encoder::Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    entry.encode(&mut bytes);
    bytes
}

/// Appends entries to a section that is a vector.
fn append(sections: &mut BTreeMap<u8, Vec<u8>>, id: SectionId, entries: &[Vec<u8>]) {
    let former = sections.get(&(id as u8)).map_or(&[0][..], Vec::as_slice);
    let mut reader = BinaryReader::new(former, 0);
    let count = reader.read_var_u32().expect("a validated section begins with its count");
    let mut section = encoded(&(count + entries.len() as u32));
    section.extend_from_slice(&former[reader.original_position() as usize..]);
    section.extend(entries.iter().flatten());
    sections.insert(id as u8, section);
}

/// The function that executes a step and traps unless its outcome is the expected one.
fn step_function(step: &Step) -> Function {
    let locals = step
        .results
        .iter()
        .map(|&ty| RoundtripReencoder.val_type(ty).expect("a type of a module without components"));
    let mut function = Function::new_with_locals_types(locals);
    let mut code = function.instructions();
    match &step.action {
        Action::Call(index, arguments) => {
            for argument in arguments {
                argument.push(&mut code);
            }
            code.call(*index);
        }
        Action::Get(index) => {
            code.global_get(*index);
        }
    }
    for local in (0..step.results.len() as u32).rev() {
        code.local_set(local);
    }
    if let Outcome::Return(patterns) = &step.outcome {
        for ((local, pattern), &ty) in (0..).zip(patterns).zip(&step.results) {
            pattern.push_match(&mut code, local, ty);
            code.i32_eqz().if_(BlockType::Empty).unreachable().end();
        }
    }
    code.end();
    function
}
