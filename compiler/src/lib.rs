//! WebAssembly bytes in, a relocatable native object out.
//!
//! Pure: no files, no processes, no clock. Knows wasm; knows nothing of executables.
//!
//! The stages, each taking the former's plain data:
//!
//! 1. [`parse`]: bytes → [`Module`], validated, with the facts of each body noted on the way;
//! 2. [`link`]: modules → a [`Program`] in index spaces of its own, every import provided, with
//!    the facts that hold because the whole program is known (`analyze`);
//! 3. `plan`: program and target → where everything lives and what code may take for granted;
//! 4. `translate`: a function body and the plan → CLIF, and what of the target it hangs on;
//! 5. `codegen`: CLIF → machine code → object. Targets that differ in nothing that a function hangs
//!    on share its CLIF, and those of one architecture its machine code.

mod analyze;
mod codegen;
pub mod error;
mod features;
pub mod module;
mod parse;
mod plan;
mod program;
mod symbol;
mod translate;

pub use codegen::Code;
pub use error::Error;
pub use module::Module;
pub use parse::{parse, parse_all};
pub use program::{Export, ExportItem, INSTANTIATE, Number, Program, Source, link, link_library};

use kiln_targets::{Cpu, Target};

/// What the caller may decide about compiling.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Bytes of stack for wasm code; rounded up to a multiple of 64 KiB.
    pub stack_size: u64,
    /// Compare every access with the memory's length instead of relying on a guard region.
    pub checked_memory: bool,
    /// What code may take for granted of the processor beyond the target's baseline.
    pub cpu: Cpu,
    /// Spend time on making code fast.
    pub optimize: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { stack_size: 8 << 20, checked_memory: false, cpu: Cpu::default(), optimize: true }
    }
}

/// What this machine's processor has.
#[must_use]
pub fn native_cpu() -> Cpu {
    codegen::native_cpu()
}

/// Is told how far compiling got; called from several threads.
pub trait Progress: Sync {
    /// One more function of [`Program::function_count`] is compiled.
    fn function_done(&self);
}

/// Compiles a program to a relocatable object in the target's own format.
///
/// # Errors
/// A function uses what Kiln does not support, or exceeds a limit.
pub fn compile(
    program: &Program<'_>,
    target: &'static Target,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<u8>, Error> {
    let codes = compile_all(program, &[(target, progress)], options).map_err(|(_, error)| error)?;
    codes.into_iter().map(Code::object).next().expect("every target has its code")
}

/// Compiles a program for several targets, each with its progress: whatever is the same for some
/// of them is made once. The results, in the order of the targets, make the objects; what is in
/// those does not depend on which others are compiled with them.
///
/// # Errors
/// As for [`compile`], with the target.
pub fn compile_all<'a>(
    program: &'a Program<'a>,
    targets: &[(&'static Target, &dyn Progress)],
    options: &Options,
) -> Result<Vec<Code<'a>>, (&'static Target, Error)> {
    let (targets, progress): (Vec<_>, Vec<_>) = targets.iter().copied().unzip();
    let plans = targets.iter().map(|target| plan::Plan::new(program, target, options)).collect();
    codegen::compile(plans, &progress).map_err(|(position, error)| (targets[position], error))
}
