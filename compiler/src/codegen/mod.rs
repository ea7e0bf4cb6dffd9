//! A planned program → machine code → a relocatable object, for several targets at once.

mod bodies;
mod code;
mod constant;
mod data;
mod function;
mod image;
mod isa;
mod object;
mod recursion;
mod unwind;

#[cfg(test)]
mod golden;

use crate::Progress;
use crate::error::Error;
use crate::plan::Plan;
use crate::symbol::{Builtin, Symbol};
use crate::translate;
use cranelift_codegen::isa::OwnedTargetIsa;
use function::{Compiled, Workspace};
pub(crate) use isa::native_cpu;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// The machine code of a program's functions for one target.
pub struct Code<'a> {
    generator: Generator<'a>,
    functions: Vec<Arc<Compiled>>,
}

/// Compiles a program for each of the plans. An error comes with the position of its plan.
pub(crate) fn compile<'a>(
    plans: Vec<Plan<'a>>,
    progress: &[&dyn Progress],
) -> Result<Vec<Code<'a>>, (usize, Error)> {
    let generators: Vec<_> = plans
        .into_iter()
        .enumerate()
        .map(|(position, plan)| Generator::new(plan).map_err(|error| (position, error)))
        .collect::<Result<_, _>>()?;
    let functions = bodies::compile(&generators, progress)?;
    let pairs = generators.into_iter().zip(functions);
    Ok(pairs.map(|(generator, functions)| Code { generator, functions }).collect())
}

impl Code<'_> {
    /// Makes the relocatable object, in the target's own format.
    ///
    /// # Errors
    /// The program exceeds a limit.
    pub fn object(self) -> Result<Vec<u8>, Error> {
        let Self { generator, mut functions } = self;
        generator.glue(&mut functions)?;
        let ranges = code::lay_out(&generator.plan, functions);
        let pieces = data::pieces(&generator.plan, &ranges)?;
        object::write(&generator.plan, &ranges, &pieces)
    }
}

impl fmt::Debug for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code for {}", self.generator.plan.target)
    }
}

struct Generator<'a> {
    plan: Plan<'a>,
    isa: OwnedTargetIsa,
}

impl<'a> Generator<'a> {
    fn new(plan: Plan<'a>) -> Result<Self, Error> {
        let isa = isa::build(&plan)?;
        Ok(Self { plan, isa })
    }

    /// Compiles the entry point or what a library exports, and trampolines of those functions of
    /// the host and throwing functions that code or tables refer to.
    fn glue(&self, functions: &mut Vec<Arc<Compiled>>) -> Result<(), Error> {
        let plan = &self.plan;
        let config = self.isa.frontend_config();
        let workspace = &mut Workspace::new();
        let mut add = |functions: &mut Vec<_>, symbol, translate: &dyn Fn(&mut Workspace)| {
            workspace.context.clear();
            translate(workspace);
            self.optimize(workspace, symbol)?;
            functions.push(Arc::new(self.generate(workspace, symbol)?));
            Ok::<_, Error>(())
        };
        if plan.exports.is_none() {
            add(functions, Symbol::Entry, &|Workspace { context, builder, .. }| {
                translate::entry(plan, context, builder, config);
            })?;
        }
        for symbol in translate::library_symbols(plan) {
            add(functions, symbol, &|Workspace { context, builder, .. }| {
                translate::library(plan, symbol, context, builder, config);
            })?;
        }
        if let Some(threads) = &plan.threads {
            add(functions, Symbol::ThreadEntry, &|Workspace { context, builder, .. }| {
                translate::thread_entry(plan, threads, context, builder, config);
            })?;
        }
        let called = functions.iter().flat_map(|function| &function.fixups);
        let called = called.filter_map(|fixup| match fixup.symbol {
            Symbol::Trampoline(index) => Some(index),
            _ => None,
        });
        let thrown: BTreeSet<Builtin> = functions
            .iter()
            .flat_map(|function| &function.fixups)
            .filter_map(|fixup| match fixup.symbol {
                Symbol::Throw(builtin) => Some(builtin),
                _ => None,
            })
            .collect();
        let references = plan.facts.references.iter().copied();
        let trampolines: BTreeSet<u32> = called.chain(references).collect();
        for index in trampolines {
            let Some(host) = plan.host(index) else { continue };
            let symbol = Symbol::Trampoline(index);
            add(functions, symbol, &|Workspace { context, builder, .. }| {
                translate::trampoline(plan, index, host, context, builder, config);
            })?;
        }
        for throwing in thrown {
            add(functions, Symbol::Throw(throwing), &|Workspace { context, builder, .. }| {
                translate::throw(plan, throwing, context, builder, config);
            })?;
        }
        Ok(())
    }

    /// Optimizes the function in the workspace, which stands for `symbol`. All targets of a run
    /// have the same settings of that.
    fn optimize(&self, workspace: &mut Workspace, symbol: Symbol) -> Result<(), Error> {
        function::optimize(workspace, symbol, &*self.isa)
            .map_err(|message| self.failure(symbol, message))
    }

    /// Generates the code of the optimized function in the workspace, which stands for `symbol`.
    fn generate(&self, workspace: &mut Workspace, symbol: Symbol) -> Result<Compiled, Error> {
        function::compile(workspace, symbol, &*self.isa, self.plan.target)
            .map_err(|message| self.failure(symbol, message))
    }

    fn failure(&self, symbol: Symbol, message: String) -> Error {
        Error::Codegen { function: symbol.name(self.plan.spaces), message }
    }
}
