//! What `kiln --version` says: which build this is.

use std::sync::LazyLock;

use kiln_abi::symbol;
use kiln_targets::{Target, runtime};

/// Version, where and of what it was built, and what it links with.
pub(crate) static LONG: LazyLock<String> = LazyLock::new(|| {
    let version = env!("CARGO_PKG_VERSION");
    // Set by scripts/dist; a build from a source archive knows no commit.
    let commit = option_env!("KILN_COMMIT").unwrap_or("unknown");
    let host = Target::host().map_or("none of Kiln's targets", |target| target.name);
    let (contract, toolchain) = (symbol::ABI, runtime::TOOLCHAIN.trim());
    format!(
        "{version}\ncommit: {commit}\nhost: {host}\nruntime: contract {contract}, built with {toolchain}"
    )
});
