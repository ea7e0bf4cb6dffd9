//! Control operators but calls, and function bodies as a whole.
//!
//! Each control frame has one CLIF block that a branch to its label jumps to, with the label's
//! types as block parameters.

use super::exception::{Clause, Handler};
use super::{Translator, clif_type};
use crate::module::Body;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, InstBuilder, JumpTableData, StackSlot, Value, types,
};
use kiln_abi::trap::TrapCode;
use std::rc::Rc;
use wasmparser::{BlockType, BrTable, FuncType, Operator, ValType};

/// A control frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// Where a branch to the label goes.
    target: Block,
    /// Number of values that such a branch takes along.
    label_arity: usize,
    /// What follows the construct; its parameters are the construct's results.
    exit: Block,
    results: usize,
    /// Operands below the construct's own.
    pub(super) height: usize,
    /// Handlers around the code inside, and around the construct.
    pub(super) handlers: Rc<[Handler]>,
    pub(super) outer_handlers: Rc<[Handler]>,
    /// Whether anything jumps to `exit`.
    exit_used: bool,
    /// Whether the construct itself can be reached.
    entered: bool,
}

#[derive(Debug)]
pub(super) enum Kind {
    Block,
    Loop,
    /// With its parameters, for the other arm.
    If {
        otherwise: Block,
        parameters: Vec<Value>,
    },
    Else,
    TryTable {
        clauses: Vec<Clause>,
    },
    /// A `try` of the legacy encoding.
    LegacyTry {
        /// Landings of the handlers to come, the next one last.
        landings: Vec<Block>,
        /// The exception of the handler at hand.
        caught: Option<StackSlot>,
    },
}

impl Translator<'_, '_> {
    /// Opens the frame of the function itself and defines its locals.
    pub(super) fn begin(&mut self, ty: &FuncType, body: &Body<'_>) -> wasmparser::Result<()> {
        let entry = self.builder.create_block();
        self.builder.append_block_params_for_function_params(entry);
        self.builder.switch_to_block(entry);
        self.builder.seal_block(entry);
        let mut parameters = self.builder.block_params(entry).to_vec();
        if super::call::returns_in_memory(ty) {
            self.results_pointer = Some(parameters.remove(0));
        }
        let on_stack = super::local::on_stack(body, parameters.len())?;
        for value in parameters {
            self.declare_local(on_stack, value);
        }
        let mut zeros: Vec<(ValType, Value)> = Vec::new();
        for declaration in body.code.get_locals_reader()? {
            let (count, ty) = declaration?;
            let known = zeros.iter().find(|(known, _)| *known == ty).map(|(_, zero)| *zero);
            let zero = known.unwrap_or_else(|| {
                let zero = self.zero(ty);
                zeros.push((ty, zero));
                zero
            });
            for _ in 0..count {
                self.declare_local(on_stack, zero);
            }
        }
        let exit = self.block_of(ty.results());
        self.push_frame(Kind::Block, exit, ty.results().len(), exit, ty.results().len(), 0);
        Ok(())
    }

    fn zero(&mut self, ty: ValType) -> Value {
        match ty {
            ValType::I32 => self.builder.ins().iconst(types::I32, 0),
            ValType::I64 | ValType::Ref(_) => self.builder.ins().iconst(types::I64, 0),
            ValType::F32 => self.builder.ins().f32const(0.0),
            ValType::F64 => self.builder.ins().f64const(0.0),
            ValType::V128 => {
                let zero = self.builder.func.dfg.constants.insert([0; 16].as_slice().into());
                self.builder.ins().vconst(types::I8X16, zero)
            }
        }
    }

