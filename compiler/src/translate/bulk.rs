//! `memory.copy` and `memory.fill` of a few bytes, whose number is known when compiling.
//!
//! Toolchains write them for moving a structure or clearing one: Go's fills are nearly all of that
//! kind. A few loads and stores take less time than the runtime's call does.
//!
//! Guarantees that nothing is written where the operator traps: all loads come before the first
//! store, one of the last byte that will be written among them. (On arm64 a store that lies partly
//! outside may write the rest.)

use super::Translator;
use super::bounds::Address;
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use wasmparser::{MemArg, MemArgTarget};

/// The most bytes that are moved without a call: four vectors.
const LONGEST: u64 = 64;

impl Translator<'_, '_> {
    /// The number of bytes if it is a constant that is worth writing out.
    pub(super) fn few_bytes(&self, count: Value) -> Option<u64> {
        let count = self.constant_integer(count)?.cast_unsigned();
        (self.plan.optimize && (1..=LONGEST).contains(&count)).then_some(count)
    }

    /// Copies `count` bytes; the ranges may overlap.
    pub(super) fn copy_few(
        &mut self,
        (to, to_at): (u32, Value),
        (from, from_at): (u32, Value),
        count: u64,
    ) {
        let source = self.range(from, from_at, count);
        let target = self.range(to, to_at, count);
        let values: Vec<_> = pieces(count)
            .map(|(ty, offset)| {
                let flags = source.flags;
                (self.builder.ins().load(ty, flags, source.base, source.offset + offset), offset)
            })
            .collect();
        self.store_pieces(&target, count, &values);
    }

    /// Fills `count` bytes with the lowest 8 bits of `byte`.
    pub(super) fn fill_few(&mut self, memory: u32, at: Value, byte: Value, count: u64) {
        let target = self.range(memory, at, count);
        let byte = self.builder.ins().ireduce(types::I8, byte);
        let values: Vec<_> =
            pieces(count).map(|(ty, offset)| (self.repeat(byte, ty), offset)).collect();
        self.store_pieces(&target, count, &values);
    }

    /// The address of `count` bytes.
    pub(super) fn range(&mut self, memory: u32, at: Value, count: u64) -> Address {
        let target = MemArgTarget::Memory(memory);
        let memarg = MemArg { align: 0, max_align: 0, offset: 0, target, ordering: None };
        self.address(at, &memarg, count)
    }

    /// Stores values at their offsets in a range of `count` bytes.
    fn store_pieces(&mut self, to: &Address, count: u64, values: &[(Value, i32)]) {
        let Address { base, offset: start, flags } = *to;
        self.builder.ins().load(types::I8, flags, base, start + count as i32 - 1);
        for &(value, offset) in values {
            self.builder.ins().store(flags, value, base, start + offset);
        }
    }

    /// A value of that type whose bytes are all the same.
    fn repeat(&mut self, byte: Value, ty: Type) -> Value {
        if ty == types::I8 {
            return byte;
        }
        if ty == types::I8X16 {
            return self.builder.ins().splat(ty, byte);
        }
        let wide = self.builder.ins().uextend(ty, byte);
        let ones = 0x0101_0101_0101_0101_u64 >> (64 - ty.bits());
        self.builder.ins().imul_imm_s(wide, ones.cast_signed())
    }
}

/// Types and offsets of the accesses that cover `count` bytes, in ascending order of where they
/// end. The last one may overlap the one before.
fn pieces(count: u64) -> impl Iterator<Item = (Type, i32)> {
    let ty = match count {
        16.. => types::I8X16,
        8.. => types::I64,
        4.. => types::I32,
        2.. => types::I16,
        _ => types::I8,
    };
    let size = u64::from(ty.bytes());
    let last = count - size;
    let whole = (0..last).step_by(size as usize);
    whole.chain(std::iter::once(last)).map(move |offset| (ty, offset as i32))
}
