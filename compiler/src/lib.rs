//! WebAssembly bytes in, a relocatable native object out.
//!
//! Pure: no files, no processes, no clock. Knows wasm; knows nothing of executables.

pub mod error;
pub mod module;

pub use error::Error;
pub use module::Module;

use kiln_targets::Target;

/// What the caller may decide about compiling.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Bytes of stack for wasm code; rounded up to a multiple of 64 KiB.
    pub stack_size: u64,
    /// Compare every access with the memory's length instead of relying on a guard region.
    pub checked_memory: bool,
}

/// Is told how far compiling got; called from several threads.
pub trait Progress: Sync {
    /// One more function of `module.defined_functions()` is compiled.
    fn function_done(&self);
}

/// Reads and checks the structure of a module. Function bodies are validated while they are
/// compiled.
///
/// # Errors
/// The bytes are no wasm module, are malformed, or use what Kiln does not support.
pub fn parse(wasm: &[u8]) -> Result<Module<'_>, Error> {
    let _ = wasm;
    todo!()
}

/// Compiles a module to a relocatable object in the target's own format.
///
/// # Errors
/// A function body is invalid or uses what Kiln does not support, or an import is unknown.
pub fn compile(
    module: &Module<'_>,
    target: &'static Target,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<u8>, Error> {
    let _ = (module, target, options, progress);
    todo!()
}