    pub(super) fn control(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::Nop => {}
            Operator::Unreachable => self.trap(TrapCode::Unreachable),
            Operator::Block { blockty } => self.open_block(*blockty, Kind::Block),
            Operator::Loop { blockty } => self.loop_(*blockty),
            Operator::If { blockty } => self.if_(*blockty),
            Operator::Else => self.else_(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => self.branch(*relative_depth),
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                self.branch_if(condition, *relative_depth);
            }
            Operator::BrTable { targets } => self.branch_table(targets),
            Operator::Return => self.branch(self.control.len() as u32 - 1),
            _ => return false,
        }
        true
    }

    /// Follows the nesting of operators that cannot be reached.
    pub(super) fn skip(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => {
                if matches!(operator, Operator::Try { .. }) {
                    self.legacy_clauses.next();
                }
                let nowhere = self.builder.create_block();
                self.push_frame(Kind::Block, nowhere, 0, nowhere, 0, self.stack.len());
            }
            Operator::Else => self.else_(),
            Operator::Catch { tag_index } => self.legacy_catch(Some(*tag_index)),
            Operator::CatchAll => self.legacy_catch(None),
            Operator::End | Operator::Delegate { .. } => self.end(),
            _ => {}
        }
    }

    /// Parameter and result types of a block type.
    fn block_type(&self, ty: BlockType) -> (Vec<ValType>, Vec<ValType>) {
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(result) => (Vec::new(), vec![result]),
            BlockType::FuncType(index) => {
                let ty = &self.plan.spaces.types[index as usize].ty;
                (ty.params().to_vec(), ty.results().to_vec())
            }
        }
    }

    /// A CLIF block with parameters of those types.
    pub(super) fn block_of(&mut self, types: &[ValType]) -> Block {
        let block = self.builder.create_block();
        for &ty in types {
            self.builder.append_block_param(block, clif_type(ty));
        }
        block
    }

    fn push_frame(
        &mut self,
        kind: Kind,
        target: Block,
        label_arity: usize,
        exit: Block,
        results: usize,
        height: usize,
    ) {
        self.control.push(Frame {
            kind,
            target,
            label_arity,
            exit,
            results,
            height,
            handlers: Rc::clone(&self.handlers),
            outer_handlers: Rc::clone(&self.handlers),
            exit_used: false,
            entered: self.reachable,
        });
    }

    /// Opens a construct whose label is its end.
    pub(super) fn open_block(&mut self, ty: BlockType, kind: Kind) {
        let (parameters, results) = self.block_type(ty);
        let exit = self.block_of(&results);
        let height = self.stack.len() - parameters.len();
        self.push_frame(kind, exit, results.len(), exit, results.len(), height);
    }

    fn loop_(&mut self, ty: BlockType) {
        let (parameters, results) = self.block_type(ty);
        let header = self.block_of(&parameters);
        let exit = self.block_of(&results);
        let arguments = self.pop_many(parameters.len());
        let height = self.stack.len();
        self.jump(header, &arguments);
        self.push_frame(Kind::Loop, header, parameters.len(), exit, results.len(), height);
        self.builder.switch_to_block(header);
        let parameters = self.builder.block_params(header).to_vec();
        self.push_all(&parameters);
    }

    fn if_(&mut self, ty: BlockType) {
        let condition = self.pop();
        let (parameters, results) = self.block_type(ty);
        let then = self.builder.create_block();
        let otherwise = self.builder.create_block();
        let exit = self.block_of(&results);
        self.builder.ins().brif(condition, then, &[], otherwise, &[]);
        self.builder.seal_block(then);
        self.builder.seal_block(otherwise);
        let height = self.stack.len() - parameters.len();
        let parameters = self.peek_many(parameters.len());
        let kind = Kind::If { otherwise, parameters };
        self.push_frame(kind, exit, results.len(), exit, results.len(), height);
        self.builder.switch_to_block(then);
    }

    fn else_(&mut self) {
        self.leave_arm();
        let frame = self.control.last_mut().expect("an else has its if");
        let height = frame.height;
        if let Kind::If { otherwise, parameters } = std::mem::replace(&mut frame.kind, Kind::Else) {
            self.stack.truncate(height);
            self.push_all(&parameters);
            self.builder.switch_to_block(otherwise);
            self.reachable = true;
        }
    }

    pub(super) fn end(&mut self) {
        self.leave_arm();
        let frame = self.control.pop().expect("an end closes a frame");
        self.stack.truncate(frame.height);
        self.handlers = frame.outer_handlers;
        let mut exit_used = frame.exit_used;
        match frame.kind {
            Kind::Loop => self.builder.seal_block(frame.target),
            // Without an else, the parameters are the results.
            Kind::If { otherwise, parameters } => {
                self.builder.switch_to_block(otherwise);
                self.jump(frame.exit, &parameters);
                exit_used = true;
            }
            Kind::TryTable { clauses } => self.land(&clauses),
            Kind::Block | Kind::Else | Kind::LegacyTry { .. } => {}
        }
        self.builder.seal_block(frame.exit);
        self.reachable = exit_used && frame.entered;
        if self.reachable {
            self.builder.switch_to_block(frame.exit);
            let results = self.builder.block_params(frame.exit).to_vec();
            if self.control.is_empty() {
                self.return_(&results);
            } else {
                self.push_all(&results);
            }
        }
    }

    /// Falls through from the end of a construct's arm to what follows the construct.
    pub(super) fn leave_arm(&mut self) {
        if !self.reachable {
            return;
        }
        let frame = self.control.last_mut().expect("a frame is open");
        frame.exit_used = true;
        let (exit, results) = (frame.exit, frame.results);
        let results = self.pop_many(results);
        self.jump(exit, &results);
        self.reachable = false;
    }

    /// The block that a branch goes to and how many values it takes along.
    pub(super) fn label(&mut self, depth: u32) -> (Block, usize) {
        let position = self.control.len() - 1 - depth as usize;
        (self.label_of_frame(position), self.control[position].label_arity)
    }

    /// The block that a branch to the label of the frame at that position goes to.
    pub(super) fn label_of_frame(&mut self, position: usize) -> Block {
        let frame = &mut self.control[position];
        if !matches!(frame.kind, Kind::Loop) {
            frame.exit_used = true;
        }
        frame.target
    }

    /// Notes the handlers at hand as those inside the construct just opened.
    pub(super) fn remember_handlers(&mut self) {
        let frame = self.control.last_mut().expect("a frame is open");
        frame.handlers = Rc::clone(&self.handlers);
    }

    pub(super) fn branch(&mut self, depth: u32) {
        let (target, arity) = self.label(depth);
        let arguments = self.peek_many(arity);
        self.jump(target, &arguments);
        self.reachable = false;
    }

    /// Branches if `condition` is not zero, with the topmost operands; else goes on with them.
    pub(super) fn branch_if(&mut self, condition: Value, depth: u32) {
        let (target, arity) = self.label(depth);
        let arguments = block_arguments(&self.peek_many(arity));
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, target, &arguments, next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    fn branch_table(&mut self, table: &BrTable<'_>) {
        let index = self.pop();
        let mut calls = Vec::with_capacity(table.len() as usize + 1);
        let depths = table.targets().map_while(Result::ok);
        for depth in std::iter::once(table.default()).chain(depths) {
            let (target, arity) = self.label(depth);
            let arguments = block_arguments(&self.peek_many(arity));
            let pool = &mut self.builder.func.dfg.value_lists;
            calls.push(BlockCall::new(target, arguments, pool));
        }
        let table = self.builder.create_jump_table(JumpTableData::new(calls[0], &calls[1..]));
        self.builder.ins().br_table(index, table);
        self.reachable = false;
    }

    pub(super) fn jump(&mut self, target: Block, arguments: &[Value]) {
        self.builder.ins().jump(target, &block_arguments(arguments));
    }
}

fn block_arguments(values: &[Value]) -> Vec<BlockArg> {
    values.iter().copied().map(BlockArg::from).collect()
}
