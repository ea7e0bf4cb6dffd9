//! Code of no wasm function: the program's entry point, and trampolines of imported functions.

use super::call::{host_convention, signature, throw_signature};
use super::{Translator, trap};
use crate::plan::Plan;
use crate::symbol::{Builtin, Symbol};
use cranelift_codegen::Context;
use cranelift_codegen::ir::{InstBuilder, Signature, UserFuncName, types};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use kiln_abi::trap::TrapCode;

/// The entry point: what is left of instantiation, then `_start`.
///
/// Segments lie in the image already. If one of them does not fit (`misfit`), instantiation traps
/// before any code of the module runs.
pub(crate) fn entry(
    plan: &Plan<'_>,
    misfit: Option<TrapCode>,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    context.func.signature = Signature::new(host_convention(plan.target));
    context.func.name = UserFuncName::User(Symbol::Entry.encode());
    let builder = FunctionBuilder::new(&mut context.func, builder_context);
    let mut translator = Translator::new(plan, builder);
    translator.open();
    if let Some(code) = misfit {
        translator.builder.ins().trap(trap::clif(code));
    } else {
        for function in plan.module.start.into_iter().chain(plan.facts.entry) {
            let function = translator.compiled_function(function);
            translator.builder.ins().call(function, &[]);
        }
        translator.builder.ins().return_(&[]);
    }
    translator.builder.finalize(config);
}

/// Code in the convention of compiled code that calls the imported function of that index.
pub(crate) fn trampoline(
    plan: &Plan<'_>,
    index: u32,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    context.func.signature = signature(&plan.module.signature(index).ty);
    context.func.name = UserFuncName::User(Symbol::Trampoline(index).encode());
    let builder = FunctionBuilder::new(&mut context.func, builder_context);
    let mut translator = Translator::new(plan, builder);
    translator.open();
    translator.call_import(index);
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
    /// Opens the function's first block and pushes its parameters.
    fn open(&mut self) {
        let block = self.builder.create_block();
        self.builder.append_block_params_for_function_params(block);
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
        let parameters = self.builder.block_params(block).to_vec();
        self.push_all(&parameters);
    }
}
