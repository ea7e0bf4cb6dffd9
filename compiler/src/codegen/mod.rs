//! A planned program → machine code → a relocatable object.

mod code;
mod data;
mod function;
mod image;
mod isa;
mod object;
mod unwind;

use crate::Progress;
use crate::error::Error;
use crate::module::Body;
use crate::plan::Plan;
use crate::symbol::{Builtin, Symbol};
use crate::translate;
use cranelift_codegen::Context;
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::FunctionBuilderContext;
use function::Compiled;
pub(crate) use isa::native_cpu;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Compiles a program to an object.
pub(crate) fn compile(plan: &Plan<'_>, progress: &dyn Progress) -> Result<Vec<u8>, Error> {
    let isa = isa::build(plan)?;
    let generator = Generator { plan, isa: &*isa };
    let mut functions = generator.bodies(progress)?;
    generator.glue(&mut functions)?;
    let ranges = code::lay_out(plan, functions, plan.target.padding);
    let pieces = data::pieces(plan, &ranges)?;
    object::write(plan, &ranges, &pieces)
}

struct Generator<'g, 'a> {
    plan: &'g Plan<'a>,
    isa: &'g dyn TargetIsa,
}

impl Generator<'_, '_> {
    /// Compiles every function that can be reached, in parallel; the result is in their order.
    fn bodies(&self, progress: &dyn Progress) -> Result<Vec<Compiled>, Error> {
        let bodies: Vec<(u32, &Body<'_>)> = self
            .plan
            .facts
            .reached
            .iter()
            .filter_map(|&index| Some((index, self.plan.spaces.body(index)?)))
            .collect();
        bodies
            .into_par_iter()
            .map_init(
                || (Context::new(), FunctionBuilderContext::new()),
                |(context, builder), (index, body)| {
                    context.clear();
                    let config = self.isa.frontend_config();
                    translate::function(self.plan, index, body, context, builder, config)?;
                    let compiled = self.generate(context, Symbol::Function(index));
                    progress.function_done();
                    compiled
                },
            )
            .collect()
    }

    /// Compiles the entry point or what a library exports, and trampolines of those functions of
    /// the host and throwing functions that code or tables refer to.
    fn glue(&self, functions: &mut Vec<Compiled>) -> Result<(), Error> {
        let mut context = Context::new();
        let mut builder = FunctionBuilderContext::new();
        let config = self.isa.frontend_config();
        if self.plan.exports.is_none() {
            translate::entry(self.plan, &mut context, &mut builder, config);
            functions.push(self.generate(&mut context, Symbol::Entry)?);
        }
        for symbol in translate::library_symbols(self.plan) {
            context.clear();
            translate::library(self.plan, symbol, &mut context, &mut builder, config);
            functions.push(self.generate(&mut context, symbol)?);
        }
        if let Some(threads) = &self.plan.threads {
            context.clear();
            translate::thread_entry(self.plan, threads, &mut context, &mut builder, config);
            functions.push(self.generate(&mut context, Symbol::ThreadEntry)?);
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
        let references = self.plan.facts.references.iter().copied();
        let trampolines: BTreeSet<u32> = called.chain(references).collect();
        for index in trampolines {
            let Some(host) = self.plan.host(index) else { continue };
            context.clear();
            translate::trampoline(self.plan, index, host, &mut context, &mut builder, config);
            functions.push(self.generate(&mut context, Symbol::Trampoline(index))?);
        }
        for throwing in thrown {
            context.clear();
            translate::throw(self.plan, throwing, &mut context, &mut builder, config);
            functions.push(self.generate(&mut context, Symbol::Throw(throwing))?);
        }
        Ok(())
    }

    fn generate(&self, context: &mut Context, symbol: Symbol) -> Result<Compiled, Error> {
        let name = || symbol.name(self.plan.spaces);
        function::compile(context, symbol, name, self.isa, self.plan.target)
    }
}
