//! The module that takes a script's steps.
//!
//! It imports what the steps name, and for each step has a function named `script:line` that
//! executes `unreachable` unless the step went as the script says. `_start` calls these functions
//! in their order. What may trap lies in a function of its own, which the host calls and whose
//! trap it catches.

use std::collections::HashMap;
use std::sync::Arc;

use kiln_abi::trap::TrapCode;
use wasm_encoder::{
    BlockType, CodeSection, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalType, HeapType, ImportSection, InstructionSink, Module,
    NameMap, NameSection, RefType, TypeSection, ValType,
};

use super::module::{FunctionType, Heap, Type};
use super::pattern::{Constant, Pattern};

/// What a step does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// Makes the instance of that name.
    Instantiate(String),
    /// Calls what the instance of that name exports.
    Call { instance: String, export: String, ty: Arc<FunctionType>, arguments: Vec<Constant> },
    /// Reads a global that the instance of that name exports.
    Get { instance: String, export: String, ty: Type, mutable: bool },
}

/// What must come of it.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// Anything but a trap.
    Any,
    Return(Vec<Pattern>),
    /// A trap of this text, or of one that says more or less.
    Trap(String),
    Exception,
}

/// An assertion, or an action without one.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) action: Action,
    pub(super) outcome: Outcome,
}

/// The driver of steps, as a module; `script` is what backtraces call the script.
pub(super) fn module(script: &str, steps: &[Step]) -> Vec<u8> {
    let mut driver = Driver::default();
    let plain =
        driver.types.function(&FunctionType { parameters: Vec::new(), results: Vec::new() });
    driver.import_host(plain);
    for step in steps {
        driver.import(&step.action);
    }
    for step in steps {
        let name = format!("{script}:{}", step.line);
        let checked = driver.step(plain, &name, step);
        driver.start.push(checked);
    }
    driver.finish(plain)
}

/// The driver's types: each is defined once, after those that it uses.
#[derive(Default)]
struct Types {
    section: TypeSection,
    functions: HashMap<FunctionType, u32>,
}

impl Types {
    fn function(&mut self, ty: &FunctionType) -> u32 {
        if let Some(&index) = self.functions.get(ty) {
            return index;
        }
        let parameters: Vec<_> = ty.parameters.iter().map(|ty| self.value(ty)).collect();
        let results: Vec<_> = ty.results.iter().map(|ty| self.value(ty)).collect();
        let index = self.section.len();
        self.section.ty().function(parameters, results);
        self.functions.insert(ty.clone(), index);
        index
    }

    fn value(&mut self, ty: &Type) -> ValType {
        match ty {
            Type::Number(ty) => (*ty).try_into().expect("a number has an encoding"),
            Type::Reference { nullable, heap } => {
                ValType::Ref(RefType { nullable: *nullable, heap_type: self.heap(heap) })
            }
        }
    }

    fn heap(&mut self, heap: &Heap) -> HeapType {
        match heap {
            Heap::Abstract(ty) => HeapType::Abstract { shared: false, ty: (*ty).into() },
            Heap::Function(ty) => HeapType::Concrete(self.function(ty)),
        }
    }
}

/// Functions of the host, by their index.
pub(super) struct HostFunctions {
    catch_trap: u32,
    /// Makes a reference that stands for a number.
    pub(super) extern_new: u32,
    /// The number that a reference stands for; -1 if it is null.
    pub(super) extern_number: u32,
}

impl HostFunctions {
    const ALL: Self = Self { catch_trap: 0, extern_new: 1, extern_number: 2 };
}

#[derive(Default)]
struct Driver {
    types: Types,
    imports: ImportSection,
    /// Indices of imported functions and globals, by instance and export.
    functions: HashMap<(String, String), u32>,
    globals: HashMap<(String, String), u32>,
    declared: FunctionSection,
    code: CodeSection,
    names: NameMap,
    /// Functions that are referred to.
    referred: Vec<u32>,
    /// Functions that `_start` calls.
    start: Vec<u32>,
}

impl Driver {
    fn import_host(&mut self, plain: u32) {
        let callee = RefType { nullable: true, heap_type: HeapType::Concrete(plain) };
        let external = RefType { nullable: false, heap_type: HeapType::EXTERN };
        let number = [ValType::I32];
        let types = [
            ("catch_trap", vec![ValType::Ref(callee)], number),
            ("extern_new", vec![ValType::I32], [ValType::Ref(external)]),
            ("extern_number", vec![ValType::EXTERNREF], number),
        ];
        for (name, parameters, results) in types {
            let index = self.types.section.len();
            self.types.section.ty().function(parameters, results);
            self.imports.import("kiln", name, EntityType::Function(index));
        }
    }

    /// Number of functions so far; imported ones come first.
    fn function_count(&self) -> u32 {
        3 + self.functions.len() as u32 + self.declared.len()
    }

