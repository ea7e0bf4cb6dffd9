//! Relaxed vector operators.
//!
//! Of the results that the specification permits, these are the ones of its deterministic profile:
//! the same on every target, equal to the operators that are not relaxed, multiply-add rounded
//! twice. So no property of a processor shows in what a program computes.
//!
//! Source: core specification, "Numerics / Relaxed Operations" and "Appendix / Profiles".

use super::super::Translator;
use super::Extension;
use cranelift_codegen::ir::{InstBuilder, Type, types};
use wasmparser::Operator;

impl Translator<'_, '_> {
    pub(super) fn vector_relaxed(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I8x16RelaxedSwizzle => binary!(self, types::I8X16, swizzle),
            Operator::I32x4RelaxedTruncF32x4S => self.truncate_f32x4(Extension::Sign),
            Operator::I32x4RelaxedTruncF32x4U => self.truncate_f32x4(Extension::Zero),
            Operator::I32x4RelaxedTruncF64x2SZero => self.truncate_f64x2(Extension::Sign),
            Operator::I32x4RelaxedTruncF64x2UZero => self.truncate_f64x2(Extension::Zero),
            Operator::F32x4RelaxedMadd => self.multiply_add(types::F32X4),
            Operator::F32x4RelaxedNmadd => self.negated_multiply_add(types::F32X4),
            Operator::F64x2RelaxedMadd => self.multiply_add(types::F64X2),
            Operator::F64x2RelaxedNmadd => self.negated_multiply_add(types::F64X2),
            Operator::I8x16RelaxedLaneselect
            | Operator::I16x8RelaxedLaneselect
            | Operator::I32x4RelaxedLaneselect
            | Operator::I64x2RelaxedLaneselect => self.bitselect(),
            Operator::F32x4RelaxedMin => binary!(self, types::F32X4, fmin),
            Operator::F32x4RelaxedMax => binary!(self, types::F32X4, fmax),
            Operator::F64x2RelaxedMin => binary!(self, types::F64X2, fmin),
            Operator::F64x2RelaxedMax => binary!(self, types::F64X2, fmax),
            Operator::I16x8RelaxedQ15mulrS => binary!(self, types::I16X8, sqmul_round_sat),
            Operator::I16x8RelaxedDotI8x16I7x16S => {
                let (left, right) = self.pop_vectors(types::I8X16);
                let sums = self.dot(left, right);
                self.push_vector(sums);
            }
            Operator::I32x4RelaxedDotI8x16I7x16AddS => self.dot_add(),
            _ => return false,
        }
        true
    }

    fn multiply_add(&mut self, ty: Type) {
        let addend = self.pop_vector(ty);
        let (left, right) = self.pop_vectors(ty);
        let product = self.builder.ins().fmul(left, right);
        let sum = self.builder.ins().fadd(product, addend);
        self.push_vector(sum);
    }

    fn negated_multiply_add(&mut self, ty: Type) {
        let addend = self.pop_vector(ty);
        let (left, right) = self.pop_vectors(ty);
        let product = self.builder.ins().fmul(left, right);
        let difference = self.builder.ins().fsub(addend, product);
        self.push_vector(difference);
    }

    /// Sums of four adjacent products of bytes, added to lanes of 32 bits.
    fn dot_add(&mut self) {
        let addend = self.pop_vector(types::I32X4);
        let (left, right) = self.pop_vectors(types::I8X16);
        let pairs = self.dot(left, right);
        let sums = self.wide_pairwise_sums(Extension::Sign, pairs);
        let sums = self.builder.ins().iadd(sums, addend);
        self.push_vector(sums);
    }
}
