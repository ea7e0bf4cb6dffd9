//! The order of the operands of sums and products of floats.
//!
//! amd64 instructions overwrite their first operand. A variable that the result replaces comes
//! first, so that it stays in its register, where otherwise a loop copies it around in each turn.
//!
//! NaNs alone tell the order: which of two becomes the result's payload is not determined (core
//! specification, "NaN Propagation").

use super::Translator;
use cranelift_codegen::ir::{Opcode, Value};

impl Translator<'_, '_> {
    /// Reorders the operands of what is about to replace a local variable.
    pub(super) fn accumulate(&mut self, index: u32, value: Value) {
        let dfg = &self.builder.func.dfg;
        let Some(inst) = dfg.value_def(self.uncast(value)).inst() else { return };
        let [first, second] = *dfg.inst_args(inst) else { return };
        if !matches!(dfg.insts[inst].opcode(), Opcode::Fadd | Opcode::Fmul) {
            return;
        }
        let (first, second) = (self.uncast(first), self.uncast(second));
        // Asking the builder would make parameters of blocks for a value that nothing else wants.
        let Some(read) = self.locals[index as usize].read else { return };
        if second == read && first != read {
            self.builder.func.dfg.inst_args_mut(inst).swap(0, 1);
        }
    }

    /// The value that a vector was before it was taken as one of other lanes.
    fn uncast(&self, value: Value) -> Value {
        let dfg = &self.builder.func.dfg;
        match dfg.value_def(value).inst() {
            Some(inst) if dfg.insts[inst].opcode() == Opcode::Bitcast => dfg.inst_args(inst)[0],
            _ => value,
        }
    }
}
