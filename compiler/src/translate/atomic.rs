//! Atomic operators, on shared memories and on others.
//!
//! Requires a target whose processors access naturally aligned words atomically. Guarantees
//! sequential consistency, and a trap at an address that the access's width does not divide.
//! Waiting and notifying are calls of the runtime, which checks their addresses itself.
//!
//! Source: the threads proposal, "Atomic Memory Accesses" and "Wait and Notify operators".

use super::Translator;
use super::bounds::Address;
use crate::symbol::Builtin;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, Type, Value};
use wasmparser::{MemArg, Operator};

impl Translator<'_, '_> {
    pub(super) fn atomic(&mut self, operator: &Operator<'_>) -> bool {
        if let Some((operation, width, memarg)) = read_modify_write(operator) {
            self.atomic_rmw(operation, width, memarg);
            return true;
        }
        match operator {
            Operator::AtomicFence { .. } => {
                self.builder.ins().fence();
            }
            Operator::MemoryAtomicWait32 { memarg } => {
                self.atomic_wait(Builtin::AtomicWait32, memarg);
            }
            Operator::MemoryAtomicWait64 { memarg } => {
                self.atomic_wait(Builtin::AtomicWait64, memarg);
            }
            Operator::MemoryAtomicNotify { memarg } => self.atomic_notify(memarg),
            Operator::I32AtomicLoad8U { memarg } => self.atomic_load(I32, I8, memarg),
            Operator::I32AtomicLoad16U { memarg } => self.atomic_load(I32, I16, memarg),
            Operator::I32AtomicLoad { memarg } => self.atomic_load(I32, I32, memarg),
            Operator::I64AtomicLoad8U { memarg } => self.atomic_load(I64, I8, memarg),
            Operator::I64AtomicLoad16U { memarg } => self.atomic_load(I64, I16, memarg),
            Operator::I64AtomicLoad32U { memarg } => self.atomic_load(I64, I32, memarg),
            Operator::I64AtomicLoad { memarg } => self.atomic_load(I64, I64, memarg),
            Operator::I32AtomicStore8 { memarg } | Operator::I64AtomicStore8 { memarg } => {
                self.atomic_store(I8, memarg);
            }
            Operator::I32AtomicStore16 { memarg } | Operator::I64AtomicStore16 { memarg } => {
                self.atomic_store(I16, memarg);
            }
            Operator::I32AtomicStore { memarg } | Operator::I64AtomicStore32 { memarg } => {
                self.atomic_store(I32, memarg);
            }
            Operator::I64AtomicStore { memarg } => self.atomic_store(I64, memarg),
            Operator::I32AtomicRmw8CmpxchgU { memarg }
            | Operator::I64AtomicRmw8CmpxchgU { memarg } => self.atomic_cmpxchg(I8, memarg),
            Operator::I32AtomicRmw16CmpxchgU { memarg }
            | Operator::I64AtomicRmw16CmpxchgU { memarg } => self.atomic_cmpxchg(I16, memarg),
            Operator::I32AtomicRmwCmpxchg { memarg }
            | Operator::I64AtomicRmw32CmpxchgU { memarg } => self.atomic_cmpxchg(I32, memarg),
            Operator::I64AtomicRmwCmpxchg { memarg } => self.atomic_cmpxchg(I64, memarg),
            _ => return false,
        }
        true
    }

    fn atomic_load(&mut self, ty: Type, width: Type, memarg: &MemArg) {
        let Address { base, flags, .. } = self.pop_aligned_address(memarg, width);
        let loaded = self.builder.ins().atomic_load(width, flags, base);
        let loaded = self.extended_to(ty, loaded);
        self.push(loaded);
    }

    fn atomic_store(&mut self, width: Type, memarg: &MemArg) {
        let value = self.pop();
        let value = self.reduced_to(width, value);
        let Address { base, flags, .. } = self.pop_aligned_address(memarg, width);
        self.builder.ins().atomic_store(flags, value, base);
    }

    fn atomic_rmw(&mut self, operation: AtomicRmwOp, width: Type, memarg: &MemArg) {
        let operand = self.pop();
        let ty = self.builder.func.dfg.value_type(operand);
        let operand = self.reduced_to(width, operand);
        let Address { base, flags, .. } = self.pop_aligned_address(memarg, width);
        let former = self.builder.ins().atomic_rmw(width, flags, operation, base, operand);
        let former = self.extended_to(ty, former);
        self.push(former);
    }

    /// Stores the replacement where the expected value is found, both cut to the access's width.
    fn atomic_cmpxchg(&mut self, width: Type, memarg: &MemArg) {
        let (expected, replacement) = self.pop2();
        let ty = self.builder.func.dfg.value_type(expected);
        let Address { base, flags, .. } = self.pop_aligned_address(memarg, width);
        let narrow = self.reduced_to(width, expected);
        let replacement = self.reduced_to(width, replacement);
        let former = self.builder.ins().atomic_cas(flags, base, narrow, replacement);
        let former = self.extended_to(ty, former);
        self.push(former);
    }

