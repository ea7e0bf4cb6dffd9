//! Arithmetic of integer lanes.

use super::super::Translator;
use super::{Extension, Half};
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use wasmparser::Operator;

/// Pops a shift count and a vector, shifts each lane by the count modulo the lane's width.
macro_rules! shift {
    ($self:ident, $ty:expr, $instruction:ident) => {{
        let count = $self.pop();
        let vector = $self.pop_vector($ty);
        let result = $self.builder.ins().$instruction(vector, count);
        $self.push_vector(result);
    }};
}

impl Translator<'_, '_> {
    pub(super) fn vector_integer(&mut self, operator: &Operator<'_>) -> bool {
        self.integers_of_8(operator)
            || self.integers_of_16(operator)
            || self.integers_of_32(operator)
            || self.integers_of_64(operator)
            || self.integers_widened(operator)
    }

    fn integers_of_8(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I8x16Abs => unary!(self, types::I8X16, iabs),
            Operator::I8x16Neg => unary!(self, types::I8X16, ineg),
            Operator::I8x16Popcnt => unary!(self, types::I8X16, popcnt),
            Operator::I8x16AllTrue => self.all_true(types::I8X16),
            Operator::I8x16Bitmask => self.bitmask(types::I8X16),
            Operator::I8x16NarrowI16x8S => binary!(self, types::I16X8, snarrow),
            Operator::I8x16NarrowI16x8U => binary!(self, types::I16X8, unarrow),
            Operator::I8x16Shl => shift!(self, types::I8X16, ishl),
            Operator::I8x16ShrS => shift!(self, types::I8X16, sshr),
            Operator::I8x16ShrU => shift!(self, types::I8X16, ushr),
            Operator::I8x16Add => binary!(self, types::I8X16, iadd),
            Operator::I8x16AddSatS => binary!(self, types::I8X16, sadd_sat),
            Operator::I8x16AddSatU => binary!(self, types::I8X16, uadd_sat),
            Operator::I8x16Sub => binary!(self, types::I8X16, isub),
            Operator::I8x16SubSatS => binary!(self, types::I8X16, ssub_sat),
            Operator::I8x16SubSatU => binary!(self, types::I8X16, usub_sat),
            Operator::I8x16MinS => binary!(self, types::I8X16, smin),
            Operator::I8x16MinU => binary!(self, types::I8X16, umin),
            Operator::I8x16MaxS => binary!(self, types::I8X16, smax),
            Operator::I8x16MaxU => binary!(self, types::I8X16, umax),
            Operator::I8x16AvgrU => binary!(self, types::I8X16, avg_round),
            _ => return false,
        }
        true
    }

    fn integers_of_16(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I16x8Abs => unary!(self, types::I16X8, iabs),
            Operator::I16x8Neg => unary!(self, types::I16X8, ineg),
            Operator::I16x8AllTrue => self.all_true(types::I16X8),
            Operator::I16x8Bitmask => self.bitmask(types::I16X8),
            Operator::I16x8NarrowI32x4S => binary!(self, types::I32X4, snarrow),
            Operator::I16x8NarrowI32x4U => binary!(self, types::I32X4, unarrow),
            Operator::I16x8Shl => shift!(self, types::I16X8, ishl),
            Operator::I16x8ShrS => shift!(self, types::I16X8, sshr),
            Operator::I16x8ShrU => shift!(self, types::I16X8, ushr),
            Operator::I16x8Add => binary!(self, types::I16X8, iadd),
            Operator::I16x8AddSatS => binary!(self, types::I16X8, sadd_sat),
            Operator::I16x8AddSatU => binary!(self, types::I16X8, uadd_sat),
            Operator::I16x8Sub => binary!(self, types::I16X8, isub),
            Operator::I16x8SubSatS => binary!(self, types::I16X8, ssub_sat),
            Operator::I16x8SubSatU => binary!(self, types::I16X8, usub_sat),
            Operator::I16x8Mul => binary!(self, types::I16X8, imul),
            Operator::I16x8MinS => binary!(self, types::I16X8, smin),
            Operator::I16x8MinU => binary!(self, types::I16X8, umin),
            Operator::I16x8MaxS => binary!(self, types::I16X8, smax),
            Operator::I16x8MaxU => binary!(self, types::I16X8, umax),
            Operator::I16x8AvgrU => binary!(self, types::I16X8, avg_round),
            Operator::I16x8Q15MulrSatS => binary!(self, types::I16X8, sqmul_round_sat),
            _ => return false,
        }
        true
    }

    fn integers_of_32(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I32x4Abs => unary!(self, types::I32X4, iabs),
            Operator::I32x4Neg => unary!(self, types::I32X4, ineg),
            Operator::I32x4AllTrue => self.all_true(types::I32X4),
            Operator::I32x4Bitmask => self.bitmask(types::I32X4),
            Operator::I32x4Shl => shift!(self, types::I32X4, ishl),
            Operator::I32x4ShrS => shift!(self, types::I32X4, sshr),
            Operator::I32x4ShrU => shift!(self, types::I32X4, ushr),
            Operator::I32x4Add => binary!(self, types::I32X4, iadd),
            Operator::I32x4Sub => binary!(self, types::I32X4, isub),
            Operator::I32x4Mul => binary!(self, types::I32X4, imul),
            Operator::I32x4MinS => binary!(self, types::I32X4, smin),
            Operator::I32x4MinU => binary!(self, types::I32X4, umin),
            Operator::I32x4MaxS => binary!(self, types::I32X4, smax),
            Operator::I32x4MaxU => binary!(self, types::I32X4, umax),
            Operator::I32x4DotI16x8S => {
                let (left, right) = self.pop_vectors(types::I16X8);
                let sums = self.dot(left, right);
                self.push_vector(sums);
            }
            _ => return false,
        }
        true
    }

    fn integers_of_64(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I64x2Abs => unary!(self, types::I64X2, iabs),
            Operator::I64x2Neg => unary!(self, types::I64X2, ineg),
            Operator::I64x2AllTrue => self.all_true(types::I64X2),
            Operator::I64x2Bitmask => self.bitmask(types::I64X2),
            Operator::I64x2Shl => shift!(self, types::I64X2, ishl),
            Operator::I64x2ShrS => shift!(self, types::I64X2, sshr),
            Operator::I64x2ShrU => shift!(self, types::I64X2, ushr),
            Operator::I64x2Add => binary!(self, types::I64X2, iadd),
            Operator::I64x2Sub => binary!(self, types::I64X2, isub),
            Operator::I64x2Mul => binary!(self, types::I64X2, imul),
            _ => return false,
        }
        true
    }

    /// Operators whose result has lanes of twice the operands' width.
    fn integers_widened(&mut self, operator: &Operator<'_>) -> bool {
        use Extension::{Sign, Zero};
        use Half::{High, Low};
        const I8: Type = types::I8X16;
        const I16: Type = types::I16X8;
        const I32: Type = types::I32X4;
        match operator {
            Operator::I16x8ExtendLowI8x16S => self.extend(I8, Low, Sign),
            Operator::I16x8ExtendHighI8x16S => self.extend(I8, High, Sign),
            Operator::I16x8ExtendLowI8x16U => self.extend(I8, Low, Zero),
            Operator::I16x8ExtendHighI8x16U => self.extend(I8, High, Zero),
            Operator::I32x4ExtendLowI16x8S => self.extend(I16, Low, Sign),
            Operator::I32x4ExtendHighI16x8S => self.extend(I16, High, Sign),
            Operator::I32x4ExtendLowI16x8U => self.extend(I16, Low, Zero),
            Operator::I32x4ExtendHighI16x8U => self.extend(I16, High, Zero),
            Operator::I64x2ExtendLowI32x4S => self.extend(I32, Low, Sign),
            Operator::I64x2ExtendHighI32x4S => self.extend(I32, High, Sign),
            Operator::I64x2ExtendLowI32x4U => self.extend(I32, Low, Zero),
            Operator::I64x2ExtendHighI32x4U => self.extend(I32, High, Zero),
            Operator::I16x8ExtMulLowI8x16S => self.extended_multiply(I8, Low, Sign),
            Operator::I16x8ExtMulHighI8x16S => self.extended_multiply(I8, High, Sign),
            Operator::I16x8ExtMulLowI8x16U => self.extended_multiply(I8, Low, Zero),
            Operator::I16x8ExtMulHighI8x16U => self.extended_multiply(I8, High, Zero),
            Operator::I32x4ExtMulLowI16x8S => self.extended_multiply(I16, Low, Sign),
            Operator::I32x4ExtMulHighI16x8S => self.extended_multiply(I16, High, Sign),
            Operator::I32x4ExtMulLowI16x8U => self.extended_multiply(I16, Low, Zero),
            Operator::I32x4ExtMulHighI16x8U => self.extended_multiply(I16, High, Zero),
            Operator::I64x2ExtMulLowI32x4S => self.extended_multiply(I32, Low, Sign),
            Operator::I64x2ExtMulHighI32x4S => self.extended_multiply(I32, High, Sign),
            Operator::I64x2ExtMulLowI32x4U => self.extended_multiply(I32, Low, Zero),
            Operator::I64x2ExtMulHighI32x4U => self.extended_multiply(I32, High, Zero),
            Operator::I16x8ExtAddPairwiseI8x16S => self.extended_add_pairwise(I8, Sign),
            Operator::I16x8ExtAddPairwiseI8x16U => self.extended_add_pairwise(I8, Zero),
            Operator::I32x4ExtAddPairwiseI16x8S => self.extended_add_pairwise(I16, Sign),
            Operator::I32x4ExtAddPairwiseI16x8U => self.extended_add_pairwise(I16, Zero),
            _ => return false,
        }
        true
    }

    fn all_true(&mut self, ty: Type) {
        let operand = self.pop_vector(ty);
        let all = self.builder.ins().vall_true(operand);
        self.push_condition(all);
    }

    /// The sign bits of all lanes as an `i32`.
    fn bitmask(&mut self, ty: Type) {
        let operand = self.pop_vector(ty);
        let bits = self.builder.ins().vhigh_bits(types::I32, operand);
        self.push(bits);
    }

    fn extend(&mut self, ty: Type, half: Half, extension: Extension) {
        let operand = self.pop_vector(ty);
        let wide = self.widen_lanes(half, extension, operand);
        self.push_vector(wide);
    }

    fn extended_multiply(&mut self, ty: Type, half: Half, extension: Extension) {
        let (left, right) = self.pop_vectors(ty);
        let product = self.wide_product(half, extension, left, right);
        self.push_vector(product);
    }

    fn extended_add_pairwise(&mut self, ty: Type, extension: Extension) {
        let operand = self.pop_vector(ty);
        let sums = self.wide_pairwise_sums(extension, operand);
        self.push_vector(sums);
    }

    /// The products of half of the lanes, in lanes of twice their width.
    fn wide_product(
        &mut self,
        half: Half,
        extension: Extension,
        left: Value,
        right: Value,
    ) -> Value {
        let left = self.widen_lanes(half, extension, left);
        let right = self.widen_lanes(half, extension, right);
        self.builder.ins().imul(left, right)
    }

    /// The sums of adjacent lanes, in lanes of twice their width.
    pub(super) fn wide_pairwise_sums(&mut self, extension: Extension, operand: Value) -> Value {
        let low = self.widen_lanes(Half::Low, extension, operand);
        let high = self.widen_lanes(Half::High, extension, operand);
        self.builder.ins().iadd_pairwise(low, high)
    }

    /// The sums of adjacent signed products, in lanes of twice the operands' width.
    pub(super) fn dot(&mut self, left: Value, right: Value) -> Value {
        let low = self.wide_product(Half::Low, Extension::Sign, left, right);
        let high = self.wide_product(Half::High, Extension::Sign, left, right);
        self.builder.ins().iadd_pairwise(low, high)
    }
}
