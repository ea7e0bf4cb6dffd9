//! Which proposal an operator came with.

use wasmparser::{ConstExpr, Operator, WasmFeatures};

/// The feature that stands for a group of operators.
macro_rules! feature {
    (mvp) => {
        WasmFeatures::empty()
    };
    (sign_extension) => {
        WasmFeatures::SIGN_EXTENSION
    };
    (gc) => {
        WasmFeatures::GC
    };
    (custom_descriptors) => {
        WasmFeatures::CUSTOM_DESCRIPTORS
    };
    (saturating_float_to_int) => {
        WasmFeatures::SATURATING_FLOAT_TO_INT
    };
    (bulk_memory) => {
        WasmFeatures::BULK_MEMORY
    };
    (reference_types) => {
        WasmFeatures::REFERENCE_TYPES
    };
    (tail_call) => {
        WasmFeatures::TAIL_CALL
    };
    (memory_control) => {
        WasmFeatures::MEMORY_CONTROL
    };
    (threads) => {
        WasmFeatures::THREADS
    };
    (simd) => {
        WasmFeatures::SIMD
    };
    (relaxed_simd) => {
        WasmFeatures::RELAXED_SIMD
    };
    (exceptions) => {
        WasmFeatures::EXCEPTIONS
    };
    (legacy_exceptions) => {
        WasmFeatures::LEGACY_EXCEPTIONS
    };
    (shared_everything_threads) => {
        WasmFeatures::SHARED_EVERYTHING_THREADS
    };
    (function_references) => {
        WasmFeatures::FUNCTION_REFERENCES
    };
    (stack_switching) => {
        WasmFeatures::STACK_SWITCHING
    };
    (acquire_release_atomics) => {
        WasmFeatures::ACQUIRE_RELEASE_ATOMICS
    };
    (wide_arithmetic) => {
        WasmFeatures::WIDE_ARITHMETIC
    };
}

macro_rules! of_operator {
    ($(@$proposal:ident $op:ident $({ $($field:ident: $ty:ty),* })? => $visit:ident ($($rest:tt)*))*) => {
        /// The proposal of an operator; empty for those of the MVP.
        pub(crate) fn of_operator(operator: &Operator<'_>) -> WasmFeatures {
            match operator {
                $(Operator::$op { .. } => feature!($proposal),)*
                _ => WasmFeatures::empty(),
            }
        }
    };
}
wasmparser::for_each_operator!(of_operator);

/// The proposals that a constant expression uses.
pub(crate) fn of_expression(expression: &ConstExpr<'_>) -> WasmFeatures {
    let extended = |operator: &Operator<'_>| match operator {
        Operator::I32Add
        | Operator::I32Sub
        | Operator::I32Mul
        | Operator::I64Add
        | Operator::I64Sub
        | Operator::I64Mul => WasmFeatures::EXTENDED_CONST,
        other => of_operator(other),
    };
    expression
        .get_operators_reader()
        .into_iter()
        .map_while(Result::ok)
        .fold(WasmFeatures::empty(), |all, operator| all | extended(&operator))
}
