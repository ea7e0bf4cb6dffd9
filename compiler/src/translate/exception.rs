//! Exception operators, in today's encoding and the legacy one.
//!
//! While code runs that handlers surround, each call names its handlers, innermost first. A
//! handler leads to a landing: a block that gets the exception's address.
//!
//! An exception's bytes stay only until the next one is thrown. A reference to it (`exnref`) is
//! kept by the runtime; a legacy `catch`, which `rethrow` may name, copies it into the frame.
//!
//! Source: core specification, "Execution / Instructions / Control Instructions", and the legacy
//! "Exception handling" proposal.

use super::call::Callee;
use super::control::Kind;
use super::{Translator, clif_type};
use crate::program::Indices;
use crate::symbol::{Builtin, Symbol};
use core::mem::size_of;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExceptionTag, InstBuilder,
    MemFlagsData, SigRef, Signature, StackSlot, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_codegen::isa::CallConv;
use kiln_abi::exception::{Exception, PAYLOAD_SIZE, TRAP_TAG};
use kiln_abi::trap::TrapCode;
use std::rc::Rc;
use wasmparser::{BlockType, Catch, Operator, OperatorsReader, TryTable};

/// A handler that code is surrounded by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handler {
    /// The tag that it catches; all without.
    tag: Option<u32>,
    landing: Block,
}

/// What the landing of a `try_table`'s clause does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clause {
    tag: Option<u32>,
    landing: Block,
    with_reference: bool,
    /// Position of the frame whose label it branches to.
    frame: usize,
}

/// What a legacy `try` ends its body with, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LegacyClause {
    Catch(u32),
    CatchAll,
    Delegate(u32),
}

/// The clauses of each legacy `try` of a body, in order of the `try` operators.
pub(super) fn legacy_clauses(
    operators: OperatorsReader<'_>,
    indices: &Indices,
) -> wasmparser::Result<Vec<Vec<LegacyClause>>> {
    let mut clauses: Vec<Vec<LegacyClause>> = Vec::new();
    // For each open construct, the number of its `try`, if it is one.
    let mut open: Vec<Option<usize>> = Vec::new();
    for operator in operators {
        let clause = match operator? {
            Operator::Try { .. } => {
                open.push(Some(clauses.len()));
                clauses.push(Vec::new());
                continue;
            }
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => {
                open.push(None);
                continue;
            }
            Operator::End => {
                open.pop();
                continue;
            }
            Operator::Catch { tag_index } => LegacyClause::Catch(indices.tags.program(tag_index)),
            Operator::CatchAll => LegacyClause::CatchAll,
            Operator::Delegate { relative_depth } => LegacyClause::Delegate(relative_depth),
            _ => continue,
        };
        let delegates = matches!(clause, LegacyClause::Delegate(_));
        if let Some(Some(number)) = open.last() {
            clauses[*number].push(clause);
        }
        if delegates {
            open.pop();
        }
    }
    Ok(clauses)
}

