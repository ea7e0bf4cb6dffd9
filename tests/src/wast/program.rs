//! A program of a script, and its way to an executable.

use std::collections::BTreeMap;

use kiln_abi::program::POLICY_HEADER;
use kiln_compiler::Source;
use kiln_targets::Target;

use super::driver::{self, Step};
use crate::execute::{Executed, Execution};
use crate::linked;

/// Instances and what is done with them.
#[derive(Debug, Default)]
pub struct Program {
    /// Name of the script.
    pub(super) script: String,
    /// In the order of the script.
    pub(super) instances: Vec<Instance>,
    pub(super) steps: Vec<Step>,
    /// Directives that make no step of their own.
    pub(super) registrations: usize,
}

/// A module and what provides its imports.
#[derive(Debug, Clone)]
pub struct Instance {
    pub(super) name: String,
    pub(super) wasm: Vec<u8>,
    /// For each module name that it imports from, the name of an instance.
    pub(super) providers: BTreeMap<String, String>,
}

impl Program {
    /// Number of the script's directives that the program executes.
    #[must_use]
    pub fn directives(&self) -> usize {
        self.steps.len() + self.registrations
    }

    /// Line of the program's first step.
    #[must_use]
    pub fn line(&self) -> usize {
        self.steps.first().map_or(0, |step| step.line)
    }

    /// Builds the program for a target and executes it.
    ///
    /// # Errors
    /// The compiler or the linker refuses it, or it could not be started.
    pub fn execute(&self, target: &'static Target) -> Result<Executed, String> {
        let executable = self.executable(target)?;
        let run = || {
            let scratch = crate::scratch()?;
            let path = scratch.path().join(format!("program{}", target.executable_suffix));
            crate::write_executable(&path, &executable)?;
            Execution::plain(target, &path, scratch.path()).run()
        };
        run().map_err(|error: std::io::Error| error.to_string())
    }

    /// The program's executable for a target.
    fn executable(&self, target: &'static Target) -> Result<Vec<u8>, String> {
        let driver = driver::module(&self.script, &self.steps);
        let all =
            self.instances.iter().map(|instance| (instance.name.clone(), instance.name.clone()));
        let driver = Instance { name: "driver".to_owned(), wasm: driver, providers: all.collect() };
        let instances: Vec<&Instance> = self.instances.iter().chain([&driver]).collect();
        let build = |sources: &[Source<'_>]| {
            Ok(linked::executable(&self.script, sources, POLICY_HEADER, target))
        };
        with_sources(&instances, build).map_err(|error| error.to_string())?
    }
}

/// Parses the modules of instances together and hands them to `then` as what is linked: the last
/// one comes about when the program starts, the others when code asks for them.
pub(super) fn with_sources<T>(
    instances: &[&Instance],
    then: impl FnOnce(&[Source<'_>]) -> Result<T, kiln_compiler::Error>,
) -> Result<T, kiln_compiler::Error> {
    let modules: Vec<&[u8]> = instances.iter().map(|instance| &*instance.wasm).collect();
    let modules = kiln_compiler::parse_all(&modules).map_err(|(_, error)| error)?;
    let position = |name: &str| instances.iter().position(|instance| instance.name == *name);
    let last = instances.len() - 1;
    let sources: Vec<Source<'_>> = (0..)
        .zip(instances.iter().zip(&modules))
        .map(|(index, (instance, module))| Source {
            name: &instance.name,
            module,
            providers: instance
                .providers
                .iter()
                .filter_map(|(from, name)| Some((from.as_str(), position(name)?)))
                .collect(),
            lazy: index != last,
        })
        .collect();
    then(&sources)
}
