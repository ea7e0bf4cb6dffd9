//! Trap codes: those of the specification, those of the code generator, and their meeting point.

use super::Translator;
use cranelift_codegen::ir::{InstBuilder, TrapCode as ClifTrap, Value};
use kiln_abi::trap::TrapCode;

/// The code generator's number for a trap.
pub(super) const fn clif(code: TrapCode) -> ClifTrap {
    match code {
        TrapCode::MemoryOutOfBounds => ClifTrap::HEAP_OUT_OF_BOUNDS,
        TrapCode::IntegerOverflow => ClifTrap::INTEGER_OVERFLOW,
        TrapCode::DivideByZero => ClifTrap::INTEGER_DIVISION_BY_ZERO,
        TrapCode::InvalidConversion => ClifTrap::BAD_CONVERSION_TO_INTEGER,
        TrapCode::StackExhausted => ClifTrap::STACK_OVERFLOW,
        other => ClifTrap::unwrap_user(other as u8),
    }
}

/// The inverse: what the trap sites of an executable say.
pub(crate) fn abi_code(code: ClifTrap) -> TrapCode {
    match code {
        ClifTrap::HEAP_OUT_OF_BOUNDS => TrapCode::MemoryOutOfBounds,
        ClifTrap::INTEGER_OVERFLOW => TrapCode::IntegerOverflow,
        ClifTrap::INTEGER_DIVISION_BY_ZERO => TrapCode::DivideByZero,
        ClifTrap::BAD_CONVERSION_TO_INTEGER => TrapCode::InvalidConversion,
        ClifTrap::STACK_OVERFLOW => TrapCode::StackExhausted,
        other => TrapCode::from_u8(other.as_raw().get()).expect("every other code is ours"),
    }
}

impl Translator<'_, '_> {
    /// Traps always; what follows cannot be reached.
    pub(super) fn trap(&mut self, code: TrapCode) {
        self.builder.ins().trap(clif(code));
        self.reachable = false;
    }

    pub(super) fn trap_if(&mut self, condition: Value, code: TrapCode) {
        self.builder.ins().trapnz(condition, clif(code));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_the_code_generator() {
        for &code in TrapCode::ALL {
            assert_eq!(abi_code(clif(code)), code);
        }
    }
}
