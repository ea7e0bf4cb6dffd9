//! Vector memory operators.

use super::super::Translator;
use super::super::bounds::Address;
use cranelift_codegen::ir::{InstBuilder, Type, types};
use wasmparser::{MemArg, Operator};

/// Pops the index, loads 8 bytes as lanes of twice their size, pushes the vector.
macro_rules! widening_load {
    ($self:ident, $memarg:ident, $instruction:ident) => {{
        let Address { base, offset, flags } = $self.pop_address($memarg, 8);
        let result = $self.builder.ins().$instruction(flags, base, offset);
        $self.push_vector(result);
    }};
}

impl Translator<'_, '_> {
    pub(super) fn vector_memory(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::V128Load { memarg } => self.vector_load(memarg),
            Operator::V128Store { memarg } => self.vector_store(memarg),
            Operator::V128Load8x8S { memarg } => widening_load!(self, memarg, sload8x8),
            Operator::V128Load8x8U { memarg } => widening_load!(self, memarg, uload8x8),
            Operator::V128Load16x4S { memarg } => widening_load!(self, memarg, sload16x4),
            Operator::V128Load16x4U { memarg } => widening_load!(self, memarg, uload16x4),
            Operator::V128Load32x2S { memarg } => widening_load!(self, memarg, sload32x2),
            Operator::V128Load32x2U { memarg } => widening_load!(self, memarg, uload32x2),
            Operator::V128Load8Splat { memarg } => self.load_splat(types::I8X16, memarg),
            Operator::V128Load16Splat { memarg } => self.load_splat(types::I16X8, memarg),
            Operator::V128Load32Splat { memarg } => self.load_splat(types::F32X4, memarg),
            Operator::V128Load64Splat { memarg } => self.load_splat(types::F64X2, memarg),
            Operator::V128Load32Zero { memarg } => self.load_zero(types::I32X4, memarg),
            Operator::V128Load64Zero { memarg } => self.load_zero(types::I64X2, memarg),
            Operator::V128Load8Lane { memarg, lane } => {
                self.load_lane(types::I8X16, memarg, *lane);
            }
            Operator::V128Load16Lane { memarg, lane } => {
                self.load_lane(types::I16X8, memarg, *lane);
            }
            Operator::V128Load32Lane { memarg, lane } => {
                self.load_lane(types::I32X4, memarg, *lane);
            }
            Operator::V128Load64Lane { memarg, lane } => {
                self.load_lane(types::I64X2, memarg, *lane);
            }
            Operator::V128Store8Lane { memarg, lane } => {
                self.store_lane(types::I8X16, memarg, *lane);
            }
            Operator::V128Store16Lane { memarg, lane } => {
                self.store_lane(types::I16X8, memarg, *lane);
            }
            Operator::V128Store32Lane { memarg, lane } => {
                self.store_lane(types::I32X4, memarg, *lane);
            }
            Operator::V128Store64Lane { memarg, lane } => {
                self.store_lane(types::I64X2, memarg, *lane);
            }
            _ => return false,
        }
        true
    }

    fn vector_load(&mut self, memarg: &MemArg) {
        let Address { base, offset, flags } = self.pop_address(memarg, 16);
        let vector = self.builder.ins().load(types::I8X16, flags, base, offset);
        self.push(vector);
    }

    fn vector_store(&mut self, memarg: &MemArg) {
        let vector = self.pop();
        let Address { base, offset, flags } = self.pop_address(memarg, 16);
        self.builder.ins().store(flags, vector, base, offset);
    }

    /// The address of a single lane of `ty`.
    fn pop_lane_address(&mut self, ty: Type, memarg: &MemArg) -> Address {
        self.pop_address(memarg, ty.lane_type().bytes().into())
    }

    /// Loads a lane and copies it into all lanes. Lanes that can be floats are loaded as such,
    /// whatever they are, for the register that is loaded then is one of vectors.
    fn load_splat(&mut self, ty: Type, memarg: &MemArg) {
        let Address { base, offset, flags } = self.pop_lane_address(ty, memarg);
        let lane = self.builder.ins().load(ty.lane_type(), flags, base, offset);
        let vector = self.builder.ins().splat(ty, lane);
        self.push_vector(vector);
    }

    /// Loads the lowest lane; the others are zero.
    fn load_zero(&mut self, ty: Type, memarg: &MemArg) {
        let Address { base, offset, flags } = self.pop_lane_address(ty, memarg);
        let lane = self.builder.ins().load(ty.lane_type(), flags, base, offset);
        let vector = self.builder.ins().scalar_to_vector(ty, lane);
        self.push_vector(vector);
    }

    fn load_lane(&mut self, ty: Type, memarg: &MemArg, lane: u8) {
        let vector = self.pop_vector(ty);
        let Address { base, offset, flags } = self.pop_lane_address(ty, memarg);
        let loaded = self.builder.ins().load(ty.lane_type(), flags, base, offset);
        let vector = self.builder.ins().insertlane(vector, loaded, lane);
        self.push_vector(vector);
    }

    fn store_lane(&mut self, ty: Type, memarg: &MemArg, lane: u8) {
        let vector = self.pop_vector(ty);
        let Address { base, offset, flags } = self.pop_lane_address(ty, memarg);
        let stored = self.builder.ins().extractlane(vector, lane);
        self.builder.ins().store(flags, stored, base, offset);
    }
}
