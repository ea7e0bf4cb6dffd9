//! Puts small functions that call themselves into themselves, once.
//!
//! Of two calls one then becomes part of the other's frame, and what a function does only at its
//! start or its end is done half as often. Compilers of C leave that out; for trees and the like it
//! saves most of the time that calls take. A backtrace shows such a function once for two calls.

use crate::symbol::Symbol;
use cranelift_codegen::inline::{Inline, InlineCommand};
use cranelift_codegen::ir::{
    ExternalName, FuncRef, Function, Inst, InstructionData, Opcode, Value,
};
use cranelift_codegen::{CodegenResult, Context};
use std::borrow::Cow;

/// Instructions of the largest function that becomes part of itself.
const LARGEST: usize = 80;

/// Does so if the function, not yet optimized, is small, calls itself, and makes nothing but plain
/// calls.
pub(super) fn unroll(context: &mut Context, own: Symbol) -> CodegenResult<()> {
    let func = &context.func;
    if func.dfg.num_insts() > LARGEST {
        return Ok(());
    }
    let mut is_recursive = false;
    for inst in func.layout.blocks().flat_map(|block| func.layout.block_insts(block)) {
        match func.dfg.insts[inst] {
            InstructionData::Call { opcode: Opcode::Call, func_ref, .. } => {
                is_recursive |= names(func, func_ref, own);
            }
            InstructionData::CallIndirect { opcode: Opcode::CallIndirect, .. } => {}
            ref data if data.opcode().is_call() => return Ok(()),
            _ => {}
        }
    }
    if is_recursive {
        let body = &func.clone();
        context.inline(OwnCalls { body, own })?;
    }
    Ok(())
}

/// The calls of a function of itself, and its body.
struct OwnCalls<'a> {
    body: &'a Function,
    own: Symbol,
}

impl Inline for OwnCalls<'_> {
    fn inline(
        &mut self,
        caller: &Function,
        _: Inst,
        _: Opcode,
        callee: FuncRef,
        _: &[Value],
    ) -> InlineCommand<'_> {
        if names(caller, callee, self.own) {
            InlineCommand::Inline { callee: Cow::Borrowed(self.body), visit_callee: false }
        } else {
            InlineCommand::KeepCall
        }
    }
}

fn names(func: &Function, callee: FuncRef, symbol: Symbol) -> bool {
    match func.dfg.ext_funcs[callee].name {
        ExternalName::User(name) => func.params.user_named_funcs()[name] == symbol.encode(),
        _ => false,
    }
}
