//! Vector operators: 128-bit SIMD and relaxed SIMD.
//!
//! Requires vectors on the operand stack as `I8X16`; guarantees the same of what it pushes. An
//! instruction that needs other lanes gets its operands reinterpreted, which costs no instruction.
//!
//! CLIF is chosen so that the code generator's patterns find the one instruction that an
//! architecture may have for an operator; no architecture is asked for here.
//!
//! Source: core specification, "Execution / Instructions / Vector Instructions".

/// Pops the operand with lanes of a type, applies an instruction, pushes its result.
macro_rules! unary {
    ($self:ident, $ty:expr, $instruction:ident) => {{
        let operand = $self.pop_vector($ty);
        let result = $self.builder.ins().$instruction(operand);
        $self.push_vector(result);
    }};
}

/// Pops two operands with lanes of a type, applies an instruction, pushes its result.
macro_rules! binary {
    ($self:ident, $ty:expr, $instruction:ident) => {{
        let (left, right) = $self.pop_vectors($ty);
        let result = $self.builder.ins().$instruction(left, right);
        $self.push_vector(result);
    }};
}

mod bitwise;
mod comparison;
mod conversion;
mod float;
mod integer;
mod lanes;
mod memory;
mod relaxed;

use super::Translator;
use cranelift_codegen::ir::{
    Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, types,
};
use wasmparser::Operator;

/// How a lane is filled that is wider than its source.
#[derive(Debug, Clone, Copy)]
enum Extension {
    Sign,
    Zero,
}

/// Which lanes of an operand are widened.
#[derive(Debug, Clone, Copy)]
enum Half {
    Low,
    High,
}

impl Translator<'_, '_> {
    pub(super) fn vector(&mut self, operator: &Operator<'_>) -> bool {
        self.vector_memory(operator)
            || self.vector_lanes(operator)
            || self.vector_bitwise(operator)
            || self.vector_integer(operator)
            || self.vector_float(operator)
            || self.vector_comparison(operator)
            || self.vector_conversion(operator)
            || self.vector_relaxed(operator)
    }

    /// Pops a vector with lanes of `ty`.
    fn pop_vector(&mut self, ty: Type) -> Value {
        let operand = self.pop();
        self.reinterpret_lanes(ty, operand)
    }

    /// Pops two vectors with lanes of `ty`, the lower one first.
    fn pop_vectors(&mut self, ty: Type) -> (Value, Value) {
        let second = self.pop_vector(ty);
        (self.pop_vector(ty), second)
    }

    /// Pushes a vector of any lanes.
    fn push_vector(&mut self, value: Value) {
        let value = self.reinterpret_lanes(types::I8X16, value);
        self.push(value);
    }

    /// The same 128 bits with lanes of `ty`.
    fn reinterpret_lanes(&mut self, ty: Type, value: Value) -> Value {
        let value = self.original_lanes(value);
        if self.builder.func.dfg.value_type(value) == ty {
            return value;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(ty, flags, value)
    }

    /// The vector behind a reinterpretation: patterns of the code generator that span operators
    /// do not look through one.
    fn original_lanes(&self, value: Value) -> Value {
        let dfg = &self.builder.func.dfg;
        let value = dfg.resolve_aliases(value);
        match dfg.value_def(value).inst().map(|inst| dfg.insts[inst]) {
            Some(InstructionData::LoadNoOffset { opcode: Opcode::Bitcast, arg, .. }) => arg,
            _ => value,
        }
    }

    /// Widens half of a vector's lanes to twice their size.
    fn widen_lanes(&mut self, half: Half, extension: Extension, value: Value) -> Value {
        let ins = self.builder.ins();
        match (half, extension) {
            (Half::Low, Extension::Sign) => ins.swiden_low(value),
            (Half::Low, Extension::Zero) => ins.uwiden_low(value),
            (Half::High, Extension::Sign) => ins.swiden_high(value),
            (Half::High, Extension::Zero) => ins.uwiden_high(value),
        }
    }
}
