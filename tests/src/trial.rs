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
        Err(reason) => Ok(skipped(&reason)),
    })
}

/// A test that cannot be executed here, for that reason: it is ignored.
pub fn not_executed(name: impl Into<String>, reason: impl Into<String>) -> Trial {
    let reason = reason.into();
    Trial::ignorable_test(name, move || Ok(skipped(&reason)))
}

fn skipped(reason: &str) -> Completion {
    Completion::ignored_with(format!("not executed: {reason}"))
}

/// The same for a program that finds a kernel without `openat2`: an older one, or a filter of system
/// calls as containers have them. Only where tests need no emulator, whose own files would have to
/// be opened too.
#[cfg(target_os = "linux")]
pub fn without_openat2(
    name: &str,
    run: impl FnOnce(&'static Target) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let target = Target::host().expect("tests run on a target");
    Trial::test(format!("{name}::{target}-without-openat2"), move || {
        // The filter is the thread's own, and what it starts inherits it.
        let filtered = std::thread::spawn(move || {
            seccompiler::apply_filter(&openat2_is_unknown()?)
                .map_err(|error| format!("cannot filter system calls: {error}"))?;
            run(target)
        });
        filtered.join().map_err(|_| "the test panicked")?
    })
}

/// A filter that has the kernel say of `openat2` that it does not know it.
#[cfg(target_os = "linux")]
fn openat2_is_unknown() -> Result<seccompiler::BpfProgram, String> {
    use seccompiler::{SeccompAction, SeccompFilter};

    /// The same on every architecture.
    const OPENAT2: i64 = 437;
    const ENOSYS: u32 = 38;

    let rules = [(OPENAT2, vec![])].into();
    let unknown = SeccompAction::Errno(ENOSYS);
    std::env::consts::ARCH
        .try_into()
        .and_then(|arch| SeccompFilter::new(rules, SeccompAction::Allow, unknown, arch))
        .and_then(TryInto::try_into)
        .map_err(|error| format!("the filter is wrong: {error}"))
}

/// Runs the tests and exits, as the `main` of a test does.
pub fn conclude(trials: Vec<Trial>) -> ! {
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}
