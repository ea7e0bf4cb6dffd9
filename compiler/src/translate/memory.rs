//! Memory operators but those of vectors.

use super::Translator;
use super::bounds::Address;
use crate::symbol::{Builtin, Data};
use core::mem::{offset_of, size_of};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};
use kiln_abi::WASM_PAGE_SIZE;
use kiln_abi::program::DataSegment;
use wasmparser::{MemArg, Operator};

/// How a load fills its type.
#[derive(Clone, Copy)]
enum Extension {
    Sign,
    Zero,
}

impl Translator<'_, '_> {
    pub(super) fn memory(&mut self, operator: &Operator<'_>) -> bool {
        use Extension::{Sign, Zero};
        match operator {
            Operator::I32Load { memarg } => self.load(types::I32, memarg),
            Operator::I64Load { memarg } => self.load(types::I64, memarg),
            Operator::F32Load { memarg } => self.load(types::F32, memarg),
            Operator::F64Load { memarg } => self.load(types::F64, memarg),
            Operator::I32Load8S { memarg } => self.extending_load(types::I32, 1, Sign, memarg),
            Operator::I32Load8U { memarg } => self.extending_load(types::I32, 1, Zero, memarg),
            Operator::I32Load16S { memarg } => self.extending_load(types::I32, 2, Sign, memarg),
            Operator::I32Load16U { memarg } => self.extending_load(types::I32, 2, Zero, memarg),
            Operator::I64Load8S { memarg } => self.extending_load(types::I64, 1, Sign, memarg),
            Operator::I64Load8U { memarg } => self.extending_load(types::I64, 1, Zero, memarg),
            Operator::I64Load16S { memarg } => self.extending_load(types::I64, 2, Sign, memarg),
            Operator::I64Load16U { memarg } => self.extending_load(types::I64, 2, Zero, memarg),
            Operator::I64Load32S { memarg } => self.extending_load(types::I64, 4, Sign, memarg),
            Operator::I64Load32U { memarg } => self.extending_load(types::I64, 4, Zero, memarg),
            Operator::I32Store { memarg } | Operator::F32Store { memarg } => self.store(4, memarg),
            Operator::I64Store { memarg } | Operator::F64Store { memarg } => self.store(8, memarg),
            Operator::I32Store8 { memarg } | Operator::I64Store8 { memarg } => {
                self.truncating_store(1, memarg);
            }
            Operator::I32Store16 { memarg } | Operator::I64Store16 { memarg } => {
                self.truncating_store(2, memarg);
            }
            Operator::I64Store32 { memarg } => self.truncating_store(4, memarg),
            Operator::MemorySize { mem } => self.memory_size(*mem),
            Operator::MemoryGrow { mem } => self.memory_grow(*mem),
            Operator::MemoryCopy { dst_mem, src_mem } => self.memory_copy(*dst_mem, *src_mem),
            Operator::MemoryFill { mem } => self.memory_fill(*mem),
            Operator::MemoryInit { data_index, mem } => self.memory_init(*data_index, *mem),
            Operator::DataDrop { data_index } => self.drop_data_segment(*data_index),
            _ => return false,
        }
        true
    }

    fn load(&mut self, ty: Type, memarg: &MemArg) {
        let Address { base, offset, flags } = self.pop_address(memarg, ty.bytes().into());
        let value = self.builder.ins().load(ty, flags, base, offset);
        self.push(value);
    }

    fn extending_load(&mut self, ty: Type, size: u64, extension: Extension, memarg: &MemArg) {
        let Address { base, offset, flags } = self.pop_address(memarg, size);
        let ins = self.builder.ins();
        let value = match (size, extension) {
            (1, Extension::Sign) => ins.sload8(ty, flags, base, offset),
            (1, Extension::Zero) => ins.uload8(ty, flags, base, offset),
            (2, Extension::Sign) => ins.sload16(ty, flags, base, offset),
            (2, Extension::Zero) => ins.uload16(ty, flags, base, offset),
            (_, Extension::Sign) => ins.sload32(flags, base, offset),
            (_, Extension::Zero) => ins.uload32(flags, base, offset),
        };
        self.push(value);
    }

