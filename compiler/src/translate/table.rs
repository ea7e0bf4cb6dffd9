//! Table operators.

use super::{Region, Translator};
use crate::symbol::{Builtin, Data};
use core::mem::{offset_of, size_of};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use kiln_abi::table::{Element, ElementSegment, Table};
use kiln_abi::trap::TrapCode;
use wasmparser::Operator;

impl Translator<'_, '_> {
    pub(super) fn table(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::TableGet { table } => {
                let index = self.pop_index(table);
                let entry = self.table_entry(table, index, TrapCode::TableOutOfBounds);
                let ty = self.plan.spaces.tables[table as usize].element;
                let reference = self.reference_of_entry(ty, entry);
                self.push(reference);
            }
            Operator::TableSet { table } => {
                let reference = self.pop();
                let index = self.pop_index(table);
                let entry = self.table_entry(table, index, TrapCode::TableOutOfBounds);
                let ty = self.plan.spaces.tables[table as usize].element;
                let (low, high) = self.entry_of_reference(ty, reference);
                let region = self.alias_region(Region::Tables);
                let flags = MemFlagsData::trusted().with_alias_region(region);
                self.builder.ins().store(flags, low, entry, 0);
                self.builder.ins().store(flags, high, entry, 8);
            }
            Operator::TableSize { table } => {
                let length = self.table_length(table);
                let length = self.narrow(length, self.is_table64(table));
                self.push(length);
            }
            Operator::TableGrow { table } => self.table_grow(table),
            Operator::TableFill { table } => {
                let count = self.pop_index(table);
                let reference = self.pop();
                let at = self.pop_index(table);
                let ty = self.plan.spaces.tables[table as usize].element;
                let (low, high) = self.entry_of_reference(ty, reference);
                let record = self.table_record(table);
                self.call_builtin(Builtin::TableFill, &[record, at, low, high, count]);
            }
            Operator::TableCopy { dst_table, src_table } => {
                let is_64 = self.is_table64(dst_table) && self.is_table64(src_table);
                let count = self.pop();
                let count = self.widen(count, is_64);
                let from_at = self.pop_index(src_table);
                let to_at = self.pop_index(dst_table);
                let (to, from) = (self.table_record(dst_table), self.table_record(src_table));
                self.call_builtin(Builtin::TableCopy, &[to, from, to_at, from_at, count]);
            }
            Operator::TableInit { table, elem_index } => {
                let (from_at, count) = self.pop2();
                let (from_at, count) = (self.widen(from_at, false), self.widen(count, false));
                let to_at = self.pop_index(table);
                let record = self.table_record(table);
                let segment = self.element_segment(elem_index);
                self.call_builtin(Builtin::TableInit, &[record, segment, to_at, from_at, count]);
            }
            Operator::ElemDrop { elem_index } => self.drop_element_segment(elem_index),
            _ => return false,
        }
        true
    }

    fn table_grow(&mut self, table: u32) {
        let delta = self.pop_index(table);
        let reference = self.pop();
        let ty = self.plan.spaces.tables[table as usize].element;
        let (low, high) = self.entry_of_reference(ty, reference);
        let record = self.table_record(table);
        let former = self.call_builtin(Builtin::TableGrow, &[record, delta, low, high]);
        let former = former.expect("growing returns the former length");
        let former = self.narrow(former, self.is_table64(table));
        self.push(former);
    }

    fn is_table64(&self, table: u32) -> bool {
        self.plan.spaces.tables[table as usize].table64
    }

    /// Pops an index or count of a table, as 64 bits.
    fn pop_index(&mut self, table: u32) -> Value {
        let index = self.pop();
        self.widen(index, self.is_table64(table))
    }

    /// The address of a table's entry; traps with `outside` if there is none at `index`.
    pub(super) fn table_entry(&mut self, table: u32, index: Value, outside: TrapCode) -> Value {
        let length = self.table_length(table);
        let beyond = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, length);
        self.trap_if(beyond, outside);
        let elements = self.table_elements(table);
        self.element_at(elements, index)
    }

    /// The address of the element of that number in an array of elements.
    pub(super) fn element_at(&mut self, elements: Value, number: Value) -> Value {
        let size = self.builder.ins().iconst(types::I64, i64::from(size_of::<Element>().ilog2()));
        let offset = self.builder.ins().ishl(number, size);
        self.builder.ins().iadd(elements, offset)
    }

    /// The address of a table's first entry.
    fn table_elements(&mut self, table: u32) -> Value {
        if self.plan.table_length(table).is_some() {
            return self.data_address(Data::TableElements(table), 0);
        }
        let record = self.table_record(table);
        let flags = MemFlagsData::trusted().with_alias_region(self.alias_region(Region::Records));
        let offset = offset_of!(Table, elements) as i32;
        self.builder.ins().load(types::I64, flags, record, offset)
    }

    /// The number of a table's entries.
    pub(super) fn table_length(&mut self, table: u32) -> Value {
        if let Some(length) = self.plan.table_length(table) {
            return self.builder.ins().iconst(types::I64, length.cast_signed());
        }
        let record = self.table_record(table);
        let flags = MemFlagsData::trusted().with_alias_region(self.alias_region(Region::Records));
        self.builder.ins().load(types::I64, flags, record, offset_of!(Table, length) as i32)
    }

    /// The address of a table's record.
    pub(super) fn table_record(&mut self, table: u32) -> Value {
        self.data_address(Data::Tables, i64::from(table) * size_of::<Table>() as i64)
    }

    pub(super) fn element_segment(&mut self, segment: u32) -> Value {
        let offset = i64::from(segment) * size_of::<ElementSegment>() as i64;
        self.data_address(Data::ElementSegments, offset)
    }

    pub(super) fn drop_element_segment(&mut self, segment: u32) {
        let record = self.element_segment(segment);
        let zero = self.builder.ins().iconst(types::I64, 0);
        let offset = offset_of!(ElementSegment, length) as i32;
        self.builder.ins().store(MemFlagsData::trusted(), zero, record, offset);
    }
}
