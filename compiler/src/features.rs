//! One row for each WebAssembly proposal: its name for users and whether Kiln compiles it.
//!
//! The validator is given exactly the supported rows, so that a module which uses another is
//! refused while it is read, at the operator that does.

use wasmparser::WasmFeatures;

/// A proposal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proposal {
    pub(crate) name: &'static str,
    pub(crate) feature: WasmFeatures,
    pub(crate) supported: bool,
}

const fn row(name: &'static str, feature: WasmFeatures, supported: bool) -> Proposal {
    Proposal { name, feature, supported }
}

/// Every proposal that the validator knows, in order of name.
pub(crate) const PROPOSALS: &[Proposal] = &[
    row("bulk-memory", WasmFeatures::BULK_MEMORY, true),
    row("custom-descriptors", WasmFeatures::CUSTOM_DESCRIPTORS, false),
    row("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES, false),
    row("exception-handling", WasmFeatures::EXCEPTIONS, true),
    row("extended-const", WasmFeatures::EXTENDED_CONST, true),
    row("function-references", WasmFeatures::FUNCTION_REFERENCES, true),
    row("gc", WasmFeatures::GC, false),
    row("legacy-exception-handling", WasmFeatures::LEGACY_EXCEPTIONS, true),
    row("memory-control", WasmFeatures::MEMORY_CONTROL, false),
    row("memory64", WasmFeatures::MEMORY64, true),
    row("multi-memory", WasmFeatures::MULTI_MEMORY, true),
    row("multi-value", WasmFeatures::MULTI_VALUE, true),
    row("mutable-global", WasmFeatures::MUTABLE_GLOBAL, true),
    row("reference-types", WasmFeatures::REFERENCE_TYPES, true),
    row("relaxed-simd", WasmFeatures::RELAXED_SIMD, true),
    row("saturating-float-to-int", WasmFeatures::SATURATING_FLOAT_TO_INT, true),
    row("shared-everything-threads", WasmFeatures::SHARED_EVERYTHING_THREADS, false),
    row("sign-extension", WasmFeatures::SIGN_EXTENSION, true),
    row("simd", WasmFeatures::SIMD, true),
    row("stack-switching", WasmFeatures::STACK_SWITCHING, false),
    row("tail-call", WasmFeatures::TAIL_CALL, true),
    row("threads", WasmFeatures::THREADS, true),
    row("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC, false),
];

/// What the validator may accept.
pub(crate) fn supported() -> WasmFeatures {
    PROPOSALS
        .iter()
        .filter(|proposal| proposal.supported)
        .fold(WasmFeatures::FLOATS | WasmFeatures::GC_TYPES, |all, row| all | row.feature)
}

/// The name of the proposal that a feature belongs to.
pub(crate) fn name_of(feature: WasmFeatures) -> &'static str {
    PROPOSALS
        .iter()
        .find(|proposal| proposal.feature.intersects(feature))
        .map_or("a proposal unknown to Kiln", |proposal| proposal.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_of_name() {
        assert!(PROPOSALS.is_sorted_by_key(|proposal| proposal.name));
    }
}
