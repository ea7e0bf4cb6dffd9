//! One function body → CLIF.
//!
//! Requires a validated body. Guarantees CLIF that computes what the specification says, with a
//! trap code on every instruction that can trap and the wasm offset on every instruction.
//!
//! This file dispatches; each category of the specification's operators has a file of its own.
//! A category returns whether the operator was one of its.
//!
//! Source: core specification, "Execution / Instructions".

mod atomic;
mod bounds;
mod bulk;
mod call;
mod compare;
mod control;
mod entry;
mod exception;
mod library;
mod local;
mod memory;
mod numeric;
mod order;
mod reference;
mod stack;
mod table;
mod trap;
mod variable;
mod vector;

pub(crate) use entry::{entry, thread_entry, throw, trampoline};
pub(crate) use library::{library, library_symbols};
pub(crate) use trap::abi_code;

use crate::error::Error;
use crate::module::Body;
use crate::plan::{Asked, Plan};
use crate::program::Instance;
use crate::symbol::{Data, Symbol};
use control::Frame;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{
    AliasRegion, AliasRegionData, Block, ExtFuncData, ExternalName, FuncRef, GlobalValue,
    GlobalValueData, InstBuilder, SigRef, Signature, SourceLoc, Type, Value, types,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use exception::{Handler, LegacyClause};
use local::Local;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use wasmparser::{Operator, ValType, WasmFeatures};

/// Translates one function body.
pub(crate) struct Translator<'p, 'f> {
    plan: &'p Plan<'p>,
    asked: Asked,
    builder: FunctionBuilder<'f>,
    /// Operands; vectors always as `I8X16`, references as `I64`.
    stack: Vec<Value>,
    control: Vec<Frame>,
    locals: Vec<Local>,
    /// Whether the operator at hand can be reached. While it cannot, only the nesting is tracked.
    reachable: bool,
    /// Where results go that registers do not hold.
    results_pointer: Option<Value>,
    /// The handlers around the operator at hand, innermost first.
    handlers: Rc<[Handler]>,
    /// Landings that some call leads to.
    landings_used: HashSet<Block>,
    /// The clauses of each legacy `try` to come.
    legacy_clauses: std::vec::IntoIter<Vec<LegacyClause>>,
    functions: HashMap<Symbol, FuncRef>,
    signatures: HashMap<u32, SigRef>,
    symbols: HashMap<(Data, i64), GlobalValue>,
}

/// Translates the function of that index into `context`; returns what it asked of the target.
pub(crate) fn function(
    plan: &Plan<'_>,
    index: u32,
    body: &Body<'_>,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) -> Result<Asked, Error> {
    let ty = &plan.spaces.signature(index).ty;
    let instance = plan.spaces.functions[index as usize].instance;
    let Instance { indices, renumbered, .. } = &plan.spaces.instances[instance as usize];
    context.func.signature = call::signature(ty);
    context.func.name = cranelift_codegen::ir::UserFuncName::User(Symbol::Function(index).encode());
    let builder = FunctionBuilder::new(&mut context.func, builder_context);
    let mut translator = Translator::new(plan, builder);
    translator.begin(ty, body).map_err(|error| translator.invalid(&error, index))?;
    if body.facts.proposals.contains(WasmFeatures::LEGACY_EXCEPTIONS) {
        translator.legacy_clauses = body
            .code
            .get_operators_reader()
            .and_then(|operators| exception::legacy_clauses(operators, indices))
            .map_err(|error| translator.invalid(&error, index))?
            .into_iter();
    }
    if plan.optimize && body.facts.compares_bytes {
        translator.skip_equal_words(indices.memories.program(0));
    }
    let mut operators =
        body.code.get_operators_reader().map_err(|error| translator.invalid(&error, index))?;
    while !operators.eof() {
        let (mut operator, offset) =
            operators.read_with_offset().map_err(|error| translator.invalid(&error, index))?;
        translator.builder.set_srcloc(SourceLoc::new(offset as u32));
        if *renumbered {
            indices.renumber(&mut operator);
        }
        if !translator.operator(&operator) {
            return Err(Error::Unsupported {
                proposal: "an operator",
                message: format!("{operator:?}"),
                offset: offset as usize,
                function: Some(plan.spaces.function_name(index)),
            });
        }
    }
    let asked = translator.asked;
    translator.builder.finalize(config);
    Ok(asked)
}

impl<'p, 'f> Translator<'p, 'f> {
    fn new(plan: &'p Plan<'p>, builder: FunctionBuilder<'f>) -> Self {
        Self {
            plan,
            asked: Asked::default(),
            builder,
            stack: Vec::new(),
            control: Vec::new(),
            locals: Vec::new(),
            reachable: true,
            results_pointer: None,
            handlers: Rc::default(),
            landings_used: HashSet::new(),
            legacy_clauses: Vec::new().into_iter(),
            functions: HashMap::new(),
            signatures: HashMap::new(),
            symbols: HashMap::new(),
        }
    }

    fn invalid(&self, error: &wasmparser::Error, index: u32) -> Error {
        Error::from_validation(error, Some(self.plan.spaces.function_name(index)))
    }

    /// Translates an operator; false if no category knows it.
    fn operator(&mut self, operator: &Operator<'_>) -> bool {
        if !self.reachable {
            self.skip(operator);
            return true;
        }
        self.variable(operator)
            || self.memory(operator)
            || self.numeric(operator)
            || self.control(operator)
            || self.call(operator)
            || self.reference(operator)
            || self.table(operator)
            || self.vector(operator)
            || self.atomic(operator)
            || self.exception(operator)
    }

    /// The address of a piece of data plus an offset.
    fn data_address(&mut self, data: Data, offset: i64) -> Value {
        if let Some(own) = self.plan.thread_offset(data) {
            let block = self.builder.ins().get_pinned_reg(types::I64);
            return self.builder.ins().iadd_imm_s(block, own.cast_signed() + offset);
        }
        let builder = &mut self.builder;
        let global = *self.symbols.entry((data, offset)).or_insert_with(|| {
            let name = builder.func.declare_imported_user_function(Symbol::Data(data).encode());
            builder.create_global_value(GlobalValueData::Symbol {
                name: ExternalName::user(name),
                offset: offset.into(),
                colocated: true,
                tls: false,
            })
        });
        self.builder.ins().symbol_value(types::I64, global)
    }

    /// A function to call directly.
    fn import_function(
        &mut self,
        symbol: Symbol,
        signature: impl FnOnce() -> Signature,
    ) -> FuncRef {
        let builder = &mut self.builder;
        *self.functions.entry(symbol).or_insert_with(|| {
            let name = builder.func.declare_imported_user_function(symbol.encode());
            let signature = builder.import_signature(signature());
            builder.import_function(ExtFuncData {
                name: ExternalName::user(name),
                signature,
                colocated: true,
                patchable: false,
            })
        })
    }

    /// Accesses of different regions never touch the same bytes.
    fn alias_region(&mut self, region: Region) -> Option<AliasRegion> {
        let (user_id, description) = match region {
            Region::Memory(index) => (index, "memory"),
            // A function can have 65,535 kinds of access; globals beyond the first share one.
            Region::Global(index) => (0x4000_0000 + index.min(0x1000), "global"),
            Region::Local(slot) => (0x6000_0000 + slot, "local"),
            Region::Tables => (0x8000_0000, "tables"),
            Region::Records => (0x8000_0001, "records"),
        };
        let data = AliasRegionData { user_id, description: description.into() };
        Some(self.builder.func.dfg.alias_regions.insert(data))
    }
}

/// A part of the address space that only accesses of its own kind touch.
#[derive(Debug, Clone, Copy)]
enum Region {
    Memory(u32),
    Global(u32),
    /// A local variable on the stack.
    Local(u32),
    /// The entries of all tables.
    Tables,
    /// The records of memories and tables.
    Records,
}

/// The CLIF type of a wasm type. A reference is a pointer or null.
fn clif_type(ty: ValType) -> Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::I64 | ValType::Ref(_) => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => types::I8X16,
    }
}
