//! The operand stack.

use super::Translator;
use cranelift_codegen::ir::Value;

impl Translator<'_, '_> {
    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    pub(super) fn push_all(&mut self, values: &[Value]) {
        self.stack.extend_from_slice(values);
    }

    pub(super) fn pop(&mut self) -> Value {
        self.stack.pop().expect("a validated operator has its operands")
    }

    /// The two topmost operands, the lower one first.
    pub(super) fn pop2(&mut self) -> (Value, Value) {
        let second = self.pop();
        (self.pop(), second)
    }

    /// The three topmost operands, the lowest one first.
    pub(super) fn pop3(&mut self) -> (Value, Value, Value) {
        let third = self.pop();
        let (first, second) = self.pop2();
        (first, second, third)
    }

    /// The topmost operands, `count` of them, the lowest one first.
    pub(super) fn pop_many(&mut self, count: usize) -> Vec<Value> {
        self.stack.split_off(self.stack.len() - count)
    }

    /// Copies the topmost operands, `count` of them, the lowest one first.
    pub(super) fn peek_many(&self, count: usize) -> Vec<Value> {
        self.stack[self.stack.len() - count..].to_vec()
    }
}
