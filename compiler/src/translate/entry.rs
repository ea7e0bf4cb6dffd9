//! Code of no wasm function: the program's entry point, and what leads to the host.

use super::Translator;
use super::call::{host_convention, signature, throw_signature};
use crate::module::Index;
use crate::plan::{Plan, ThreadPlan};
use crate::program::{Host, Placement};
use crate::symbol::{Builtin, Data, Symbol};
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, UserFuncName, Value, types};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use kiln_abi::trap::TrapCode;

/// The entry point: what is left of the instantiations, then `_start`.
pub(crate) fn entry(
    plan: &Plan<'_>,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    context.func.signature = Signature::new(host_convention(plan.target.convention));
    context.func.name = UserFuncName::User(Symbol::Entry.encode());
    let builder = FunctionBuilder::new(&mut context.func, builder_context);
    let mut translator = Translator::new(plan, builder);
    translator.open();
    let former = translator.begin_threads();
    translator.instantiate_all();
    if let Some(function) = plan.facts.entry {
        let function = translator.compiled_function(function);
        translator.builder.ins().call(function, &[]);
    }
    if let Some(former) = former {
        translator.builder.ins().set_pinned_reg(former);
    }
    translator.builder.ins().return_(&[]);
    translator.builder.finalize(config);
}

/// Where a thread begins: with the address of what it has of its own, its number, and the argument
/// that it was started with. It makes its instance, then calls the function that it is to run.
pub(crate) fn thread_entry(
    plan: &Plan<'_>,
    threads: &ThreadPlan,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    let mut signature = Signature::new(host_convention(plan.target.convention));
    signature.params.extend([types::I64, types::I32, types::I32].map(AbiParam::new));
    context.func.signature = signature;
    context.func.name = UserFuncName::User(Symbol::ThreadEntry.encode());
    let builder = FunctionBuilder::new(&mut context.func, builder_context);
    let mut translator = Translator::new(plan, builder);
    translator.open();
    let arguments = translator.pop_many(2);
    let block = translator.pop();
    let former = translator.pin(block);
    translator.instantiate(0);
    let start = translator.compiled_function(threads.start);
    translator.builder.ins().call(start, &arguments);
    translator.builder.ins().set_pinned_reg(former);
    translator.builder.ins().return_(&[]);
    translator.builder.finalize(config);
}

/// Code in the convention of compiled code that does what the host provides as the function of
/// that index.
pub(crate) fn trampoline(
    plan: &Plan<'_>,
    index: u32,
    host: Host,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    context.func.signature = signature(&plan.spaces.signature(index).ty);
    context.func.name = UserFuncName::User(Symbol::Trampoline(index).encode());
    let builder = FunctionBuilder::new(&mut context.func, builder_context);
    let mut translator = Translator::new(plan, builder);
    translator.open();
    match host {
        Host::Wasi { position, memory } => translator.call_wasi(position, memory),
        Host::CatchTrap => translator.catch_trap(),
        Host::ExternNew => translator.extern_new(),
        Host::ExternNumber => translator.extern_number(),
        Host::Instantiate(instance) => translator.instantiate(instance),
        Host::ThreadSpawn => translator.spawn_thread(),
    }
    if translator.reachable {
        let results = std::mem::take(&mut translator.stack);
        translator.return_(&results);
    }
    translator.builder.finalize(config);
}

/// Code in the convention of compiled code that calls a throwing function of the runtime with its
/// own frame pointer: not every host convention keeps one.
pub(crate) fn throw(
    plan: &Plan<'_>,
    builtin: Builtin,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    context.func.signature = throw_signature(builtin);
    context.func.name = UserFuncName::User(Symbol::Throw(builtin).encode());
    let builder = FunctionBuilder::new(&mut context.func, builder_context);
    let mut translator = Translator::new(plan, builder);
    translator.open();
    let frame = translator.builder.ins().get_frame_pointer(types::I64);
    translator.push(frame);
    let arguments = std::mem::take(&mut translator.stack);
    translator.call_builtin(builtin, &arguments);
    translator.trap(TrapCode::Unreachable);
    translator.builder.finalize(config);
}

impl Translator<'_, '_> {
    /// Makes what the main thread has of its own, if the program starts threads; gives what the
    /// caller had in the pinned register.
    fn begin_threads(&mut self) -> Option<Value> {
        self.plan.threads.as_ref()?;
        let threads = self.data_address(Data::Threads, 0);
        let block = self.call_builtin(Builtin::ThreadBegin, &[threads]);
        Some(self.pin(block.expect("beginning returns the block")))
    }

    /// Puts an address into the pinned register; gives what it held.
    fn pin(&mut self, block: Value) -> Value {
        let former = self.builder.ins().get_pinned_reg(types::I64);
        self.builder.ins().set_pinned_reg(block);
        former
    }

    /// Starts a thread with the topmost operand as its argument.
    fn spawn_thread(&mut self) {
        let argument = self.pop();
        let threads = self.data_address(Data::Threads, 0);
        let number = self.call_builtin(Builtin::ThreadSpawn, &[threads, argument]);
        self.push(number.expect("spawning returns a number"));
    }

    /// Makes every instance that comes about when the program begins.
    pub(super) fn instantiate_all(&mut self) {
        for (position, instance) in self.plan.spaces.instances.iter().enumerate() {
            if !instance.lazy {
                self.instantiate(position as u32);
            }
        }
    }

    /// Makes an instance: checks what must have grown, copies the segments that do not lie in the
    /// image, calls what is to be called.
    fn instantiate(&mut self, position: u32) {
        let spaces = self.plan.spaces;
        let instance = &spaces.instances[position as usize];
        for growth in &instance.growths {
            let length = match growth.index {
                Index::Memory(index) => self.memory_length(index),
                other => self.table_length(other.value()),
            };
            let minimum = self.builder.ins().iconst(types::I64, growth.minimum.cast_signed());
            let short = self.builder.ins().icmp(IntCC::UnsignedLessThan, length, minimum);
            self.trap_if(short, TrapCode::IncompatibleImport);
        }
        for (index, segment) in (0..).zip(&spaces.elements) {
            if segment.instance == position
                && let Placement::Instantiation { index: table, offset } = segment.placement
            {
                let (record, from) = (self.table_record(table), self.element_segment(index));
                let count = segment.item.items.len() as u64;
                self.copy_segment(Builtin::TableInit, record, from, offset, count);
                self.drop_element_segment(index);
            }
        }
        for (index, segment) in (0..).zip(&spaces.data) {
            if segment.instance == position
                && let Placement::Instantiation { index: memory, offset } = segment.placement
            {
                let (record, from) = (self.memory_record(memory), self.data_segment(index));
                let count = segment.item.bytes.len() as u64;
                self.copy_segment(Builtin::MemoryInit, record, from, offset, count);
                self.drop_data_segment(index);
            }
        }
        for function in instance.calls() {
            let function = self.compiled_function(function);
            self.builder.ins().call(function, &[]);
        }
    }

    fn copy_segment(&mut self, by: Builtin, into: Value, from: Value, offset: u64, count: u64) {
        let [offset, zero, count] = [offset, 0, count]
            .map(|number| self.builder.ins().iconst(types::I64, number.cast_signed()));
        self.call_builtin(by, &[into, from, offset, zero, count]);
    }

    /// Opens the function's first block and pushes its parameters.
    pub(super) fn open(&mut self) {
        let block = self.builder.create_block();
        self.builder.append_block_params_for_function_params(block);
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
        let parameters = self.builder.block_params(block).to_vec();
        self.push_all(&parameters);
    }
}
