//! From a guest's index to a native address: every bounds check of a memory access is here.
//!
//! A guarded 32-bit memory has all addresses that an index and an offset can form inside its
//! reservation, so an access needs no check: outside the memory's length it faults. Any other
//! memory is compared with its length.

use super::{Region, Translator};
use crate::symbol::Data;
use core::mem::{offset_of, size_of};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value, types};
use kiln_abi::program::Memory;
use kiln_abi::trap::TrapCode;
use wasmparser::{MemArg, MemArgTarget};

/// A native address that an instruction can access.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address {
    pub(super) base: Value,
    pub(super) offset: i32,
    pub(super) flags: MemFlagsData,
}

impl Translator<'_, '_> {
    /// The address of an access of `size` bytes whose index is the topmost operand.
    pub(super) fn pop_address(&mut self, memarg: &MemArg, size: u64) -> Address {
        let index = self.pop();
        self.address(index, memarg, size)
    }

    /// The address of an access of `size` bytes at `index`.
    pub(super) fn address(&mut self, index: Value, memarg: &MemArg, size: u64) -> Address {
        let memory = memory_of(memarg);
        let plan = self.plan.memories[memory as usize];
        let index = self.widen(index, plan.memory64);
        if plan.checked {
            self.check(memory, index, memarg.offset, size);
        }
        let base = self.memory_base(memory);
        let native = self.builder.ins().iadd(index, base);
        let flags = MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_alias_region(self.alias_region(Region::Memory(memory)));
        match i32::try_from(memarg.offset) {
            Ok(offset) => Address { base: native, offset, flags },
            Err(_) => {
                let offset = self.builder.ins().iconst(types::I64, memarg.offset.cast_signed());
                let base = self.builder.ins().iadd(native, offset);
                Address { base, offset: 0, flags }
            }
        }
    }

    /// The address of an atomic access of that width, whose index is the topmost operand, with no
    /// offset. Traps unless the width divides it.
    pub(super) fn pop_aligned_address(&mut self, memarg: &MemArg, width: Type) -> Address {
        let size = u64::from(width.bytes());
        let Address { base, offset, flags } = self.pop_address(memarg, size);
        let base = match offset {
            0 => base,
            _ => self.builder.ins().iadd_imm_s(base, i64::from(offset)),
        };
        // Byte 0 of a memory lies at the start of a page.
        if size > 1 {
            let rest = self.builder.ins().band_imm_u(base, (size - 1).cast_signed());
            self.trap_if(rest, TrapCode::UnalignedAtomic);
        }
        Address { base, offset: 0, flags }
    }

    /// For the runtime, which checks it: the record of the memory that an access names, and the
    /// index, the topmost operand, with the offset added.
    pub(super) fn pop_effective_address(&mut self, memarg: &MemArg) -> (Value, Value) {
        let memory = memory_of(memarg);
        let is_64 = self.plan.memories[memory as usize].memory64;
        let index = self.pop();
        let index = self.widen(index, is_64);
        let offset = self.builder.ins().iconst(types::I64, memarg.offset.cast_signed());
        let address = if is_64 {
            let code = super::trap::clif(TrapCode::MemoryOutOfBounds);
            self.builder.ins().uadd_overflow_trap(index, offset, code)
        } else {
            self.builder.ins().iadd(index, offset)
        };
        (self.memory_record(memory), address)
    }

    /// Traps unless `size` bytes from `index + offset` lie in the memory.
    fn check(&mut self, memory: u32, index: Value, offset: u64, size: u64) {
        let length = self.memory_length(memory);
        let end = match offset.checked_add(size) {
            Some(distance) => {
                let distance = self.builder.ins().iconst(types::I64, distance.cast_signed());
                if self.plan.memories[memory as usize].memory64 {
                    let code = super::trap::clif(TrapCode::MemoryOutOfBounds);
                    self.builder.ins().uadd_overflow_trap(index, distance, code)
                } else {
                    self.builder.ins().iadd(index, distance)
                }
            }
            // No memory is that long.
            None => self.builder.ins().iconst(types::I64, -1),
        };
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, end, length);
        self.trap_if(outside, TrapCode::MemoryOutOfBounds);
    }

    /// An index or length of a memory or table as 64 bits.
    pub(super) fn widen(&mut self, value: Value, is_64: bool) -> Value {
        if is_64 { value } else { self.builder.ins().uextend(types::I64, value) }
    }

    /// A length of a memory or table in the type that the guest sees.
    pub(super) fn narrow(&mut self, value: Value, is_64: bool) -> Value {
        if is_64 { value } else { self.builder.ins().ireduce(types::I32, value) }
    }

    /// The address of byte 0 of a memory.
    fn memory_base(&mut self, memory: u32) -> Value {
        self.asked.memory_base = true;
        if let Some(base) = self.plan.memories[memory as usize].base {
            return self.builder.ins().iconst(types::I64, base.cast_signed());
        }
        let record = self.memory_record(memory);
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        self.builder.ins().load(types::I64, flags, record, offset_of!(Memory, base) as i32)
    }

    /// The length of a memory in bytes.
    pub(super) fn memory_length(&mut self, memory: u32) -> Value {
        if let Some(length) = self.plan.memories[memory as usize].length {
            return self.builder.ins().iconst(types::I64, length.cast_signed());
        }
        let record = self.memory_record(memory);
        let flags = MemFlagsData::trusted().with_alias_region(self.alias_region(Region::Records));
        self.builder.ins().load(types::I64, flags, record, offset_of!(Memory, length) as i32)
    }

    /// The same, and of a shared memory what it has become by now: code that asks for it twice
    /// may learn of another thread's growing it.
    pub(super) fn memory_length_now(&mut self, memory: u32) -> Value {
        let is_shared = self.plan.spaces.memories[memory as usize].shared;
        if !is_shared || self.plan.memories[memory as usize].length.is_some() {
            return self.memory_length(memory);
        }
        let record = self.memory_record(memory);
        let offset = i64::try_from(offset_of!(Memory, length)).expect("the record is small");
        let length = self.builder.ins().iadd_imm_s(record, offset);
        self.builder.ins().atomic_load(types::I64, MemFlagsData::trusted(), length)
    }

    /// The address of a memory's record.
    pub(super) fn memory_record(&mut self, memory: u32) -> Value {
        self.data_address(Data::Memories, i64::from(memory) * size_of::<Memory>() as i64)
    }
}

/// The memory that an access names.
fn memory_of(memarg: &MemArg) -> u32 {
    match memarg.target {
        MemArgTarget::Memory(index) => index,
        MemArgTarget::Array(_) => unreachable!("validation admits no access of an array"),
    }
}
