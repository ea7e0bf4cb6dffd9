//! Local and global variables, and the parametric operators.

use super::{Region, Translator, clif_type};
use crate::module::Constant;
use crate::symbol::{Data, GLOBAL_SIZE};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use wasmparser::{Operator, ValType};

impl Translator<'_, '_> {
    pub(super) fn variable(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::LocalGet { local_index } => {
                let value = self.use_local(local_index as usize);
                self.locals[local_index as usize].read = Some(value);
                self.push(value);
            }
            Operator::LocalSet { local_index } => {
                let value = self.pop();
                self.local_set(local_index, value);
            }
            Operator::LocalTee { local_index } => {
                let value = self.pop();
                self.local_set(local_index, value);
                self.push(value);
            }
            Operator::GlobalGet { global_index } => {
                let value = self.global_get(global_index);
                self.push(value);
            }
            Operator::GlobalSet { global_index } => {
                let value = self.pop();
                let (address, flags) = self.global_place(global_index);
                self.builder.ins().store(flags, value, address, 0);
            }
            Operator::Drop => {
                self.pop();
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let (chosen, other, condition) = self.pop3();
                let value = self.builder.ins().select(condition, chosen, other);
                self.push(value);
            }
            _ => return false,
        }
        true
    }

    fn local_set(&mut self, index: u32, value: Value) {
        self.accumulate(index, value);
        self.define_local(index as usize, value);
    }

    pub(super) fn global_get(&mut self, index: u32) -> Value {
        let ty = self.plan.spaces.globals[index as usize].ty;
        let facts = self.plan.facts.globals[index as usize];
        if facts.constant {
            return self.constant(ty, facts.initial);
        }
        let (address, flags) = self.global_place(index);
        self.builder.ins().load(clif_type(ty), flags, address, 0)
    }

    pub(super) fn global_place(&mut self, index: u32) -> (Value, MemFlagsData) {
        let offset = i64::from(index) * GLOBAL_SIZE as i64;
        let region = self.alias_region(Region::Global(index));
        let flags = MemFlagsData::trusted().with_alias_region(region);
        (self.data_address(Data::Globals, offset), flags)
    }

    /// A value known when compiling.
    fn constant(&mut self, ty: ValType, value: Constant) -> Value {
        let bits = match value {
            Constant::Bits(bits) => bits,
            Constant::Null => 0,
            Constant::Function(index) => return self.function_reference(index),
        };
        match ty {
            ValType::I32 => self.builder.ins().iconst(types::I32, i64::from(bits as u32)),
            ValType::I64 | ValType::Ref(_) => self.builder.ins().iconst(types::I64, bits as i64),
            ValType::F32 => self.builder.ins().f32const(f32::from_bits(bits as u32)),
            ValType::F64 => self.builder.ins().f64const(f64::from_bits(bits as u64)),
            ValType::V128 => {
                let bytes = bits.to_le_bytes().as_slice().into();
                let constant = self.builder.func.dfg.constants.insert(bytes);
                self.builder.ins().vconst(types::I8X16, constant)
            }
        }
    }
}
