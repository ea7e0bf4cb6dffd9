//! The function bodies of a program → machine code for several targets, made once wherever it is
//! the same.
//!
//! What a translation asked of its target is known when it is done: it serves all targets that
//! would have answered alike, and the machine code made from it serves those of them with the same
//! architecture. Functions that touch no memory and call no host are made once per architecture;
//! others more often, down to once per target. Which targets are compiled together is not to be
//! seen in the code of any.

use super::Generator;
use super::function::{Compiled, Workspace};
use super::unwind;
use crate::Progress;
use crate::error::Error;
use crate::module::Body;
use crate::symbol::Symbol;
use crate::translate;
use rayon::prelude::*;
use std::sync::Arc;

/// The code of every function that can be reached, in their order, for each generator. An error
/// comes with the position of the generator that it befell.
pub(super) fn compile(
    generators: &[Generator<'_>],
    progress: &[&dyn Progress],
) -> Result<Vec<Vec<Arc<Compiled>>>, (usize, Error)> {
    let Some(first) = generators.first() else { return Ok(Vec::new()) };
    let reached: Vec<(u32, &Body<'_>)> = first
        .plan
        .facts
        .reached
        .iter()
        .filter_map(|&index| Some((index, first.plan.spaces.body(index)?)))
        .collect();
    let functions: Vec<Vec<Arc<Compiled>>> = reached
        .into_par_iter()
        .map_init(Workspace::new, |workspace, (index, body)| {
            let codes = function(generators, index, body, workspace);
            progress.iter().for_each(|progress| progress.function_done());
            codes
        })
        .collect::<Result<_, _>>()?;
    let mut codes: Vec<_> =
        generators.iter().map(|_| Vec::with_capacity(functions.len())).collect();
    for function in functions {
        for (codes, code) in codes.iter_mut().zip(function) {
            codes.push(code);
        }
    }
    Ok(codes)
}

/// The code of the function of that index for each generator.
fn function(
    generators: &[Generator<'_>],
    index: u32,
    body: &Body<'_>,
    workspace: &mut Workspace,
) -> Result<Vec<Arc<Compiled>>, (usize, Error)> {
    let symbol = Symbol::Function(index);
    let mut codes: Vec<Option<Arc<Compiled>>> = vec![None; generators.len()];
    while let Some(first) = codes.iter().position(Option::is_none) {
        let Generator { plan, isa } = &generators[first];
        let Workspace { context, builder, .. } = workspace;
        context.clear();
        let asked = translate::function(plan, index, body, context, builder, isa.frontend_config())
            .map_err(|error| (first, error))?;
        generators[first].optimize(workspace, symbol).map_err(|error| (first, error))?;
        let mut served: Vec<usize> = (first..generators.len())
            .filter(|&other| codes[other].is_none() && plan.agrees(&generators[other].plan, asked))
            .collect();
        while let Some(&one) = served.first() {
            let arch = generators[one].plan.target.arch;
            let (alike, rest): (Vec<_>, Vec<_>) =
                served.into_iter().partition(|&other| generators[other].plan.target.arch == arch);
            // Unwind information comes along for those that want it.
            let maker = alike
                .iter()
                .copied()
                .find(|&other| unwind::is_wanted(generators[other].plan.target));
            let maker = maker.unwrap_or(one);
            let code = generators[maker].generate(workspace, symbol);
            let code = Arc::new(code.map_err(|error| (maker, error))?);
            for other in alike {
                codes[other] = Some(Arc::clone(&code));
            }
            served = rest;
        }
    }
    Ok(codes.into_iter().flatten().collect())
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
        let [linux, arm, darwin, darwin_arm, windows, _] = target::ALL.map(|target| target.name);
        assert_eq!(shares[0], [linux, arm, linux, arm, linux, arm]);
        assert_eq!(shares[1], [linux, arm, darwin, darwin_arm, darwin, darwin_arm]);
        assert_eq!(shares[2], [linux, arm, linux, arm, windows, arm]);
        assert_eq!(shares[3], [linux, arm, linux, darwin_arm, windows, arm]);
        assert_eq!(shares[4], shares[0]);
    }
}
