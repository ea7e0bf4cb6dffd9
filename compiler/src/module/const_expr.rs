//! Constant expressions and their values.
//!
//! Source: core specification, "Validation / Instructions / Constant Expressions".

use crate::program::Indices;
use wasmparser::Operator;

/// A validated constant expression.
#[derive(Debug, Clone)]
pub struct ConstExpr<'a>(pub(crate) wasmparser::ConstExpr<'a>);

/// The value of a constant expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Constant {
    /// A number or vector as its bits, zero-extended.
    Bits(u128),
    /// The null reference of any type.
    Null,
    /// A reference to the function of that index of the program.
    Function(u32),
}

impl Constant {
    /// The value as an unsigned offset of a segment.
    pub(crate) fn as_offset(self) -> u64 {
        match self {
            Self::Bits(bits) => bits as u64,
            Self::Null | Self::Function(_) => 0,
        }
    }
}

impl ConstExpr<'_> {
    /// Its byte offset in the file.
    pub(crate) fn offset(&self) -> usize {
        self.0.get_binary_reader().original_position() as usize
    }

    /// The value in a program where the module has these indices and globals these values, as far
    /// as they are there. `None` when it uses an operator that Kiln does not evaluate.
    pub(crate) fn evaluate(&self, indices: &Indices, globals: &[Constant]) -> Option<Constant> {
        let mut stack = Vec::new();
        for operator in self.0.get_operators_reader() {
            match operator.ok()? {
                Operator::I32Const { value } => stack.push(bits32(value)),
                Operator::I64Const { value } => stack.push(bits64(value)),
                Operator::F32Const { value } => stack.push(Constant::Bits(value.bits().into())),
                Operator::F64Const { value } => stack.push(Constant::Bits(value.bits().into())),
                Operator::V128Const { value } => {
                    stack.push(Constant::Bits(u128::from_le_bytes(*value.bytes())));
                }
                Operator::RefNull { .. } => stack.push(Constant::Null),
                Operator::RefFunc { function_index } => {
                    stack.push(Constant::Function(indices.functions.program(function_index)));
                }
                Operator::GlobalGet { global_index } => {
                    stack.push(*globals.get(indices.globals.program(global_index) as usize)?);
                }
                Operator::I32Add => binary32(&mut stack, i32::wrapping_add)?,
                Operator::I32Sub => binary32(&mut stack, i32::wrapping_sub)?,
                Operator::I32Mul => binary32(&mut stack, i32::wrapping_mul)?,
                Operator::I64Add => binary64(&mut stack, i64::wrapping_add)?,
                Operator::I64Sub => binary64(&mut stack, i64::wrapping_sub)?,
                Operator::I64Mul => binary64(&mut stack, i64::wrapping_mul)?,
                Operator::End => break,
                _ => return None,
            }
        }
        stack.pop()
    }
}

fn bits32(value: i32) -> Constant {
    Constant::Bits(value.cast_unsigned().into())
}

fn bits64(value: i64) -> Constant {
    Constant::Bits(value.cast_unsigned().into())
}

fn pop(stack: &mut Vec<Constant>) -> Option<u64> {
    match stack.pop()? {
        Constant::Bits(bits) => Some(bits as u64),
        Constant::Null | Constant::Function(_) => None,
    }
}

fn binary32(stack: &mut Vec<Constant>, apply: fn(i32, i32) -> i32) -> Option<()> {
    let right = pop(stack)? as i32;
    let left = pop(stack)? as i32;
    stack.push(bits32(apply(left, right)));
    Some(())
}

fn binary64(stack: &mut Vec<Constant>, apply: fn(i64, i64) -> i64) -> Option<()> {
    let right = pop(stack)? as i64;
    let left = pop(stack)? as i64;
    stack.push(bits64(apply(left, right)));
    Some(())
}