    fn import(&mut self, action: &Action) {
        let (instance, export, entity) = match action {
            Action::Instantiate(name) => {
                let plain = FunctionType { parameters: Vec::new(), results: Vec::new() };
                let ty = self.types.function(&plain);
                (super::INSTANTIATE.to_owned(), name.clone(), EntityType::Function(ty))
            }
            Action::Call { instance, export, ty, .. } => {
                let ty = self.types.function(ty);
                (instance.clone(), export.clone(), EntityType::Function(ty))
            }
            Action::Get { instance, export, ty, mutable } => {
                let val_type = self.types.value(ty);
                let ty = GlobalType { val_type, mutable: *mutable, shared: false };
                (instance.clone(), export.clone(), EntityType::Global(ty))
            }
        };
        let key = (instance, export);
        let (indices, next) = match entity {
            EntityType::Global(_) => {
                let next = self.globals.len() as u32;
                (&mut self.globals, next)
            }
            _ => {
                let next = self.function_count();
                (&mut self.functions, next)
            }
        };
        indices.entry(key).or_insert_with_key(|(instance, export)| {
            self.imports.import(instance, export, entity);
            next
        });
    }

    /// Adds a function without parameters and results.
    fn define(&mut self, plain: u32, name: &str, function: &Function) -> u32 {
        let index = self.function_count();
        self.declared.function(plain);
        self.code.function(function);
        self.names.append(index, name);
        index
    }

    /// Adds the function of a step.
    fn step(&mut self, plain: u32, name: &str, step: &Step) -> u32 {
        let codes: Vec<u8> = match &step.outcome {
            Outcome::Any | Outcome::Return(_) => {
                let function = self.action(step);
                return self.define(plain, name, &function);
            }
            Outcome::Trap(text) => {
                let codes = TrapCode::ALL.iter().filter(|code| is_meant(text, code.text()));
                codes.map(|&code| code as u8).collect()
            }
            Outcome::Exception => vec![TrapCode::UncaughtException as u8],
        };
        let function = self.action(step);
        let action = self.define(plain, &format!("{name} action"), &function);
        self.referred.push(action);
        let mut function = Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        code.ref_func(action).call(HostFunctions::ALL.catch_trap).local_set(0).i32_const(0);
        for number in codes {
            code.local_get(0).i32_const(number.into()).i32_eq().i32_or();
        }
        code.i32_eqz().if_(BlockType::Empty).unreachable().end().end();
        self.define(plain, name, &function)
    }

    /// The function that does what a step does, and compares the results.
    fn action(&mut self, step: &Step) -> Function {
        let results: Vec<Type> = match &step.action {
            Action::Instantiate(_) => Vec::new(),
            Action::Call { ty, .. } => ty.results.clone(),
            Action::Get { ty, .. } => vec![ty.clone()],
        };
        let locals: Vec<ValType> = results.iter().map(|ty| self.types.value(ty)).collect();
        let nullable = locals.iter().map(|&ty| match ty {
            ValType::Ref(reference) => ValType::Ref(RefType { nullable: true, ..reference }),
            number => number,
        });
        let mut function = Function::new_with_locals_types(nullable);
        let mut code = function.instructions();
        self.perform(&step.action, &mut code);
        for local in (0..results.len() as u32).rev() {
            code.local_set(local);
        }
        if let Outcome::Return(patterns) = &step.outcome {
            if patterns.len() != results.len() {
                code.unreachable();
            }
            for ((local, pattern), ty) in (0..).zip(patterns).zip(&results) {
                pattern.push_match(&mut code, &HostFunctions::ALL, local, ty);
                code.i32_eqz().if_(BlockType::Empty).unreachable().end();
            }
        }
        code.end();
        function
    }

    fn perform(&mut self, action: &Action, code: &mut InstructionSink<'_>) {
        match action {
            Action::Instantiate(name) => {
                code.call(self.functions[&(super::INSTANTIATE.to_owned(), name.clone())]);
            }
            Action::Call { instance, export, ty, arguments } => {
                for (argument, parameter) in arguments.iter().zip(&ty.parameters) {
                    let heap = match parameter {
                        Type::Reference { heap, .. } => self.types.heap(heap),
                        Type::Number(_) => HeapType::FUNC,
                    };
                    argument.push(code, &HostFunctions::ALL, heap);
                }
                code.call(self.functions[&(instance.clone(), export.clone())]);
            }
            Action::Get { instance, export, .. } => {
                code.global_get(self.globals[&(instance.clone(), export.clone())]);
            }
        }
    }

    fn finish(mut self, plain: u32) -> Vec<u8> {
        let mut start = Function::new([]);
        for &function in &self.start {
            start.instructions().call(function);
        }
        start.instructions().end();
        let start = self.define(plain, "_start", &start);
        let mut exports = ExportSection::new();
        exports.export("_start", ExportKind::Func, start);
        let mut elements = ElementSection::new();
        elements.declared(Elements::Functions(self.referred.as_slice().into()));
        let mut names = NameSection::new();
        names.functions(&self.names);
        let mut module = Module::new();
        module
            .section(&self.types.section)
            .section(&self.imports)
            .section(&self.declared)
            .section(&exports)
            .section(&elements)
            .section(&self.code)
            .section(&names);
        module.finish()
    }
}

/// Whether a script that says `wanted` means a trap that says `found`: scripts leave the ends of
/// messages open.
fn is_meant(wanted: &str, found: &str) -> bool {
    wanted.starts_with(found) || found.starts_with(wanted)
}
