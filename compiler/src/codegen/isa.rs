//! The code generator's settings for a target.

use crate::error::Error;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use kiln_targets::Target;

/// Settings that are the same for every target; all others keep their defaults.
const SETTINGS: &[(&str, &str)] = &[
    ("opt_level", "speed"),
    // Large frames touch every page of theirs, so that none skips the guard region.
    ("enable_probestack", "true"),
    ("probestack_strategy", "inline"),
    // Backtraces walk frame pointers.
    ("preserve_frame_pointers", "true"),
    // Executables have no speculation boundary inside: the process is the sandbox.
    ("enable_heap_access_spectre_mitigation", "false"),
    ("enable_table_access_spectre_mitigation", "false"),
    ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
];

/// The instruction set that code for `target` is generated for; `threads` says that a register is
/// kept for the address of what the running thread has of its own.
pub(super) fn build(target: &Target, threads: bool) -> Result<OwnedTargetIsa, Error> {
    let internal = |message: String| Error::Codegen { function: target.name.into(), message };
    let mut flags = settings::builder();
    let pinned = ("enable_pinned_reg", if threads { "true" } else { "false" });
    for (name, value) in SETTINGS.iter().copied().chain([pinned]) {
        flags.set(name, value).map_err(|error| internal(format!("setting {name}: {error}")))?;
    }
    let mut isa =
        isa::lookup_by_name(target.triple).map_err(|error| internal(error.to_string()))?;
    for feature in target.cpu_features {
        isa.enable(feature).map_err(|error| internal(format!("feature {feature}: {error}")))?;
    }
    isa.finish(settings::Flags::new(flags)).map_err(|error| internal(error.to_string()))
}
