//! The function bodies of a program → machine code for several targets, made once wherever it is
//! the same.
//!
//! What a translation asked of its target is known when it is done: it serves all targets that
//! would have answered alike, and the machine code made from it serves those of them with the same
//! architecture. Functions that touch no memory are made once per architecture, others twice where
//! a target has the memory at an address of its own. Which targets are compiled together is not to
//! be seen in the code of any.
//!
//! Small functions go through the stages in batches. Each stage, and the code generator of each
//! architecture, is more code than a processor's caches hold, and fetching it anew for each function
//! would take longer than what it does there.

use super::Generator;
use super::function::{Compiled, Workspace};
use super::unwind;
use crate::Progress;
use crate::error::Error;
use crate::module::Body;
use crate::plan::Asked;
use crate::symbol::Symbol;
use crate::translate;
use cranelift_codegen::Context;
use rayon::prelude::*;
use std::mem::swap;
use std::sync::{Arc, Mutex, PoisonError};

/// Functions in a batch at most.
const BATCH_FUNCTIONS: usize = 16;

/// Bytes of their bodies at most, unless one function has more.
const BATCH_BYTES: usize = 1 << 10;

/// A function's body with its index.
type Indexed<'b, 'a> = (u32, &'b Body<'a>);

/// The code of a function for each generator.
type Codes = Vec<Arc<Compiled>>;

/// The code of every function that can be reached, in their order, for each generator. An error
/// comes with the position of the generator that it befell.
pub(super) fn compile(
    generators: &[Generator<'_>],
    progress: &[&dyn Progress],
) -> Result<Vec<Vec<Arc<Compiled>>>, (usize, Error)> {
    let Some(first) = generators.first() else { return Ok(Vec::new()) };
    let reached: Vec<Indexed<'_, '_>> = first
        .plan
        .facts
        .reached
        .iter()
        .filter_map(|&index| Some((index, first.plan.spaces.body(index)?)))
        .collect();
    let batches = Batches::default();
    let functions: Vec<Vec<Codes>> = divide(&reached)
        .into_par_iter()
        .map(|bodies| {
            let codes = batches.with(|batch| batch.compile(generators, bodies))?;
            for progress in progress {
                bodies.iter().for_each(|_| progress.function_done());
            }
            Ok(codes)
        })
        .collect::<Result<_, _>>()?;
    let mut codes: Vec<_> = generators.iter().map(|_| Vec::with_capacity(reached.len())).collect();
    for function in functions.into_iter().flatten() {
        for (codes, code) in codes.iter_mut().zip(function) {
            codes.push(code);
        }
    }
    Ok(codes)
}

/// Divides bodies into batches, the same for any number of threads.
fn divide<'r, 'b, 'a>(mut bodies: &'r [Indexed<'b, 'a>]) -> Vec<&'r [Indexed<'b, 'a>]> {
    let mut batches = Vec::new();
    while !bodies.is_empty() {
        let mut bytes = 0;
        let fitting = bodies.iter().take(BATCH_FUNCTIONS).take_while(|(_, body)| {
            bytes += body.code.as_bytes().len();
            bytes <= BATCH_BYTES
        });
        let (batch, rest) = bodies.split_at(fitting.count().max(1));
        batches.push(batch);
        bodies = rest;
    }
    batches
}

/// What waits for the next batch: as many as there were threads at work. One that was used has
/// room already for whatever compiling needs.
#[derive(Default)]
struct Batches(Mutex<Vec<Batch>>);

impl Batches {
    fn with<T>(&self, action: impl FnOnce(&mut Batch) -> T) -> T {
        let waiting = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = waiting().pop();
        let mut batch = found.unwrap_or_else(Batch::new);
        let result = action(&mut batch);
        waiting().push(batch);
        result
    }
}

/// What functions are compiled in that go through the stages together.
struct Batch {
    workspace: Workspace,
    /// The functions between two stages.
    contexts: Vec<Box<Context>>,
}

/// Code that is to be made from the function at that position in a batch.
struct Job {
    position: usize,
    /// The generator that makes it.
    maker: usize,
    /// Those that it serves.
    served: Vec<usize>,
}

impl Batch {
    fn new() -> Self {
        Self { workspace: Workspace::new(), contexts: Vec::new() }
    }

