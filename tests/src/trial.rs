//! Tests as libtest knows them, one for each target.

use kiln_targets::{Target, target};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::execute::readiness;

/// On which targets something is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// On all six.
    All,
    /// On linux/amd64 only, where execution is not emulated.
    Reference,
}

impl Targets {
    /// The targets themselves.
    #[must_use]
    pub fn list(self) -> &'static [&'static Target] {
        match self {
            Self::All => &target::ALL,
            Self::Reference => &[&target::LINUX_AMD64],
        }
    }
}

/// A test that executes something on a target: ignored where the target cannot be executed.
pub fn on_target(
    name: &str,
    target: &'static Target,
    run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(format!("{name}::{target}"), move || match readiness(target) {
        Ok(()) => run().map(|()| Completion::Completed),
        Err(reason) => Ok(Completion::ignored_with(format!("not executed: {reason}"))),
    })
}

/// Runs the tests and exits, as the `main` of a test does.
pub fn conclude(trials: Vec<Trial>) -> ! {
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}