impl Translator<'_, '_> {
    pub(super) fn exception(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::TryTable { try_table } => self.try_table(try_table),
            Operator::Throw { tag_index } => self.throw(*tag_index),
            Operator::ThrowRef => {
                let exception = self.pop();
                let null = self.builder.ins().icmp_imm_u(IntCC::Equal, exception, 0);
                self.trap_if(null, TrapCode::NullReference);
                self.throw_by(Builtin::ThrowReference, &[exception]);
            }
            Operator::Try { blockty } => self.legacy_try(*blockty),
            Operator::Catch { tag_index } => self.legacy_catch(Some(*tag_index)),
            Operator::CatchAll => self.legacy_catch(None),
            Operator::Rethrow { relative_depth } => self.legacy_rethrow(*relative_depth),
            Operator::Delegate { .. } => self.end(),
            _ => return false,
        }
        true
    }

    /// A block that gets the address of an exception.
    fn landing(&mut self) -> Block {
        let landing = self.builder.create_block();
        self.builder.append_block_param(landing, types::I64);
        self.builder.set_cold_block(landing);
        landing
    }

    fn try_table(&mut self, table: &TryTable) {
        let mut clauses = Vec::new();
        for catch in &table.catches {
            let (tag, with_reference, label) = match *catch {
                Catch::One { tag, label } => (Some(tag), false, label),
                Catch::OneRef { tag, label } => (Some(tag), true, label),
                Catch::All { label } => (None, false, label),
                Catch::AllRef { label } => (None, true, label),
            };
            let frame = self.control.len() - 1 - label as usize;
            clauses.push(Clause { tag, landing: self.landing(), with_reference, frame });
        }
        let handlers =
            clauses.iter().map(|clause| Handler { tag: clause.tag, landing: clause.landing });
        let handlers: Rc<[Handler]> = handlers.chain(self.handlers.iter().copied()).collect();
        self.open_block(table.ty, Kind::TryTable { clauses });
        self.handlers = handlers;
        self.remember_handlers();
    }

    /// Writes the landings of a `try_table` that some call inside can reach.
    pub(super) fn land(&mut self, clauses: &[Clause]) {
        for clause in clauses {
            self.builder.seal_block(clause.landing);
            if !self.landings_used.contains(&clause.landing) {
                continue;
            }
            self.builder.switch_to_block(clause.landing);
            let exception = self.builder.block_params(clause.landing)[0];
            let mut values = self.payload(clause.tag, exception);
            if clause.with_reference {
                values.extend(self.call_builtin(Builtin::ExceptionKeep, &[exception]));
            }
            let target = self.label_of_frame(clause.frame);
            self.jump(target, &values);
        }
    }

    /// Reads what an exception of that tag carries.
    fn payload(&mut self, tag: Option<u32>, exception: Value) -> Vec<Value> {
        let Some(tag) = tag else { return Vec::new() };
        let plan = self.plan;
        let first = size_of::<Exception>() as i32;
        let mut values = Vec::new();
        for (position, &ty) in plan.spaces.payload(tag).iter().enumerate() {
            let offset = first + position as i32 * PAYLOAD_SIZE as i32;
            let flags = MemFlagsData::trusted();
            values.push(self.builder.ins().load(clif_type(ty), flags, exception, offset));
        }
        values
    }

    fn throw(&mut self, tag: u32) {
        let count = self.plan.spaces.payload(tag).len();
        let values = self.pop_many(count);
        let size = (count.max(1) * PAYLOAD_SIZE as usize) as u32;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
        let slot = self.builder.create_sized_stack_slot(slot);
        let payload = self.builder.ins().stack_addr(types::I64, slot, 0);
        for (position, value) in values.into_iter().enumerate() {
            let offset = position as i32 * PAYLOAD_SIZE as i32;
            self.builder.ins().store(MemFlagsData::trusted(), value, payload, offset);
        }
        let tag = self.builder.ins().iconst(types::I32, i64::from(tag));
        let count = self.builder.ins().iconst(types::I32, count as i64);
        self.throw_by(Builtin::Throw, &[tag, payload, count]);
    }

    /// Calls the runtime to throw; what follows cannot be reached.
    fn throw_by(&mut self, builtin: Builtin, arguments: &[Value]) {
        let callee =
            self.import_function(Symbol::Throw(builtin), || super::call::throw_signature(builtin));
        self.insert_call(&Callee::Direct(callee), arguments);
        self.trap(TrapCode::Unreachable);
    }

    /// The table of a call that the handlers at hand surround, and the block after the call.
    pub(super) fn exception_table(&mut self, signature: SigRef) -> (ExceptionTableData, Block) {
        let next = self.builder.create_block();
        let results = self.builder.func.dfg.signatures[signature].returns.clone();
        for result in &results {
            self.builder.append_block_param(next, result.value_type);
        }
        let handlers = Rc::clone(&self.handlers);
        self.landings_used.extend(handlers.iter().map(|handler| handler.landing));
        let pool = &mut self.builder.func.dfg.value_lists;
        let results = (0..results.len() as u32).map(BlockArg::TryCallRet);
        let normal = BlockCall::new(next, results, pool);
        let items: Vec<_> = handlers
            .iter()
            .map(|handler| {
                let call = BlockCall::new(handler.landing, [BlockArg::TryCallExn(0)], pool);
                match handler.tag {
                    Some(tag) => ExceptionTableItem::Tag(ExceptionTag::from_u32(tag), call),
                    None => ExceptionTableItem::Default(call),
                }
            })
            .collect();
        (ExceptionTableData::new(signature, normal, items), next)
    }

    fn legacy_try(&mut self, ty: BlockType) {
        let clauses = self.legacy_clauses.next().unwrap_or_default();
        let mut landings = Vec::new();
        let mut inner = Vec::new();
        for clause in clauses {
            let tag = match clause {
                LegacyClause::Catch(tag) => Some(tag),
                LegacyClause::CatchAll => None,
                LegacyClause::Delegate(depth) => {
                    // As if thrown right inside the construct that the label names.
                    let frame = self.control.len().checked_sub(1 + depth as usize);
                    let frame = frame.and_then(|position| self.control.get(position));
                    inner
                        .extend(frame.into_iter().flat_map(|frame| frame.handlers.iter().copied()));
                    self.open_block(ty, Kind::Block);
                    self.handlers = inner.into();
                    self.remember_handlers();
                    return;
                }
            };
            let landing = self.landing();
            landings.push(landing);
            inner.push(Handler { tag, landing });
        }
        inner.extend(self.handlers.iter().copied());
        landings.reverse();
        self.open_block(ty, Kind::LegacyTry { landings, caught: None });
        self.handlers = inner.into();
        self.remember_handlers();
    }

    /// Ends the arm before and begins that of a handler.
    pub(super) fn legacy_catch(&mut self, tag: Option<u32>) {
        self.leave_arm();
        let frame = self.control.last_mut().expect("a catch has its try");
        let Kind::LegacyTry { landings, .. } = &mut frame.kind else { return };
        let Some(landing) = landings.pop() else { return };
        self.handlers = Rc::clone(&frame.outer_handlers);
        frame.handlers = Rc::clone(&frame.outer_handlers);
        let height = frame.height;
        self.stack.truncate(height);
        self.builder.seal_block(landing);
        if !self.landings_used.contains(&landing) {
            return;
        }
        self.builder.switch_to_block(landing);
        self.reachable = true;
        let exception = self.builder.block_params(landing)[0];
        let values = self.payload(tag, exception);
        self.push_all(&values);
        let slot = self.exception_slot();
        let copy = self.builder.ins().stack_addr(types::I64, slot, 0);
        self.call_builtin(Builtin::ExceptionCopy, &[exception, copy]);
        if let Some(Kind::LegacyTry { caught, .. }) = self.control.last_mut().map(|f| &mut f.kind) {
            *caught = Some(slot);
        }
    }

    /// Calls the function without parameters and results that the topmost operand refers to, and
    /// returns 0, or the number of the trap that ended it.
    pub(super) fn catch_trap(&mut self) {
        let code = self.referenced_code();
        let signature = Signature::new(CallConv::Tail);
        let signature = self.builder.import_signature(signature);
        self.call_catching(&Callee::Indirect(signature, code), &[], |_, _| {});
    }

    /// Calls code, does what follows where that returns, and returns 0 from the function at hand; or
    /// returns the number of the trap that ended it.
    pub(super) fn call_catching(
        &mut self,
        callee: &Callee,
        arguments: &[Value],
        returned: impl FnOnce(&mut Self, &[Value]),
    ) {
        let (trapped, thrown) = (self.landing(), self.landing());
        self.handlers = Rc::new([
            Handler { tag: Some(TRAP_TAG), landing: trapped },
            Handler { tag: None, landing: thrown },
        ]);
        let results = self.insert_call(callee, arguments);
        returned(self, &results);
        let zero = self.builder.ins().iconst(types::I32, 0);
        self.builder.ins().return_(&[zero]);
        self.builder.seal_block(trapped);
        self.builder.switch_to_block(trapped);
        self.call_builtin(Builtin::TrapCaught, &[]);
        let number = self.builder.block_params(trapped)[0];
        let number = self.builder.ins().ireduce(types::I32, number);
        self.builder.ins().return_(&[number]);
        self.builder.seal_block(thrown);
        self.builder.switch_to_block(thrown);
        let number = i64::from(TrapCode::UncaughtException as u8);
        let number = self.builder.ins().iconst(types::I32, number);
        self.builder.ins().return_(&[number]);
        self.reachable = false;
    }

    /// Room for any exception of the program.
    fn exception_slot(&mut self) -> StackSlot {
        let tags = 0..self.plan.spaces.tags.len() as u32;
        let longest = tags.map(|tag| self.plan.spaces.payload(tag).len()).max().unwrap_or(0);
        let size = size_of::<Exception>() + longest * PAYLOAD_SIZE as usize;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size as u32, 4);
        self.builder.create_sized_stack_slot(slot)
    }

    fn legacy_rethrow(&mut self, depth: u32) {
        let position = self.control.len() - 1 - depth as usize;
        let Kind::LegacyTry { caught: Some(slot), .. } = self.control[position].kind else {
            unreachable!("validation admits rethrow only of a caught exception")
        };
        let exception = self.builder.ins().stack_addr(types::I64, slot, 0);
        self.throw_by(Builtin::ThrowReference, &[exception]);
    }
}
