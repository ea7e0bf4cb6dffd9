//! Calls.
//!
//! Compiled functions use the code generator's `Tail` convention on every target, so that tail
//! calls work everywhere. Results that its registers do not hold go through memory of the caller,
//! whose address is then the first argument. The runtime is called alike on all targets of an
//! architecture: see [`kiln_abi::symbol::NARROW_PARAMETERS`].

use super::{Region, Translator, clif_type};
use crate::module::Constant;
use crate::program::Host;
use crate::symbol::{Builtin, Symbol};
use core::mem::offset_of;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, FuncRef, Inst, InstBuilder, MemFlagsData, SigRef, Signature, StackSlotData,
    StackSlotKind, Value, types,
};
use cranelift_codegen::isa::CallConv;
use kiln_abi::symbol::NARROW_PARAMETERS;
use kiln_abi::table::{Element, NULL_SIGNATURE};
use kiln_abi::trap::TrapCode;
use kiln_abi::wasi;
use kiln_targets::HostConvention;
use wasmparser::{FuncType, Operator, ValType};

/// Integers and references that the `Tail` convention returns in registers on both architectures:
/// arm64 has fewer.
const INTEGER_RESULTS: usize = 6;

/// Floats and vectors that it returns in registers.
const VECTOR_RESULTS: usize = 8;

/// Bytes of each result that is returned in memory.
const RESULT_SIZE: u32 = 16;

/// Whether a function's results go through memory.
pub(super) fn returns_in_memory(ty: &FuncType) -> bool {
    let in_vector_register =
        |ty: &&ValType| matches!(ty, ValType::F32 | ValType::F64 | ValType::V128);
    let vectors = ty.results().iter().filter(in_vector_register).count();
    vectors > VECTOR_RESULTS || ty.results().len() - vectors > INTEGER_RESULTS
}

/// The signature of a compiled function.
pub(super) fn signature(ty: &FuncType) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    if returns_in_memory(ty) {
        signature.params.push(AbiParam::new(types::I64));
    } else {
        signature.returns.extend(ty.results().iter().map(|&ty| AbiParam::new(clif_type(ty))));
    }
    signature.params.extend(ty.params().iter().map(|&ty| AbiParam::new(clif_type(ty))));
    signature
}

/// The code generator's name of a convention.
pub(super) fn host_convention(convention: HostConvention) -> CallConv {
    match convention {
        HostConvention::SystemV => CallConv::SystemV,
        HostConvention::AppleArm64 => CallConv::AppleAarch64,
        HostConvention::WindowsFastcall => CallConv::WindowsFastcall,
    }
}

fn host_parameter(ty: wasi::Type) -> AbiParam {
    AbiParam::new(match ty {
        wasi::Type::I32 => types::I32,
        wasi::Type::I64 => types::I64,
    })
}

/// The signature of the code between a compiled function and the runtime's throwing function: the
/// frame pointer, its last parameter, is added there.
pub(super) fn throw_signature(builtin: Builtin) -> Signature {
    let (parameters, _) = builtin.signature();
    let mut signature = Signature::new(CallConv::Tail);
    let passed = parameters.len() - 1;
    signature.params.extend(parameters[..passed].iter().copied().map(host_parameter));
    signature
}

/// What is called.
pub(super) enum Callee {
    Direct(FuncRef),
    Indirect(SigRef, Value),
}