    /// The code of each of the functions.
    fn compile(
        &mut self,
        generators: &[Generator<'_>],
        bodies: &[Indexed<'_, '_>],
    ) -> Result<Vec<Codes>, (usize, Error)> {
        while self.contexts.len() < bodies.len() {
            self.contexts.push(Box::new(Context::new()));
        }
        let mut codes = vec![vec![None; generators.len()]; bodies.len()];
        for (first, generator) in generators.iter().enumerate() {
            let mut jobs = Vec::new();
            for (position, &body) in bodies.iter().enumerate() {
                if codes[position][first].is_some() {
                    continue;
                }
                let asked = self.at(position, |workspace| translate(generator, body, workspace));
                let asked = asked.map_err(|error| (first, error))?;
                let served = (first..generators.len())
                    .filter(|&other| codes[position][other].is_none())
                    .filter(|&other| generator.plan.agrees(&generators[other].plan, asked));
                jobs.extend(jobs_of(generators, position, served.collect()));
            }
            jobs.sort_by_key(|job| job.maker);
            for Job { position, maker, served } in jobs {
                let symbol = Symbol::Function(bodies[position].0);
                let code = self
                    .at(position, |workspace| generators[maker].generate(workspace, symbol))
                    .map_err(|error| (maker, error))?;
                let code = Arc::new(code);
                served.iter().for_each(|&other| codes[position][other] = Some(Arc::clone(&code)));
            }
        }
        Ok(codes.into_iter().map(|codes| codes.into_iter().flatten().collect()).collect())
    }

    /// Does something with the function at that position.
    fn at<T>(&mut self, position: usize, action: impl FnOnce(&mut Workspace) -> T) -> T {
        swap(&mut self.workspace.context, &mut self.contexts[position]);
        let result = action(&mut self.workspace);
        swap(&mut self.workspace.context, &mut self.contexts[position]);
        result
    }
}

/// Translates and optimizes a function.
fn translate(
    generator: &Generator<'_>,
    (index, body): Indexed<'_, '_>,
    workspace: &mut Workspace,
) -> Result<Asked, Error> {
    let Generator { plan, isa } = generator;
    let Workspace { context, builder, .. } = workspace;
    context.clear();
    let config = isa.frontend_config();
    let asked = translate::function(plan, index, body, context, builder, config)?;
    generator.optimize(workspace, Symbol::Function(index))?;
    Ok(asked)
}

/// What is to be made of a translation for those that it serves: code for each architecture.
fn jobs_of(generators: &[Generator<'_>], position: usize, mut served: Vec<usize>) -> Vec<Job> {
    let target = |generator: usize| generators[generator].plan.target;
    let mut jobs = Vec::new();
    while let Some(&one) = served.first() {
        let (alike, rest): (Vec<_>, Vec<_>) =
            served.into_iter().partition(|&other| target(other).arch == target(one).arch);
        // Unwind information comes along for those that want it.
        let maker = alike.iter().copied().find(|&other| unwind::is_wanted(target(other)));
        jobs.push(Job { position, maker: maker.unwrap_or(one), served: alike });
        served = rest;
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::{Options, Source};
    use kiln_targets::target;

    /// For each of a module's reached functions, for each target the first that has the same code.
    fn shares(text: &str) -> Vec<Vec<&'static str>> {
        let wasm = wat::parse_str(text).unwrap();
        let module = crate::parse(&wasm).unwrap();
        let program = crate::link(&[Source::alone(&module)]).unwrap();
        let plan = |target| Plan::new(&program, target, &Options::default());
        let generators = target::ALL.map(|target| Generator::new(plan(target)).unwrap());
        let codes = compile(&generators, &[]).unwrap();
        let first = |function: usize, code: &Vec<Arc<Compiled>>| {
            let same = |other: &Vec<_>| Arc::ptr_eq(&code[function], &other[function]);
            target::ALL[codes.iter().position(same).unwrap()].name
        };
        (0..codes[0].len())
            .map(|function| codes.iter().map(|code| first(function, code)).collect())
            .collect()
    }

    #[test]
    fn small_bodies_come_together_and_a_large_one_alone() {
        let sizes = [vec![1; 20], vec![BATCH_BYTES], vec![1], vec![BATCH_BYTES / 2; 3]].concat();
        let body = |nops: &usize| format!("(func {})", "nop ".repeat(*nops));
        let functions: String = sizes.iter().map(body).collect();
        let text = format!(r#"(module {functions} (func (export "_start")))"#);
        let wasm = wat::parse_str(text).unwrap();
        let module = crate::parse(&wasm).unwrap();
        let program = crate::link(&[Source::alone(&module)]).unwrap();
        let bodies: Vec<_> = (0..)
            .map_while(|index| Some((index, program.spaces.functions.get(index as usize)?)))
            .filter_map(|(index, _)| Some((index, program.spaces.body(index)?)))
            .collect();
        let batches: Vec<usize> = divide(&bodies).into_iter().map(<[_]>::len).collect();
        assert_eq!(batches, [BATCH_FUNCTIONS, 20 - BATCH_FUNCTIONS, 1, 2, 1, 2]);
    }

    #[test]
    fn code_is_made_once_for_all_targets_that_it_does_not_tell_apart() {
        let shares = shares(
            r#"(module
              (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
              (import "wasi_snapshot_preview1" "path_open" (func $open
                (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
              (memory 1)
              (func $neither (param i32) (result i32)
                (i32.mul (local.get 0) (i32.const 3)))
              (func $memory (param i32) (result i32)
                (i32.load (local.get 0)))
              (func $host (result i32)
                (call $yield))
              (func $many_arguments (param i64) (result i32)
                (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                  (local.get 0) (local.get 0) (i32.const 0) (i32.const 0)))
              (func (export "_start")
                (drop (call $many_arguments (i64.const 0)))
                (drop (call $memory (call $neither (call $host))))))"#,
        );
        let [linux, arm, darwin, darwin_arm, ..] = target::ALL.map(|target| target.name);
        assert_eq!(shares[0], [linux, arm, linux, arm, linux, arm]);
        assert_eq!(shares[1], [linux, arm, darwin, darwin_arm, darwin, darwin_arm]);
        for function in [2, 3, 4] {
            assert_eq!(shares[function], shares[0]);
        }
    }
}
