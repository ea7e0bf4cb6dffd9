//! Arithmetic of floating-point lanes.

use super::super::Translator;
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{InstBuilder, Type, types};
use wasmparser::Operator;

impl Translator<'_, '_> {
    pub(super) fn vector_float(&mut self, operator: &Operator<'_>) -> bool {
        self.floats_of_32(operator) || self.floats_of_64(operator)
    }

    fn floats_of_32(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::F32x4Ceil => unary!(self, types::F32X4, ceil),
            Operator::F32x4Floor => unary!(self, types::F32X4, floor),
            Operator::F32x4Trunc => unary!(self, types::F32X4, trunc),
            Operator::F32x4Nearest => unary!(self, types::F32X4, nearest),
            Operator::F32x4Abs => unary!(self, types::F32X4, fabs),
            Operator::F32x4Neg => unary!(self, types::F32X4, fneg),
            Operator::F32x4Sqrt => unary!(self, types::F32X4, sqrt),
            Operator::F32x4Add => binary!(self, types::F32X4, fadd),
            Operator::F32x4Sub => binary!(self, types::F32X4, fsub),
            Operator::F32x4Mul => binary!(self, types::F32X4, fmul),
            Operator::F32x4Div => binary!(self, types::F32X4, fdiv),
            Operator::F32x4Min => binary!(self, types::F32X4, fmin),
            Operator::F32x4Max => binary!(self, types::F32X4, fmax),
            Operator::F32x4PMin => self.pseudo_minimum(types::F32X4),
            Operator::F32x4PMax => self.pseudo_maximum(types::F32X4),
            _ => return false,
        }
        true
    }

    fn floats_of_64(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::F64x2Ceil => unary!(self, types::F64X2, ceil),
            Operator::F64x2Floor => unary!(self, types::F64X2, floor),
            Operator::F64x2Trunc => unary!(self, types::F64X2, trunc),
            Operator::F64x2Nearest => unary!(self, types::F64X2, nearest),
            Operator::F64x2Abs => unary!(self, types::F64X2, fabs),
            Operator::F64x2Neg => unary!(self, types::F64X2, fneg),
            Operator::F64x2Sqrt => unary!(self, types::F64X2, sqrt),
            Operator::F64x2Add => binary!(self, types::F64X2, fadd),
            Operator::F64x2Sub => binary!(self, types::F64X2, fsub),
            Operator::F64x2Mul => binary!(self, types::F64X2, fmul),
            Operator::F64x2Div => binary!(self, types::F64X2, fdiv),
            Operator::F64x2Min => binary!(self, types::F64X2, fmin),
            Operator::F64x2Max => binary!(self, types::F64X2, fmax),
            Operator::F64x2PMin => self.pseudo_minimum(types::F64X2),
            Operator::F64x2PMax => self.pseudo_maximum(types::F64X2),
            _ => return false,
        }
        true
    }

    /// `right < left ? right : left`. The order of operands is the definition's: it decides which
    /// zero or NaN is the result.
    fn pseudo_minimum(&mut self, ty: Type) {
        let (left, right) = self.pop_vectors(ty);
        let less = self.builder.ins().fcmp(FloatCC::LessThan, right, left);
        let mask = self.reinterpret_lanes(ty, less);
        let result = self.builder.ins().bitselect(mask, right, left);
        self.push_vector(result);
    }

    /// `left < right ? right : left`.
    fn pseudo_maximum(&mut self, ty: Type) {
        let (left, right) = self.pop_vectors(ty);
        let less = self.builder.ins().fcmp(FloatCC::LessThan, left, right);
        let mask = self.reinterpret_lanes(ty, less);
        let result = self.builder.ins().bitselect(mask, right, left);
        self.push_vector(result);
    }
}