impl Translator<'_, '_> {
    pub(super) fn call(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::Call { function_index } => match self.plan.host(function_index) {
                Some(Host::Wasi { position, memory }) => self.call_wasi(position, memory),
                _ => {
                    let ty = &self.plan.spaces.signature(function_index).ty;
                    let callee = Callee::Direct(self.compiled_function(function_index));
                    self.emit_call(ty, &callee);
                }
            },
            Operator::CallIndirect { type_index, table_index } => {
                let ty = &self.plan.spaces.types[type_index as usize].ty;
                let callee = self.indirect_callee(type_index, table_index);
                self.emit_call(ty, &callee);
            }
            Operator::CallRef { type_index } => {
                let ty = &self.plan.spaces.types[type_index as usize].ty;
                let callee = self.reference_callee(type_index);
                self.emit_call(ty, &callee);
            }
            Operator::ReturnCall { function_index } => {
                let ty = &self.plan.spaces.signature(function_index).ty;
                let callee = Callee::Direct(self.compiled_function(function_index));
                self.emit_tail_call(ty, &callee);
            }
            Operator::ReturnCallIndirect { type_index, table_index } => {
                let ty = &self.plan.spaces.types[type_index as usize].ty;
                let callee = self.indirect_callee(type_index, table_index);
                self.emit_tail_call(ty, &callee);
            }
            Operator::ReturnCallRef { type_index } => {
                let ty = &self.plan.spaces.types[type_index as usize].ty;
                let callee = self.reference_callee(type_index);
                self.emit_tail_call(ty, &callee);
            }
            _ => return false,
        }
        true
    }

    /// A function in the convention of compiled code, those of the host included.
    pub(super) fn compiled_function(&mut self, index: u32) -> FuncRef {
        let symbol = self.plan.symbol(index);
        let ty = &self.plan.spaces.signature(index).ty;
        self.import_function(symbol, || signature(ty))
    }

    /// A function of the runtime.
    fn host_function(
        &mut self,
        symbol: Symbol,
        parameters: &[wasi::Type],
        result: Option<wasi::Type>,
    ) -> FuncRef {
        self.import_function(symbol, || {
            let mut signature = Signature::new(CallConv::SystemV);
            let (narrow, wide) = parameters.split_at(parameters.len().min(NARROW_PARAMETERS));
            signature.params.extend(narrow.iter().copied().map(host_parameter));
            signature.params.extend(wide.iter().map(|_| AbiParam::new(types::I64)));
            signature.returns.extend(result.map(host_parameter));
            signature
        })
    }

    /// Calls a WASI function directly.
    pub(super) fn call_wasi(&mut self, position: u32, memory: Option<u32>) {
        let function = &wasi::FUNCTIONS[position as usize];
        // The memory comes first.
        let parameters = [&[wasi::Type::I64], function.parameters].concat();
        let result = function.returns_errno.then_some(wasi::Type::I32);
        let callee = self.host_function(Symbol::Wasi(position), &parameters, result);
        // Behind the last memory's record lies one of no memory.
        let memory = memory.unwrap_or(self.plan.memories.len() as u32);
        let mut arguments = vec![self.memory_record(memory)];
        arguments.extend(self.pop_many(function.parameters.len()));
        for wide in arguments.iter_mut().skip(NARROW_PARAMETERS) {
            if self.builder.func.dfg.value_type(*wide) == types::I32 {
                *wide = self.builder.ins().uextend(types::I64, *wide);
            }
        }
        let call = self.builder.ins().call(callee, &arguments);
        self.push_results(call);
        if !function.returns_errno {
            self.trap(TrapCode::Unreachable);
        }
    }

    /// Calls the runtime; the result is that of the call, if it has one.
    pub(super) fn call_builtin(&mut self, builtin: Builtin, arguments: &[Value]) -> Option<Value> {
        let (parameters, result) = builtin.signature();
        let callee = self.host_function(Symbol::Builtin(builtin), parameters, result);
        let call = self.builder.ins().call(callee, arguments);
        self.builder.inst_results(call).first().copied()
    }

    /// Finds the code behind a table's entry, whose index is the topmost operand.
    fn indirect_callee(&mut self, type_index: u32, table: u32) -> Callee {
        let wanted = self.plan.spaces.types[type_index as usize].id;
        let index = self.pop();
        if let Some(function) = self.constant_callee(wanted, table, index) {
            return Callee::Direct(self.compiled_function(function));
        }
        let index = self.widen(index, self.plan.spaces.tables[table as usize].table64);
        let contents = self.plan.table_contents(table);
        if let Some((position, function)) = contents.and_then(|contents| contents.sole(wanted)) {
            let other =
                self.builder.ins().icmp_imm_u(IntCC::NotEqual, index, position.cast_signed());
            self.refuse_if(other, |translator| translator.entry_signature(table, index).1);
            return Callee::Direct(self.compiled_function(function));
        }
        let (entry, found) = self.entry_signature(table, index);
        let mismatch = self.builder.ins().icmp_imm_u(IntCC::NotEqual, found, i64::from(wanted));
        self.refuse_if(mismatch, |_| found);
        let flags = MemFlagsData::trusted().with_alias_region(self.alias_region(Region::Tables));
        let code =
            self.builder.ins().load(types::I64, flags, entry, offset_of!(Element, code) as i32);
        Callee::Indirect(self.compiled_signature(type_index), code)
    }

    /// The function of that signature at a constant index of a table that nothing changes.
    fn constant_callee(&self, wanted: u32, table: u32, index: Value) -> Option<u32> {
        let contents = self.plan.table_contents(table)?;
        let position = self.constant_integer(index)?.cast_unsigned();
        match contents.at(position) {
            Constant::Function(function)
                if position < self.plan.table_length(table)?
                    && self.plan.spaces.signature(function).id == wanted =>
            {
                Some(function)
            }
            _ => None,
        }
    }

    /// A table's entry and its signature; traps if there is none at `index`.
    fn entry_signature(&mut self, table: u32, index: Value) -> (Value, Value) {
        let entry = self.table_entry(table, index, TrapCode::UndefinedElement);
        let flags = MemFlagsData::trusted().with_alias_region(self.alias_region(Region::Tables));
        let offset = offset_of!(Element, signature) as i32;
        (entry, self.builder.ins().load(types::I32, flags, entry, offset))
    }

    /// Traps if `wrong` is not zero, for an entry whose signature, which is `found` only there, is
    /// not the right one.
    fn refuse_if(&mut self, wrong: Value, found: impl FnOnce(&mut Self) -> Value) {
        let (refused, right) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(refused);
        self.builder.ins().brif(wrong, refused, &[], right, &[]);
        self.builder.seal_block(refused);
        self.builder.seal_block(right);
        self.builder.switch_to_block(refused);
        let found = found(self);
        let null = i64::from(NULL_SIGNATURE);
        let null = self.builder.ins().icmp_imm_u(IntCC::Equal, found, null);
        self.trap_if(null, TrapCode::UninitializedElement);
        self.builder.ins().trap(super::trap::clif(TrapCode::SignatureMismatch));
        self.builder.switch_to_block(right);
    }

    /// Finds the code behind a function reference, which is the topmost operand.
    fn reference_callee(&mut self, type_index: u32) -> Callee {
        let code = self.referenced_code();
        Callee::Indirect(self.compiled_signature(type_index), code)
    }

    /// The address of the code behind a function reference, which is the topmost operand.
    pub(super) fn referenced_code(&mut self) -> Value {
        let reference = self.pop();
        let null = self.builder.ins().icmp_imm_u(IntCC::Equal, reference, 0);
        self.trap_if(null, TrapCode::NullFunctionReference);
        let flags = MemFlagsData::trusted().with_readonly();
        let offset = offset_of!(Element, code) as i32;
        self.builder.ins().load(types::I64, flags, reference, offset)
    }

    fn compiled_signature(&mut self, type_index: u32) -> SigRef {
        let wanted = &self.plan.spaces.types[type_index as usize];
        let builder = &mut self.builder;
        *self
            .signatures
            .entry(wanted.id)
            .or_insert_with(|| builder.import_signature(signature(&wanted.ty)))
    }

    pub(super) fn emit_call(&mut self, ty: &FuncType, callee: &Callee) {
        let mut arguments = self.pop_many(ty.params().len());
        if !returns_in_memory(ty) {
            let results = self.insert_call(callee, &arguments);
            self.push_all(&results);
            return;
        }
        let size = ty.results().len() as u32 * RESULT_SIZE;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
        let slot = self.builder.create_sized_stack_slot(slot);
        let pointer = self.builder.ins().stack_addr(types::I64, slot, 0);
        arguments.insert(0, pointer);
        self.insert_call(callee, &arguments);
        for (position, &ty) in ty.results().iter().enumerate() {
            let offset = position as i32 * RESULT_SIZE as i32;
            let flags = MemFlagsData::trusted();
            let value = self.builder.ins().load(clif_type(ty), flags, pointer, offset);
            self.push(value);
        }
    }

    /// Calls compiled code, naming the handlers around the call; returns the results.
    pub(super) fn insert_call(&mut self, callee: &Callee, arguments: &[Value]) -> Vec<Value> {
        if self.handlers.is_empty() {
            let call = match *callee {
                Callee::Direct(function) => self.builder.ins().call(function, arguments),
                Callee::Indirect(signature, code) => {
                    self.builder.ins().call_indirect(signature, code, arguments)
                }
            };
            return self.builder.inst_results(call).to_vec();
        }
        let signature = match *callee {
            Callee::Direct(function) => self.builder.func.dfg.ext_funcs[function].signature,
            Callee::Indirect(signature, _) => signature,
        };
        let (table, next) = self.exception_table(signature);
        let table = self.builder.func.dfg.exception_tables.push(table);
        match *callee {
            Callee::Direct(function) => self.builder.ins().try_call(function, arguments, table),
            Callee::Indirect(_, code) => {
                self.builder.ins().try_call_indirect(code, arguments, table)
            }
        };
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        self.builder.block_params(next).to_vec()
    }

    fn push_results(&mut self, call: Inst) {
        let results = self.builder.inst_results(call).to_vec();
        self.push_all(&results);
    }

    /// Calls in place of the function at hand, which has the same results.
    fn emit_tail_call(&mut self, ty: &FuncType, callee: &Callee) {
        let mut arguments = self.pop_many(ty.params().len());
        if let Some(pointer) = self.results_pointer {
            arguments.insert(0, pointer);
        }
        match *callee {
            Callee::Direct(function) => self.builder.ins().return_call(function, &arguments),
            Callee::Indirect(signature, code) => {
                self.builder.ins().return_call_indirect(signature, code, &arguments)
            }
        };
        self.reachable = false;
    }

    /// Returns from the function at hand.
    pub(super) fn return_(&mut self, results: &[Value]) {
        let Some(pointer) = self.results_pointer else {
            self.builder.ins().return_(results);
            return;
        };
        for (position, &result) in results.iter().enumerate() {
            let offset = position as i32 * RESULT_SIZE as i32;
            self.builder.ins().store(MemFlagsData::trusted(), result, pointer, offset);
        }
        self.builder.ins().return_(&[]);
    }
}
