//! Conversions between integer and floating-point lanes.

use super::super::Translator;
use super::{Extension, Half};
use cranelift_codegen::ir::{InstBuilder, types};
use wasmparser::Operator;

impl Translator<'_, '_> {
    pub(super) fn vector_conversion(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I32x4TruncSatF32x4S => self.truncate_f32x4(Extension::Sign),
            Operator::I32x4TruncSatF32x4U => self.truncate_f32x4(Extension::Zero),
            Operator::I32x4TruncSatF64x2SZero => self.truncate_f64x2(Extension::Sign),
            Operator::I32x4TruncSatF64x2UZero => self.truncate_f64x2(Extension::Zero),
            Operator::F32x4ConvertI32x4S => {
                let operand = self.pop_vector(types::I32X4);
                let result = self.builder.ins().fcvt_from_sint(types::F32X4, operand);
                self.push_vector(result);
            }
            Operator::F32x4ConvertI32x4U => {
                let operand = self.pop_vector(types::I32X4);
                let result = self.builder.ins().fcvt_from_uint(types::F32X4, operand);
                self.push_vector(result);
            }
            Operator::F64x2ConvertLowI32x4S => {
                let operand = self.pop_vector(types::I32X4);
                let wide = self.widen_lanes(Half::Low, Extension::Sign, operand);
                let result = self.builder.ins().fcvt_from_sint(types::F64X2, wide);
                self.push_vector(result);
            }
            Operator::F64x2ConvertLowI32x4U => {
                let operand = self.pop_vector(types::I32X4);
                let wide = self.widen_lanes(Half::Low, Extension::Zero, operand);
                let result = self.builder.ins().fcvt_from_uint(types::F64X2, wide);
                self.push_vector(result);
            }
            Operator::F32x4DemoteF64x2Zero => unary!(self, types::F64X2, fvdemote),
            Operator::F64x2PromoteLowF32x4 => unary!(self, types::F32X4, fvpromote_low),
            _ => return false,
        }
        true
    }

    /// Truncates four floats to integers of 32 bits, signed or not, saturating.
    pub(super) fn truncate_f32x4(&mut self, extension: Extension) {
        let operand = self.pop_vector(types::F32X4);
        let result = match extension {
            Extension::Sign => self.builder.ins().fcvt_to_sint_sat(types::I32X4, operand),
            Extension::Zero => self.builder.ins().fcvt_to_uint_sat(types::I32X4, operand),
        };
        self.push_vector(result);
    }

    /// Truncates two floats to integers of 32 bits, signed or not, saturating; the upper lanes of
    /// the result are zero.
    pub(super) fn truncate_f64x2(&mut self, extension: Extension) {
        let operand = self.pop_vector(types::F64X2);
        let zero = self.builder.func.dfg.constants.insert([0; 16].as_slice().into());
        let zero = self.builder.ins().vconst(types::I64X2, zero);
        let result = match extension {
            Extension::Sign => {
                let wide = self.builder.ins().fcvt_to_sint_sat(types::I64X2, operand);
                self.builder.ins().snarrow(wide, zero)
            }
            Extension::Zero => {
                let wide = self.builder.ins().fcvt_to_uint_sat(types::I64X2, operand);
                self.builder.ins().uunarrow(wide, zero)
            }
        };
        self.push_vector(result);
    }
}