    fn atomic_wait(&mut self, builtin: Builtin, memarg: &MemArg) {
        let (expected, timeout) = self.pop2();
        let (memory, address) = self.pop_effective_address(memarg);
        let outcome = self.call_builtin(builtin, &[memory, address, expected, timeout]);
        self.push(outcome.expect("waiting returns how it ended"));
    }

    fn atomic_notify(&mut self, memarg: &MemArg) {
        let count = self.pop();
        let (memory, address) = self.pop_effective_address(memarg);
        let woken = self.call_builtin(Builtin::AtomicNotify, &[memory, address, count]);
        self.push(woken.expect("notifying returns how many it woke"));
    }

    /// An operand cut to the width of an access.
    fn reduced_to(&mut self, width: Type, value: Value) -> Value {
        match self.builder.func.dfg.value_type(value) {
            ty if ty == width => value,
            _ => self.builder.ins().ireduce(width, value),
        }
    }

    /// What an access gave as an operand of type `ty`.
    fn extended_to(&mut self, ty: Type, value: Value) -> Value {
        match self.builder.func.dfg.value_type(value) {
            width if width == ty => value,
            _ => self.builder.ins().uextend(ty, value),
        }
    }
}

/// What a read-modify-write operator other than an exchange upon comparison does: its operation,
/// the width of its access, and where that is.
fn read_modify_write<'o>(operator: &'o Operator<'_>) -> Option<(AtomicRmwOp, Type, &'o MemArg)> {
    use AtomicRmwOp::{Add, And, Or, Sub, Xchg, Xor};
    Some(match operator {
        Operator::I32AtomicRmw8AddU { memarg } | Operator::I64AtomicRmw8AddU { memarg } => {
            (Add, I8, memarg)
        }
        Operator::I32AtomicRmw16AddU { memarg } | Operator::I64AtomicRmw16AddU { memarg } => {
            (Add, I16, memarg)
        }
        Operator::I32AtomicRmwAdd { memarg } | Operator::I64AtomicRmw32AddU { memarg } => {
            (Add, I32, memarg)
        }
        Operator::I64AtomicRmwAdd { memarg } => (Add, I64, memarg),
        Operator::I32AtomicRmw8SubU { memarg } | Operator::I64AtomicRmw8SubU { memarg } => {
            (Sub, I8, memarg)
        }
        Operator::I32AtomicRmw16SubU { memarg } | Operator::I64AtomicRmw16SubU { memarg } => {
            (Sub, I16, memarg)
        }
        Operator::I32AtomicRmwSub { memarg } | Operator::I64AtomicRmw32SubU { memarg } => {
            (Sub, I32, memarg)
        }
        Operator::I64AtomicRmwSub { memarg } => (Sub, I64, memarg),
        Operator::I32AtomicRmw8AndU { memarg } | Operator::I64AtomicRmw8AndU { memarg } => {
            (And, I8, memarg)
        }
        Operator::I32AtomicRmw16AndU { memarg } | Operator::I64AtomicRmw16AndU { memarg } => {
            (And, I16, memarg)
        }
        Operator::I32AtomicRmwAnd { memarg } | Operator::I64AtomicRmw32AndU { memarg } => {
            (And, I32, memarg)
        }
        Operator::I64AtomicRmwAnd { memarg } => (And, I64, memarg),
        Operator::I32AtomicRmw8OrU { memarg } | Operator::I64AtomicRmw8OrU { memarg } => {
            (Or, I8, memarg)
        }
        Operator::I32AtomicRmw16OrU { memarg } | Operator::I64AtomicRmw16OrU { memarg } => {
            (Or, I16, memarg)
        }
        Operator::I32AtomicRmwOr { memarg } | Operator::I64AtomicRmw32OrU { memarg } => {
            (Or, I32, memarg)
        }
        Operator::I64AtomicRmwOr { memarg } => (Or, I64, memarg),
        Operator::I32AtomicRmw8XorU { memarg } | Operator::I64AtomicRmw8XorU { memarg } => {
            (Xor, I8, memarg)
        }
        Operator::I32AtomicRmw16XorU { memarg } | Operator::I64AtomicRmw16XorU { memarg } => {
            (Xor, I16, memarg)
        }
        Operator::I32AtomicRmwXor { memarg } | Operator::I64AtomicRmw32XorU { memarg } => {
            (Xor, I32, memarg)
        }
        Operator::I64AtomicRmwXor { memarg } => (Xor, I64, memarg),
        Operator::I32AtomicRmw8XchgU { memarg } | Operator::I64AtomicRmw8XchgU { memarg } => {
            (Xchg, I8, memarg)
        }
        Operator::I32AtomicRmw16XchgU { memarg } | Operator::I64AtomicRmw16XchgU { memarg } => {
            (Xchg, I16, memarg)
        }
        Operator::I32AtomicRmwXchg { memarg } | Operator::I64AtomicRmw32XchgU { memarg } => {
            (Xchg, I32, memarg)
        }
        Operator::I64AtomicRmwXchg { memarg } => (Xchg, I64, memarg),
        _ => return None,
    })
}
