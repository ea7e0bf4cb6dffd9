//! What a target is, and the in-process linker.
//!
//! Objects and the prebuilt runtime of a target go in, the bytes of an executable come out. Knows
//! executables and object formats; knows nothing of wasm. Pure: no files, no processes, no clock.

pub mod compact;
pub mod cpu;
pub mod executable;
pub mod fixup;
pub mod link;
pub mod relocation;
pub mod runtime;
pub mod target;

mod arch;
mod archive;
mod elf;
mod image;
mod macho;
mod pe;
mod relocatable;

pub use cpu::Cpu;
pub use fixup::Fixup;
pub use link::{Export, Input, Library, LinkError, link};
pub use macho::universal;
pub use pe::resources;
pub use relocation::relocation;
pub use target::{Arch, HostConvention, MemoryImage, ObjectFormat, Os, Target};
