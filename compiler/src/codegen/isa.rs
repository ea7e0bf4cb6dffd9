//! The code generator's settings for a target.

use crate::error::Error;
use crate::plan::Plan;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable, SetResult};
use kiln_targets::Cpu;

/// Settings that are the same for every target; all others keep their defaults.
const SETTINGS: &[(&str, &str)] = &[
    // Large frames touch every page of theirs, so that none skips the guard region.
    ("enable_probestack", "true"),
    ("probestack_strategy", "inline"),
    // Backtraces walk frame pointers.
    ("preserve_frame_pointers", "true"),
    // Where blocks start must be known to move them.
    ("machine_code_cfg_info", "true"),
    // Executables have no speculation boundary inside: the process is the sandbox.
    ("enable_heap_access_spectre_mitigation", "false"),
    ("enable_table_access_spectre_mitigation", "false"),
    ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
];

/// The instruction set that code is generated for; where there are threads, a register is kept for
/// the address of what the running thread has of its own.
pub(super) fn build(plan: &Plan<'_>) -> Result<OwnedTargetIsa, Error> {
    let target = plan.target;
    let internal = |message: String| Error::Codegen { function: target.name.into(), message };
    let mut flags = settings::builder();
    let chosen = [
        ("enable_pinned_reg", if plan.threads.is_some() { "true" } else { "false" }),
        ("opt_level", if plan.optimize { "speed" } else { "none" }),
    ];
    for (name, value) in SETTINGS.iter().chain(&chosen) {
        flags.set(name, value).map_err(|error| internal(format!("setting {name}: {error}")))?;
    }
    let mut isa =
        isa::lookup_by_name(target.triple).map_err(|error| internal(error.to_string()))?;
    for feature in target.cpu_features.iter().copied().chain(plan.cpu.settings(target)) {
        isa.enable(feature).map_err(|error| internal(format!("feature {feature}: {error}")))?;
    }
    isa.finish(settings::Flags::new(flags)).map_err(|error| internal(error.to_string()))
}

/// What this machine's processor has.
pub(crate) fn native_cpu() -> Cpu {
    /// The settings that detection enables.
    #[derive(Default)]
    struct Enabled(Vec<String>);

    impl Configurable for Enabled {
        fn set(&mut self, _: &str, _: &str) -> SetResult<()> {
            Ok(())
        }

        fn enable(&mut self, name: &str) -> SetResult<()> {
            self.0.push(name.to_owned());
            Ok(())
        }
    }

    let mut enabled = Enabled::default();
    match cranelift_native::infer_native_flags(&mut enabled) {
        Ok(()) => Cpu::of_settings(enabled.0.iter().map(String::as_str)),
        // Another architecture than the targets'.
        Err(_) => Cpu::default(),
    }
}
