//! Code of a library that C programs call, and what the runtime calls for it on the library's own
//! stack.
//!
//! For each exported function there are two: one in the host's convention with a parameter for each
//! of its own and a pointer for each result, which hands 16 bytes for each value to the runtime; and
//! [`kiln_abi::library::Work`], which the runtime calls with those.

use super::Translator;
use super::call::{Callee, host_convention, returns_in_memory, signature};
use super::clif_type;
use crate::plan::Plan;
use crate::program::ExportItem;
use crate::symbol::{Builtin, Symbol};
use core::mem::offset_of;
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind, Type,
    UserFuncName, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use kiln_abi::program::Memory;

/// Bytes of a value that is handed to the runtime.
const VALUE_SIZE: i32 = 16;

/// The symbols of all code that a library has for its exports.
pub(crate) fn library_symbols(plan: &Plan<'_>) -> Vec<Symbol> {
    let Some(exports) = plan.exports else { return Vec::new() };
    let mut symbols = vec![Symbol::Instantiate, Symbol::InstantiateWork, Symbol::Begin];
    for (position, export) in (0..).zip(exports) {
        let (first, second) = match export.item {
            ExportItem::LeftOut => continue,
            ExportItem::Global { mutable, .. } => (true, mutable),
            ExportItem::Function { .. } | ExportItem::Memory { .. } => (true, true),
        };
        symbols.extend(first.then_some(Symbol::Export(position)));
        symbols.extend(second.then_some(Symbol::ExportSecond(position)));
    }
    symbols
}

/// Translates the code of one of the [`library_symbols`].
pub(crate) fn library(
    plan: &Plan<'_>,
    symbol: Symbol,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    let item = |position: u32| &plan.exports.unwrap_or_default()[position as usize].item;
    context.func.signature = match (symbol, plan.exports) {
        (Symbol::Export(position), _) => export_signature(plan, item(position)),
        (Symbol::ExportSecond(position), _) => second_signature(plan, item(position)),
        (Symbol::InstantiateWork, _) => work_signature(plan),
        (Symbol::Instantiate, _) => host_signature(plan, &[], &[types::I32]),
        _ => Signature::new(CallConv::Tail),
    };
    context.func.name = UserFuncName::User(symbol.encode());
    let builder = FunctionBuilder::new(&mut context.func, builder_context);
    let mut translator = Translator::new(plan, builder);
    translator.open();
    match symbol {
        Symbol::Export(position) => translator.export(position, item(position)),
        Symbol::ExportSecond(position) => translator.export_second(item(position)),
        Symbol::InstantiateWork => {
            let begin = Symbol::Begin;
            let begin = translator.import_function(begin, || Signature::new(CallConv::Tail));
            translator.call_catching(&Callee::Direct(begin), &[], |_, _| {});
        }
        Symbol::Instantiate => {
            let work = translator.work_address(Symbol::InstantiateWork);
            let code = translator.call_builtin(Builtin::LibraryInstantiate, &[work]);
            translator.builder.ins().return_(code.as_slice());
        }
        _ => {
            translator.call_builtin(Builtin::LibraryBegin, &[]);
            translator.instantiate_all();
            translator.builder.ins().return_(&[]);
        }
    }
    translator.builder.finalize(config);
}

fn host_signature(plan: &Plan<'_>, parameters: &[Type], results: &[Type]) -> Signature {
    let mut signature = Signature::new(host_convention(plan.target.convention));
    signature.params.extend(parameters.iter().copied().map(AbiParam::new));
    signature.returns.extend(results.iter().copied().map(AbiParam::new));
    signature
}

/// Of [`kiln_abi::library::Work`].
fn work_signature(plan: &Plan<'_>) -> Signature {
    host_signature(plan, &[types::I64], &[types::I32])
}

/// Of a function's caller, a memory's address, or what gets a global.
fn export_signature(plan: &Plan<'_>, item: &ExportItem) -> Signature {
    match item {
        ExportItem::Function { index, .. } => {
            let ty = &plan.spaces.signature(*index).ty;
            let mut parameters: Vec<Type> = ty.params().iter().map(|&ty| clif_type(ty)).collect();
            parameters.extend(ty.results().iter().map(|_| types::I64));
            host_signature(plan, &parameters, &[types::I32])
        }
        ExportItem::Global { index, .. } => {
            let ty = plan.spaces.globals[*index as usize].ty;
            host_signature(plan, &[], &[clif_type(ty)])
        }
        ExportItem::Memory { .. } | ExportItem::LeftOut => host_signature(plan, &[], &[types::I64]),
    }
}

