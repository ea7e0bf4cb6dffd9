//! Scripts of the specification's test suite (`.wast`) as programs.
//!
//! The modules of a script become instances of one program, linked with each other and with
//! `spectest`, as users link modules; one more module, the [`driver`], takes the script's steps in
//! their order. Where no later directive has to do with an instance before, a new program begins,
//! so that programs stay small.
//!
//! Modules that must be refused are compiled right away: by [`Script::refusals`].
//!
//! Source: the reference interpreter's README, "Scripts".

mod driver;
mod legacy;
mod module;
mod pattern;
mod program;
mod reader;

pub use program::{Instance, Program};
pub use reader::read;

use kiln_compiler::Error;

/// Module name of the host's functions that make instances.
const INSTANTIATE: &str = "kiln:instantiate";

/// What a script asks for.
#[derive(Debug, Default)]
pub struct Script {
    /// In the order of the script.
    pub programs: Vec<Program>,
    /// Modules that must be refused.
    pub refusals: Vec<Refusal>,
    /// Directives that concern what Kiln does not support.
    pub left_out: Vec<LeftOut>,
}

impl Script {
    /// Number of directives.
    #[must_use]
    pub fn directives(&self) -> usize {
        let executed: usize = self.programs.iter().map(Program::directives).sum();
        executed + self.refusals.len() + self.left_out.len()
    }
}

/// A module that must be refused.
#[derive(Debug)]
pub struct Refusal {
    /// Line of the assertion.
    pub line: usize,
    /// What the compiler said; `None` if it said nothing, or only that it is not supported.
    pub error: Option<String>,
}

/// A directive that concerns what Kiln does not support.
#[derive(Debug)]
pub struct LeftOut {
    /// Its line.
    pub line: usize,
    /// The proposal.
    pub proposal: String,
}

/// The proposal that is lacking, if it is just that.
fn lacking(error: &Error) -> Option<&'static str> {
    match error {
        Error::Unsupported { proposal, .. } => Some(proposal),
        _ => None,
    }
}
