//! The linker: objects in, executable bytes out.

use crate::Target;

/// What is linked besides the target's runtime, which the linker adds itself.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Objects with the names that errors know them by.
    pub objects: &'a [(&'a str, &'a [u8])],
    /// The capability manifest.
    pub manifest: &'a str,
    /// Bytes of stack that the OS shall give the main thread where the image says so.
    pub stack_size: u64,
    /// Name of the executable in its code signature.
    pub identifier: &'a str,
}

/// Why linking failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Symbols that are referred to but defined nowhere.
    #[error("undefined symbols: {}", .0.join(", "))]
    Undefined(
        /// Each as `symbol (referred to by object)`.
        Vec<String>,
    ),
}

/// Links an executable for `target`.
///
/// # Errors
/// Undefined or duplicate symbols, an object that is malformed or for another target, an unknown
/// relocation, or a distance that no relocation or thunk can span.
pub fn link(target: &Target, input: &Input<'_>) -> Result<Vec<u8>, LinkError> {
    let _ = (target, input);
    todo!()
}
