//! Reference operators.
//!
//! A function reference is the address of the function's record, null is 0.

use super::{Region, Translator};
use crate::symbol::Data;
use core::mem::{offset_of, size_of};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use kiln_abi::table::{Element, NULL_ELEMENT_LOW};
use kiln_abi::trap::TrapCode;
use wasmparser::{Operator, RefType};

impl Translator<'_, '_> {
    pub(super) fn reference(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::RefNull { .. } => {
                let null = self.builder.ins().iconst(types::I64, 0);
                self.push(null);
            }
            Operator::RefIsNull => {
                let reference = self.pop();
                let null = self.is_null(reference);
                let null = self.builder.ins().uextend(types::I32, null);
                self.push(null);
            }
            Operator::RefFunc { function_index } => {
                let reference = self.function_reference(function_index);
                self.push(reference);
            }
            Operator::RefAsNonNull => {
                let reference = self.pop();
                let null = self.is_null(reference);
                self.trap_if(null, TrapCode::NullReference);
                self.push(reference);
            }
            Operator::BrOnNull { relative_depth } => {
                let reference = self.pop();
                let null = self.is_null(reference);
                self.branch_if(null, relative_depth);
                self.push(reference);
            }
            Operator::BrOnNonNull { relative_depth } => {
                self.branch_if(self.peek_many(1)[0], relative_depth);
                self.pop();
            }
            _ => return false,
        }
        true
    }

    fn is_null(&mut self, reference: Value) -> Value {
        self.builder.ins().icmp_imm_u(IntCC::Equal, reference, 0)
    }

    /// A reference to the function of that index.
    pub(super) fn function_reference(&mut self, index: u32) -> Value {
        let number = self.plan.facts.referenced[index as usize]
            .expect("analysis numbered every function that is referred to");
        self.data_address(Data::References, i64::from(number) * size_of::<Element>() as i64)
    }

    /// The reference of the host that stands for the topmost operand: one more than it, since null
    /// is 0.
    pub(super) fn extern_new(&mut self) {
        let number = self.pop();
        let number = self.builder.ins().uextend(types::I64, number);
        let reference = self.builder.ins().iadd_imm_u(number, 1);
        self.push(reference);
    }

    /// The number that the topmost operand stands for, -1 for null.
    pub(super) fn extern_number(&mut self) {
        let reference = self.pop();
        let number = self.builder.ins().ireduce(types::I32, reference);
        let number = self.builder.ins().iadd_imm_s(number, -1);
        self.push(number);
    }

    /// The 16 bytes that a table's entry holds for a reference.
    pub(super) fn entry_of_reference(&mut self, ty: RefType, reference: Value) -> (Value, Value) {
        if !refers_to_functions(ty) {
            let zero = self.builder.ins().iconst(types::I64, NULL_ELEMENT_LOW.cast_signed());
            return (reference, zero);
        }
        let null = self.is_null(reference);
        let nothing = self.null_element();
        let record = self.builder.ins().select(null, nothing, reference);
        let flags = MemFlagsData::trusted().with_readonly();
        let low = self.builder.ins().load(types::I64, flags, record, 0);
        let high = self.builder.ins().load(types::I64, flags, record, 8);
        (low, high)
    }

    /// The reference that a table's entry stands for.
    pub(super) fn reference_of_entry(&mut self, ty: RefType, entry: Value) -> Value {
        let flags = MemFlagsData::trusted().with_alias_region(self.alias_region(Region::Tables));
        if !refers_to_functions(ty) {
            return self.builder.ins().load(types::I64, flags, entry, 0);
        }
        let offset = offset_of!(Element, function) as i32;
        let number = self.builder.ins().load(types::I32, flags, entry, offset);
        let null = self.builder.ins().icmp_imm_u(IntCC::Equal, number, i64::from(u32::MAX));
        let number = self.builder.ins().uextend(types::I64, number);
        let records = self.data_address(Data::References, 0);
        let record = self.element_at(records, number);
        let nothing = self.builder.ins().iconst(types::I64, 0);
        self.builder.ins().select(null, nothing, record)
    }

    /// The record that stands for null: the last one.
    fn null_element(&mut self) -> Value {
        let number = self.plan.facts.references.len() as i64;
        self.data_address(Data::References, number * size_of::<Element>() as i64)
    }
}

/// Whether references of that type are to functions: every defined type is one of functions.
fn refers_to_functions(ty: RefType) -> bool {
    ty.is_func_ref() || ty.is_concrete_type_ref()
}
