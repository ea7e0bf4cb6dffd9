//! Where local variables are: values as the code generator sees them, or on the stack.
//!
//! In a function as large as a state machine that a compiler made of a whole package, thousands of
//! blocks take its variables as parameters. Allocating registers for those takes time that grows
//! with the square of their number, half a minute for a megabyte, and memory. There, variables are on
//! the stack, and registers hold them within a block only.

use super::{Region, Translator};
use crate::module::Body;
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Type, Value, types,
};
use cranelift_frontend::Variable;

/// Bytes of a body from which its variables are on the stack: several times those of the largest
/// function of a database or a language's compiler.
const LARGE_BODY: usize = 384 << 10;

/// Targets of branches by tables, times the variables that each might take, from which variables
/// are on the stack.
const MANY_PARAMETERS: u64 = 1 << 19;

/// Variables that the code generator tells apart; those beyond share what it knows of the last.
const REGIONS: u32 = 0x20;

/// A parameter or local variable of the function.
pub(super) struct Local {
    place: Place,
    /// What it held when it was read last in the order of the text.
    pub(super) read: Option<Value>,
}

/// Where a variable is.
#[derive(Clone, Copy)]
enum Place {
    Value(Variable),
    Stack(StackSlot, Type),
}

/// Whether the variables of a body are on the stack, so many parameters among them.
pub(super) fn on_stack(body: &Body<'_>, parameters: usize) -> wasmparser::Result<bool> {
    let mut variables = parameters as u64;
    for declaration in body.code.get_locals_reader()? {
        variables += u64::from(declaration?.0);
    }
    let taken = u64::from(body.facts.branch_targets) * variables;
    Ok(body.code.as_bytes().len() >= LARGE_BODY || taken >= MANY_PARAMETERS)
}

impl Translator<'_, '_> {
    /// Makes one more local variable, which holds a value at first.
    pub(super) fn declare_local(&mut self, on_stack: bool, value: Value) {
        let ty = self.builder.func.dfg.value_type(value);
        let place = if on_stack {
            let (size, align) = (ty.bytes(), ty.bytes().trailing_zeros() as u8);
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, align);
            Place::Stack(self.builder.create_sized_stack_slot(slot), ty)
        } else {
            Place::Value(self.builder.declare_var(ty))
        };
        self.locals.push(Local { place, read: None });
        self.define_local(self.locals.len() - 1, value);
    }

    pub(super) fn use_local(&mut self, index: usize) -> Value {
        match self.locals[index].place {
            Place::Value(variable) => self.builder.use_var(variable),
            Place::Stack(slot, ty) => {
                let (address, flags) = self.local_place(slot);
                self.builder.ins().load(ty, flags, address, 0)
            }
        }
    }

    pub(super) fn define_local(&mut self, index: usize, value: Value) {
        match self.locals[index].place {
            Place::Value(variable) => self.builder.def_var(variable, value),
            Place::Stack(slot, _) => {
                let (address, flags) = self.local_place(slot);
                self.builder.ins().store(flags, value, address, 0);
            }
        }
    }

    fn local_place(&mut self, slot: StackSlot) -> (Value, MemFlagsData) {
        let region = self.alias_region(Region::Local(slot.as_u32().min(REGIONS)));
        let flags = MemFlagsData::trusted().with_alias_region(region);
        (self.builder.ins().stack_addr(types::I64, slot, 0), flags)
    }
}
