//! Loads float constants that must be in registers.
//!
//! The code generator composes such a constant in an integer register and moves it over: two
//! instructions, in every block that uses it, since its optimizer makes constants anew in each.
//! The first lane of a constant vector is one load. The second operand of arithmetic stays as it
//! is: on amd64 the instruction itself takes it from memory.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    ConstantData, Function, Inst, InstBuilder, InstructionData, Opcode, Type, Value, types,
};
use std::collections::HashMap;

/// Replaces such constants in an optimized function.
pub(super) fn load(func: &mut Function) {
    let constants = constants(func);
    if constants.is_empty() {
        return;
    }
    let mut loaded: HashMap<Value, Value> = HashMap::new();
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            for position in 0..in_registers(cursor.func, inst) {
                let value = cursor.func.dfg.inst_args(inst)[position];
                let Some(constant) = constants.get(&value) else { continue };
                let lane = *loaded.entry(value).or_insert_with(|| {
                    constant.load(&mut FuncCursor::new(cursor.func).at_inst(constant.inst))
                });
                cursor.func.dfg.inst_args_mut(inst)[position] = lane;
            }
        }
    }
}

/// A float constant but zero, for which there are shorter ways.
struct Constant {
    inst: Inst,
    /// A vector with lanes of its type.
    ty: Type,
    bits: u64,
}

impl Constant {
    fn load(&self, cursor: &mut FuncCursor<'_>) -> Value {
        let vector = u128::from(self.bits).to_le_bytes();
        let vector = cursor.func.dfg.constants.insert(ConstantData::from(vector.as_slice()));
        let vector = cursor.ins().vconst(self.ty, vector);
        cursor.ins().extractlane(vector, 0)
    }
}

fn constants(func: &Function) -> HashMap<Value, Constant> {
    let insts = func.layout.blocks().flat_map(|block| func.layout.block_insts(block));
    let constants = insts.filter_map(|inst| {
        let (ty, bits) = match func.dfg.insts[inst] {
            InstructionData::UnaryIeee32 { imm, .. } => (types::F32X4, imm.bits().into()),
            InstructionData::UnaryIeee64 { imm, .. } => (types::F64X2, imm.bits()),
            _ => return None,
        };
        (bits != 0).then(|| (func.dfg.first_result(inst), Constant { inst, ty, bits }))
    });
    constants.collect()
}

/// How many operands of an instruction, from the first, must be in registers.
fn in_registers(func: &Function, inst: Inst) -> usize {
    match func.dfg.insts[inst].opcode() {
        Opcode::Fadd | Opcode::Fsub | Opcode::Fmul | Opcode::Fdiv => 1,
        _ => func.dfg.inst_args(inst).len(),
    }
}