/// Of a function's work, a memory's length, or what sets a global.
fn second_signature(plan: &Plan<'_>, item: &ExportItem) -> Signature {
    match item {
        ExportItem::Function { .. } => work_signature(plan),
        ExportItem::Global { index, .. } => {
            let ty = plan.spaces.globals[*index as usize].ty;
            host_signature(plan, &[clif_type(ty)], &[])
        }
        ExportItem::Memory { .. } | ExportItem::LeftOut => host_signature(plan, &[], &[types::I64]),
    }
}

impl Translator<'_, '_> {
    fn work_address(&mut self, work: Symbol) -> Value {
        let plan = self.plan;
        let work = self.import_function(work, || work_signature(plan));
        self.builder.ins().func_addr(types::I64, work)
    }

    fn export(&mut self, position: u32, item: &ExportItem) {
        match *item {
            ExportItem::Function { index, .. } => self.call_export(position, index),
            ExportItem::Memory { index } => {
                let record = self.memory_record(index);
                let offset = offset_of!(Memory, base) as i32;
                let flags = MemFlagsData::trusted();
                let base = self.builder.ins().load(types::I64, flags, record, offset);
                self.builder.ins().return_(&[base]);
            }
            ExportItem::Global { index, .. } => {
                let value = self.global_get(index);
                self.builder.ins().return_(&[value]);
            }
            ExportItem::LeftOut => {}
        }
    }

    fn export_second(&mut self, item: &ExportItem) {
        match *item {
            ExportItem::Function { index, .. } => self.export_work(index),
            ExportItem::Memory { index } => {
                let length = self.memory_length_now(index);
                self.builder.ins().return_(&[length]);
            }
            ExportItem::Global { index, .. } => {
                let value = self.pop();
                let (address, flags) = self.global_place(index);
                self.builder.ins().store(flags, value, address, 0);
                self.builder.ins().return_(&[]);
            }
            ExportItem::LeftOut => {}
        }
    }

    /// Hands the parameters to the runtime, and the results to where the caller wants them if the
    /// call returned.
    fn call_export(&mut self, position: u32, index: u32) {
        let ty = &self.plan.spaces.signature(index).ty;
        let pointers = self.pop_many(ty.results().len());
        let parameters = self.pop_many(ty.params().len());
        let count = ty.params().len().max(ty.results().len()).max(1) as u32;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, count * VALUE_SIZE as u32, 4);
        let slot = self.builder.create_sized_stack_slot(slot);
        let values = self.builder.ins().stack_addr(types::I64, slot, 0);
        let flags = MemFlagsData::trusted();
        for (position, &value) in (0..).zip(&parameters) {
            self.builder.ins().store(flags, value, values, position * VALUE_SIZE);
        }
        let work = self.work_address(Symbol::ExportSecond(position));
        let code = self.call_builtin(Builtin::LibraryCall, &[work, values]);
        let code = code.expect("a call gives a code");
        let (returned, end) = (self.builder.create_block(), self.builder.create_block());
        let failed = self.builder.ins().icmp_imm_u(IntCC::NotEqual, code, 0);
        self.builder.ins().brif(failed, end, &[], returned, &[]);
        self.builder.seal_block(returned);
        self.builder.switch_to_block(returned);
        for (position, (&ty, &pointer)) in (0..).zip(ty.results().iter().zip(&pointers)) {
            let offset = position * VALUE_SIZE;
            let value = self.builder.ins().load(clif_type(ty), flags, values, offset);
            self.builder.ins().store(MemFlagsData::new(), value, pointer, 0);
        }
        self.builder.ins().jump(end, &[]);
        self.builder.seal_block(end);
        self.builder.switch_to_block(end);
        self.builder.ins().return_(&[code]);
    }

    /// Calls the function with the values, and puts its results in their place.
    fn export_work(&mut self, index: u32) {
        let values = self.pop();
        let ty = &self.plan.spaces.signature(index).ty;
        let flags = MemFlagsData::trusted();
        let mut arguments = Vec::new();
        // Where results go through memory, they do so as the runtime's values do.
        arguments.extend(returns_in_memory(ty).then_some(values));
        for (position, &ty) in (0..).zip(ty.params()) {
            let offset = position * VALUE_SIZE;
            arguments.push(self.builder.ins().load(clif_type(ty), flags, values, offset));
        }
        let symbol = self.plan.symbol(index);
        let callee = Callee::Direct(self.import_function(symbol, || signature(ty)));
        self.call_catching(&callee, &arguments, |translator, results| {
            for (position, &result) in (0..).zip(results) {
                translator.builder.ins().store(flags, result, values, position * VALUE_SIZE);
            }
        });
    }
}
