//! Operators on a vector as 128 bits.

use super::super::Translator;
use cranelift_codegen::ir::{InstBuilder, types};
use wasmparser::Operator;

impl Translator<'_, '_> {
    pub(super) fn vector_bitwise(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::V128Not => unary!(self, types::I8X16, bnot),
            Operator::V128And => binary!(self, types::I8X16, band),
            Operator::V128AndNot => binary!(self, types::I8X16, band_not),
            Operator::V128Or => binary!(self, types::I8X16, bor),
            Operator::V128Xor => binary!(self, types::I8X16, bxor),
            Operator::V128Bitselect => self.bitselect(),
            Operator::V128AnyTrue => {
                // With the lanes of a comparison, one instruction compares and tests.
                let operand = self.pop();
                let operand = self.original_lanes(operand);
                let any = self.builder.ins().vany_true(operand);
                self.push_condition(any);
            }
            _ => return false,
        }
        true
    }

    /// Bits of the first operand where the mask has ones, of the second elsewhere.
    pub(super) fn bitselect(&mut self) {
        let mask = self.pop();
        // With the lanes of a comparison, whole lanes are blended.
        let mask = self.original_lanes(mask);
        let ty = self.builder.func.dfg.value_type(mask);
        let (ones, zeros) = self.pop_vectors(ty);
        let vector = self.builder.ins().bitselect(mask, ones, zeros);
        self.push_vector(vector);
    }
}
