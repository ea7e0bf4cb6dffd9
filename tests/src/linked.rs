//! Executables made by the compiler and the linker themselves, for what the command line does not
//! offer: instances of a script's modules, or a manifest of any kind.

use kiln_compiler::{Options, Progress, Source};
use kiln_targets::Target;
use kiln_targets::link::{self, Input};

/// Bytes of stack: enough for every script that does not exhaust it on purpose.
const STACK_SIZE: u64 = 1 << 20;

struct Silent;

impl Progress for Silent {
    fn function_done(&self) {}
}

/// The executable of linked modules, with that manifest.
///
/// # Errors
/// The compiler or the linker refuses them; why.
pub fn executable(
    name: &str,
    sources: &[Source<'_>],
    manifest: &str,
    target: &'static Target,
) -> Result<Vec<u8>, String> {
    let options = Options { stack_size: STACK_SIZE, ..Options::default() };
    let object = kiln_compiler::link(sources)
        .map_err(|(_, error)| error)
        .and_then(|program| kiln_compiler::compile(&program, target, &options, &Silent))
        .map_err(|error| error.to_string())?;
    let input = Input {
        objects: &[(name, &object)],
        manifest,
        embedded: &[],
        stack_size: STACK_SIZE,
        identifier: name,
        resources: &[],
        library: None,
    };
    link::link(target, &input).map_err(|error| error.to_string())
}