    fn store(&mut self, size: u64, memarg: &MemArg) {
        let value = self.pop();
        let Address { base, offset, flags } = self.pop_address(memarg, size);
        self.builder.ins().store(flags, value, base, offset);
    }

    fn truncating_store(&mut self, size: u64, memarg: &MemArg) {
        let value = self.pop();
        let Address { base, offset, flags } = self.pop_address(memarg, size);
        let ins = self.builder.ins();
        match size {
            1 => ins.istore8(flags, value, base, offset),
            2 => ins.istore16(flags, value, base, offset),
            _ => ins.istore32(flags, value, base, offset),
        };
    }

    fn is_memory64(&self, memory: u32) -> bool {
        self.plan.memories[memory as usize].memory64
    }

    /// Pops an index or count of a memory, as 64 bits.
    fn pop_memory_index(&mut self, memory: u32) -> Value {
        let index = self.pop();
        self.widen(index, self.is_memory64(memory))
    }

    fn memory_size(&mut self, memory: u32) {
        let length = self.memory_length_now(memory);
        let shift = self.builder.ins().iconst(types::I64, i64::from(WASM_PAGE_SIZE.ilog2()));
        let pages = self.builder.ins().ushr(length, shift);
        let pages = self.narrow(pages, self.is_memory64(memory));
        self.push(pages);
    }

    fn memory_grow(&mut self, memory: u32) {
        let delta = self.pop_memory_index(memory);
        let record = self.memory_record(memory);
        let former = self.call_builtin(Builtin::MemoryGrow, &[record, delta]);
        let former = former.expect("growing returns the former size");
        let former = self.narrow(former, self.is_memory64(memory));
        self.push(former);
    }

    fn memory_copy(&mut self, to: u32, from: u32) {
        let is_64 = self.is_memory64(to) && self.is_memory64(from);
        let count = self.pop();
        if let Some(count) = self.few_bytes(count) {
            let (to_at, from_at) = self.pop2();
            self.copy_few((to, to_at), (from, from_at), count);
            return;
        }
        let count = self.widen(count, is_64);
        let from_at = self.pop_memory_index(from);
        let to_at = self.pop_memory_index(to);
        let (to, from) = (self.memory_record(to), self.memory_record(from));
        self.call_builtin(Builtin::MemoryCopy, &[to, from, to_at, from_at, count]);
    }

    fn memory_fill(&mut self, memory: u32) {
        let count = self.pop();
        let byte = self.pop();
        if let Some(count) = self.few_bytes(count) {
            let at = self.pop();
            self.fill_few(memory, at, byte, count);
            return;
        }
        let count = self.widen(count, self.is_memory64(memory));
        let at = self.pop_memory_index(memory);
        let record = self.memory_record(memory);
        self.call_builtin(Builtin::MemoryFill, &[record, at, byte, count]);
    }

    fn memory_init(&mut self, segment: u32, memory: u32) {
        let (from_at, count) = self.pop2();
        let (from_at, count) = (self.widen(from_at, false), self.widen(count, false));
        let to_at = self.pop_memory_index(memory);
        let record = self.memory_record(memory);
        let segment = self.data_segment(segment);
        self.call_builtin(Builtin::MemoryInit, &[record, segment, to_at, from_at, count]);
    }

    pub(super) fn data_segment(&mut self, segment: u32) -> Value {
        let offset = i64::from(segment) * size_of::<DataSegment>() as i64;
        self.data_address(Data::Segments, offset)
    }

    pub(super) fn drop_data_segment(&mut self, segment: u32) {
        let record = self.data_segment(segment);
        let zero = self.builder.ins().iconst(types::I64, 0);
        let offset = offset_of!(DataSegment, length) as i32;
        self.builder.ins().store(MemFlagsData::trusted(), zero, record, offset);
    }
}
