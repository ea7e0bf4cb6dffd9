//! Everything that can be wrong with a module.

/// Why a module could not be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not begin like a wasm module. `found` says what they look like.
    #[error("not a WebAssembly module: {found}")]
    NotWasm {
        /// What the bytes are instead, such as "an ELF file" or "text".
        found: &'static str,
    },
    /// A component; Kiln compiles core modules.
    #[error("this is a component, not a core module")]
    Component,
    /// The module breaks a rule of the specification.
    #[error("invalid module{}: {message} (at offset {offset:#x})", in_function(.function))]
    Invalid {
        /// Which rule.
        message: String,
        /// Byte offset in the file.
        offset: usize,
        /// The function, when it is in one.
        function: Option<String>,
    },
    /// The module is valid but uses a proposal that is not supported.
    #[error("{proposal} is not supported yet{}: {message} (at offset {offset:#x})", in_function(.function))]
    Unsupported {
        /// The proposal's name.
        proposal: &'static str,
        /// What uses it.
        message: String,
        /// Byte offset in the file.
        offset: usize,
        /// The function, when it is in one.
        function: Option<String>,
    },
    /// Imports that nothing provides.
    #[error("the module imports what Kiln does not provide: {}", .0.join(", "))]
    UnknownImports(
        /// Each as `module.name (kind)`.
        Vec<String>,
    ),
    /// Imports that are provided with another type.
    #[error("imports and exports have different types: {}", .0.join(", "))]
    IncompatibleImports(
        /// Each as `module.name (kind, but kind is exported)`.
        Vec<String>,
    ),
    /// The module has nothing to run: neither `_start` nor a start function.
    #[error("the module exports no `_start` function and has no start function")]
    NoEntry,
    /// A library whose program starts threads.
    #[error("the module starts threads, which a library cannot do yet")]
    ThreadsInLibrary,
    /// A limit of this compiler.
    #[error("{what} exceeds what Kiln can compile: {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: String,
    },
    /// The code generator refused a function: a defect of Kiln.
    #[error("internal error while compiling function {function}: {message}")]
    Codegen {
        /// The function's name or index.
        function: String,
        /// What the code generator said.
        message: String,
    },
}

fn in_function(function: &Option<String>) -> String {
    function.as_ref().map_or_else(String::new, |name| format!(" in function {name}"))
}

impl Error {
    /// What the validator refused, as an error of this crate.
    pub(crate) fn from_validation(error: &wasmparser::Error, function: Option<String>) -> Self {
        let message = error.message().to_owned();
        let offset = error.offset() as usize;
        match error.missing_wasm_feature() {
            Some(feature) => {
                let proposal = crate::features::name_of(feature);
                Self::Unsupported { proposal, message, offset, function }
            }
            None => Self::Invalid { message, offset, function },
        }
    }
}
