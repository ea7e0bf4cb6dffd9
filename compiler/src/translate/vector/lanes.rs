//! Constants, and the operators that move lanes: splat, shuffle, swizzle, extract and replace.

use super::super::Translator;
use super::Extension;
use cranelift_codegen::ir::{ConstantData, InstBuilder, Type, Value, types};
use wasmparser::Operator;

impl Translator<'_, '_> {
    pub(super) fn vector_lanes(&mut self, operator: &Operator<'_>) -> bool {
        use Extension::{Sign, Zero};
        match *operator {
            Operator::V128Const { value } => {
                let bytes = ConstantData::from(value.bytes().as_slice());
                let constant = self.builder.func.dfg.constants.insert(bytes);
                let vector = self.builder.ins().vconst(types::I8X16, constant);
                self.push(vector);
            }
            Operator::I8x16Shuffle { lanes } => {
                let lanes = ConstantData::from(lanes.as_slice());
                let lanes = self.builder.func.dfg.immediates.push(lanes);
                let (low, high) = self.pop_vectors(types::I8X16);
                let vector = self.builder.ins().shuffle(low, high, lanes);
                self.push(vector);
            }
            Operator::I8x16Swizzle => binary!(self, types::I8X16, swizzle),
            Operator::I8x16Splat => self.splat(types::I8X16),
            Operator::I16x8Splat => self.splat(types::I16X8),
            Operator::I32x4Splat => self.splat(types::I32X4),
            Operator::I64x2Splat => self.splat(types::I64X2),
            Operator::F32x4Splat => self.splat(types::F32X4),
            Operator::F64x2Splat => self.splat(types::F64X2),
            Operator::I8x16ExtractLaneS { lane } => self.extract_small(types::I8X16, Sign, lane),
            Operator::I8x16ExtractLaneU { lane } => self.extract_small(types::I8X16, Zero, lane),
            Operator::I16x8ExtractLaneS { lane } => self.extract_small(types::I16X8, Sign, lane),
            Operator::I16x8ExtractLaneU { lane } => self.extract_small(types::I16X8, Zero, lane),
            Operator::I32x4ExtractLane { lane } => self.extract(types::I32X4, lane),
            Operator::I64x2ExtractLane { lane } => self.extract(types::I64X2, lane),
            Operator::F32x4ExtractLane { lane } => self.extract(types::F32X4, lane),
            Operator::F64x2ExtractLane { lane } => self.extract(types::F64X2, lane),
            Operator::I8x16ReplaceLane { lane } => self.replace(types::I8X16, lane),
            Operator::I16x8ReplaceLane { lane } => self.replace(types::I16X8, lane),
            Operator::I32x4ReplaceLane { lane } => self.replace(types::I32X4, lane),
            Operator::I64x2ReplaceLane { lane } => self.replace(types::I64X2, lane),
            Operator::F32x4ReplaceLane { lane } => self.replace(types::F32X4, lane),
            Operator::F64x2ReplaceLane { lane } => self.replace(types::F64X2, lane),
            _ => return false,
        }
        true
    }

    /// Pops a scalar that fills a lane of `ty`.
    fn pop_lane(&mut self, ty: Type) -> Value {
        let scalar = self.pop();
        match ty.lane_type() {
            // The operand stack has no smaller integer than 32 bits.
            lane @ (types::I8 | types::I16) => self.builder.ins().ireduce(lane, scalar),
            _ => scalar,
        }
    }

    fn splat(&mut self, ty: Type) {
        let lane = self.pop_lane(ty);
        let vector = self.builder.ins().splat(ty, lane);
        self.push_vector(vector);
    }

    fn extract(&mut self, ty: Type, lane: u8) {
        let vector = self.pop_vector(ty);
        let scalar = self.builder.ins().extractlane(vector, lane);
        self.push(scalar);
    }

    /// Extracts a lane of less than 32 bits.
    fn extract_small(&mut self, ty: Type, extension: Extension, lane: u8) {
        let vector = self.pop_vector(ty);
        let scalar = self.builder.ins().extractlane(vector, lane);
        let scalar = match extension {
            Extension::Sign => self.builder.ins().sextend(types::I32, scalar),
            Extension::Zero => self.builder.ins().uextend(types::I32, scalar),
        };
        self.push(scalar);
    }

    fn replace(&mut self, ty: Type, lane: u8) {
        let scalar = self.pop_lane(ty);
        let vector = self.pop_vector(ty);
        let vector = self.builder.ins().insertlane(vector, scalar, lane);
        self.push_vector(vector);
    }
}
