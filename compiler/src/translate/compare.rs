//! `memcmp` by words.
//!
//! The C library compiled to wasm compares byte by byte, where a native one takes many at once.
//! Words that are equal are passed over first; then the body, unchanged, finds the difference or
//! the end within eight bytes. So it need not be known what the body returns, only what it reads.
//!
//! Requires the body that `analyze::idiom` knows. Guarantees the same traps: where the ranges do
//! not lie in memory as a whole, nothing is passed over.

use super::Translator;
use super::bounds::Address;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

/// Bytes of a word.
const WORD: i64 = 8;

impl Translator<'_, '_> {
    /// Moves the ranges of a memory that begin at locals 0 and 1, local 2 bytes long, past equal words.
    pub(super) fn skip_equal_words(&mut self, memory: u32) {
        let [left, right, count] = [0, 1, 2];
        let [inside, header, words, equal, done] = [(); 5].map(|()| self.builder.create_block());

        let bytes = self.use_local(count);
        let few = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, bytes, WORD);
        self.builder.ins().brif(few, done, &[], inside, &[]);

        self.builder.switch_to_block(inside);
        let length = self.memory_length(memory);
        let [left_ends, right_ends] = [left, right].map(|start| {
            let start = self.use_local(start);
            self.ends_outside(start, bytes, length)
        });
        let outside = self.builder.ins().bor(left_ends, right_ends);
        self.builder.ins().brif(outside, done, &[], header, &[]);

        self.builder.switch_to_block(header);
        let bytes = self.use_local(count);
        let few = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, bytes, WORD);
        self.builder.ins().brif(few, done, &[], words, &[]);

        self.builder.switch_to_block(words);
        let [one, other] = [left, right].map(|start| {
            let start = self.use_local(start);
            let Address { base, offset, flags } = self.range(memory, start, WORD as u64);
            self.builder.ins().load(types::I64, flags, base, offset)
        });
        let differ = self.builder.ins().icmp(IntCC::NotEqual, one, other);
        self.builder.ins().brif(differ, done, &[], equal, &[]);

        self.builder.switch_to_block(equal);
        for (local, step) in [(left, WORD), (right, WORD), (count, -WORD)] {
            let value = self.use_local(local);
            let value = self.builder.ins().iadd_imm_s(value, step);
            self.define_local(local, value);
        }
        self.builder.ins().jump(header, &[]);
        for block in [inside, header, words, equal, done] {
            self.builder.seal_block(block);
        }
        self.builder.switch_to_block(done);
    }

    /// Whether a range of `bytes` from `start` ends outside a memory of that length.
    fn ends_outside(&mut self, start: Value, bytes: Value, length: Value) -> Value {
        let (start, bytes) = (self.widen(start, false), self.widen(bytes, false));
        let end = self.builder.ins().iadd(start, bytes);
        self.builder.ins().icmp(IntCC::UnsignedGreaterThan, end, length)
    }
}
