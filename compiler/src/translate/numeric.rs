//! Numeric operators but those of vectors.

use super::Translator;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, types,
};
use wasmparser::Operator;

/// Pops the operands, applies an instruction, pushes its result.
macro_rules! unary {
    ($self:ident, $instruction:ident) => {{
        let operand = $self.pop();
        let result = $self.builder.ins().$instruction(operand);
        $self.push(result);
    }};
    ($self:ident, $instruction:ident, $ty:ident) => {{
        let operand = $self.pop();
        let result = $self.builder.ins().$instruction(types::$ty, operand);
        $self.push(result);
    }};
}

macro_rules! binary {
    ($self:ident, $instruction:ident) => {{
        let (left, right) = $self.pop2();
        let result = $self.builder.ins().$instruction(left, right);
        $self.push(result);
    }};
}

impl Translator<'_, '_> {
    pub(super) fn numeric(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::I32Const { value } => {
                // The code generator wants the bits zero-extended.
                let bits = i64::from(value.cast_unsigned());
                let constant = self.builder.ins().iconst(types::I32, bits);
                self.push(constant);
            }
            Operator::I64Const { value } => {
                let constant = self.builder.ins().iconst(types::I64, value);
                self.push(constant);
            }
            Operator::F32Const { value } => {
                let constant = self.builder.ins().f32const(f32::from_bits(value.bits()));
                self.push(constant);
            }
            Operator::F64Const { value } => {
                let constant = self.builder.ins().f64const(f64::from_bits(value.bits()));
                self.push(constant);
            }

            Operator::I32Eqz | Operator::I64Eqz => {
                let operand = self.pop();
                let zero = self.builder.ins().icmp_imm_u(IntCC::Equal, operand, 0);
                self.push_condition(zero);
            }
            Operator::I32Eq | Operator::I64Eq => self.compare(IntCC::Equal),
            Operator::I32Ne | Operator::I64Ne => self.compare(IntCC::NotEqual),
            Operator::I32LtS | Operator::I64LtS => self.compare(IntCC::SignedLessThan),
            Operator::I32LtU | Operator::I64LtU => self.compare(IntCC::UnsignedLessThan),
            Operator::I32GtS | Operator::I64GtS => self.compare(IntCC::SignedGreaterThan),
            Operator::I32GtU | Operator::I64GtU => self.compare(IntCC::UnsignedGreaterThan),
            Operator::I32LeS | Operator::I64LeS => self.compare(IntCC::SignedLessThanOrEqual),
            Operator::I32LeU | Operator::I64LeU => self.compare(IntCC::UnsignedLessThanOrEqual),
            Operator::I32GeS | Operator::I64GeS => self.compare(IntCC::SignedGreaterThanOrEqual),
            Operator::I32GeU | Operator::I64GeU => self.compare(IntCC::UnsignedGreaterThanOrEqual),
            Operator::F32Eq | Operator::F64Eq => self.compare_floats(FloatCC::Equal),
            Operator::F32Ne | Operator::F64Ne => self.compare_floats(FloatCC::NotEqual),
            Operator::F32Lt | Operator::F64Lt => self.compare_floats(FloatCC::LessThan),
            Operator::F32Gt | Operator::F64Gt => self.compare_floats(FloatCC::GreaterThan),
            Operator::F32Le | Operator::F64Le => self.compare_floats(FloatCC::LessThanOrEqual),
            Operator::F32Ge | Operator::F64Ge => self.compare_floats(FloatCC::GreaterThanOrEqual),

            Operator::I32Clz | Operator::I64Clz => unary!(self, clz),
            Operator::I32Ctz | Operator::I64Ctz => unary!(self, ctz),
            Operator::I32Popcnt | Operator::I64Popcnt => unary!(self, popcnt),
            Operator::I32Add | Operator::I64Add => binary!(self, iadd),
            Operator::I32Sub | Operator::I64Sub => binary!(self, isub),
            Operator::I32Mul | Operator::I64Mul => self.multiply(),
            Operator::I32DivS | Operator::I64DivS => binary!(self, sdiv),
            Operator::I32DivU | Operator::I64DivU => binary!(self, udiv),
            Operator::I32RemS | Operator::I64RemS => binary!(self, srem),
            Operator::I32RemU | Operator::I64RemU => binary!(self, urem),
            Operator::I32And | Operator::I64And => binary!(self, band),
            Operator::I32Or | Operator::I64Or => binary!(self, bor),
            Operator::I32Xor | Operator::I64Xor => binary!(self, bxor),
            Operator::I32Shl | Operator::I64Shl => binary!(self, ishl),
            Operator::I32ShrS | Operator::I64ShrS => binary!(self, sshr),
            Operator::I32ShrU | Operator::I64ShrU => binary!(self, ushr),
            Operator::I32Rotl | Operator::I64Rotl => binary!(self, rotl),
            Operator::I32Rotr | Operator::I64Rotr => binary!(self, rotr),

            Operator::F32Abs | Operator::F64Abs => unary!(self, fabs),
            Operator::F32Neg | Operator::F64Neg => unary!(self, fneg),
            Operator::F32Ceil | Operator::F64Ceil => unary!(self, ceil),
            Operator::F32Floor | Operator::F64Floor => unary!(self, floor),
            Operator::F32Trunc | Operator::F64Trunc => unary!(self, trunc),
            Operator::F32Nearest | Operator::F64Nearest => unary!(self, nearest),
            Operator::F32Sqrt | Operator::F64Sqrt => unary!(self, sqrt),
            Operator::F32Add | Operator::F64Add => binary!(self, fadd),
            Operator::F32Sub | Operator::F64Sub => binary!(self, fsub),
            Operator::F32Mul | Operator::F64Mul => binary!(self, fmul),
            Operator::F32Div | Operator::F64Div => binary!(self, fdiv),
            Operator::F32Min | Operator::F64Min => binary!(self, fmin),
            Operator::F32Max | Operator::F64Max => binary!(self, fmax),
            Operator::F32Copysign | Operator::F64Copysign => binary!(self, fcopysign),

            Operator::I32WrapI64 => unary!(self, ireduce, I32),
            Operator::I64ExtendI32S => unary!(self, sextend, I64),
            Operator::I64ExtendI32U => unary!(self, uextend, I64),
            Operator::I32Extend8S => self.sign_extend(types::I8, types::I32),
            Operator::I32Extend16S => self.sign_extend(types::I16, types::I32),
            Operator::I64Extend8S => self.sign_extend(types::I8, types::I64),
            Operator::I64Extend16S => self.sign_extend(types::I16, types::I64),
            Operator::I64Extend32S => self.sign_extend(types::I32, types::I64),
            Operator::I32TruncF32S | Operator::I32TruncF64S => unary!(self, fcvt_to_sint, I32),
            Operator::I32TruncF32U | Operator::I32TruncF64U => unary!(self, fcvt_to_uint, I32),
            Operator::I64TruncF32S | Operator::I64TruncF64S => unary!(self, fcvt_to_sint, I64),
            Operator::I64TruncF32U | Operator::I64TruncF64U => unary!(self, fcvt_to_uint, I64),
            Operator::I32TruncSatF32S | Operator::I32TruncSatF64S => {
                unary!(self, fcvt_to_sint_sat, I32);
            }
            Operator::I32TruncSatF32U | Operator::I32TruncSatF64U => {
                unary!(self, fcvt_to_uint_sat, I32);
            }
            Operator::I64TruncSatF32S | Operator::I64TruncSatF64S => {
                unary!(self, fcvt_to_sint_sat, I64);
            }
            Operator::I64TruncSatF32U | Operator::I64TruncSatF64U => {
                unary!(self, fcvt_to_uint_sat, I64);
            }
            Operator::F32ConvertI32S | Operator::F32ConvertI64S => {
                unary!(self, fcvt_from_sint, F32);
            }
            Operator::F32ConvertI32U | Operator::F32ConvertI64U => {
                unary!(self, fcvt_from_uint, F32);
            }
            Operator::F64ConvertI32S | Operator::F64ConvertI64S => {
                unary!(self, fcvt_from_sint, F64);
            }
            Operator::F64ConvertI32U | Operator::F64ConvertI64U => {
                unary!(self, fcvt_from_uint, F64);
            }
            Operator::F32DemoteF64 => unary!(self, fdemote, F32),
            Operator::F64PromoteF32 => unary!(self, fpromote, F64),
            Operator::I32ReinterpretF32 => self.reinterpret(types::I32),
            Operator::I64ReinterpretF64 => self.reinterpret(types::I64),
            Operator::F32ReinterpretI32 => self.reinterpret(types::F32),
            Operator::F64ReinterpretI64 => self.reinterpret(types::F64),
            _ => return false,
        }
        true
    }

    /// Pushes a condition, which the code generator has as 8 bits, as an `i32`.
    pub(super) fn push_condition(&mut self, condition: Value) {
        let condition = self.builder.ins().uextend(types::I32, condition);
        self.push(condition);
    }

    /// Multiplies; by 3, 5 and 9 with a shift and an addition, one instruction of address
    /// arithmetic that takes a third of a multiplication's time.
    fn multiply(&mut self) {
        let (left, right) = self.pop2();
        let shift = match self.constant_integer(right) {
            Some(3) => 1,
            Some(5) => 2,
            Some(9) => 3,
            _ => {
                let product = self.builder.ins().imul(left, right);
                return self.push(product);
            }
        };
        let multiple = self.builder.ins().ishl_imm_u(left, shift);
        let product = self.builder.ins().iadd(left, multiple);
        self.push(product);
    }

    /// The value of a constant.
    pub(super) fn constant_integer(&self, value: Value) -> Option<i64> {
        let dfg = &self.builder.func.dfg;
        match dfg.insts[dfg.value_def(value).inst()?] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }

    fn compare(&mut self, condition: IntCC) {
        let (left, right) = self.pop2();
        let result = self.builder.ins().icmp(condition, left, right);
        self.push_condition(result);
    }

    fn compare_floats(&mut self, condition: FloatCC) {
        let (left, right) = self.pop2();
        let result = self.builder.ins().fcmp(condition, left, right);
        self.push_condition(result);
    }

    fn sign_extend(&mut self, from: Type, to: Type) {
        let operand = self.pop();
        let low = self.builder.ins().ireduce(from, operand);
        let result = self.builder.ins().sextend(to, low);
        self.push(result);
    }

    fn reinterpret(&mut self, ty: Type) {
        let operand = self.pop();
        let result = self.builder.ins().bitcast(ty, MemFlagsData::new(), operand);
        self.push(result);
    }
}
