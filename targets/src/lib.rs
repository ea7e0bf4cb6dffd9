//! What a target is, and the in-process linker.
//!
//! Objects and the prebuilt runtime of a target go in, the bytes of an executable come out. Knows
//! executables and object formats; knows nothing of wasm. Pure: no files, no processes, no clock.

pub mod fixup;
pub mod target;

pub use fixup::Fixup;
pub use target::{Arch, HostConvention, ObjectFormat, Os, Target};

pub mod link;

pub use link::{Input, LinkError, link};
