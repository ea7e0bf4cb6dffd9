//! The linker: objects in, executable bytes out.
//!
//! The passes, in order:
//!
//! 1. `own` makes the linker's own records: the capability manifest, and which parts of the
//!    runtime it asks for.
//! 2. `input` reads each object: its sections become atoms, its symbols and relocations refer
//!    to them.
//! 3. `resolve` gives every name one definition and pulls in the archive's members that define
//!    what is missing.
//! 4. `live` marks what the entry point reaches; the rest is not linked.
//! 5. `imports` makes the pointers and stubs by which code refers to dynamic libraries.
//! 6. `layout` gives every atom its address, with `thunks` where calls are too far.
//! 7. `image` copies the atoms and applies their fixups.
//! 8. The format (`elf`, `macho`, `pe`) puts headers and tables around that.

mod error;
mod imports;
mod input;
pub(crate) mod layout;
mod live;
mod own;
pub(crate) mod program;
mod resolve;
mod thunks;

pub use error::LinkError;

use crate::pe::resources::Resource;
use crate::{ObjectFormat, Target, elf, macho, pe, relocatable, runtime};
use program::{Program, SymbolId};

/// What is linked besides the target's runtime, which the linker adds itself.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Objects with the names that errors know them by.
    pub objects: &'a [(&'a str, &'a [u8])],
    /// The capability manifest.
    pub manifest: &'a str,
    /// The section of embedded files, as [`kiln_abi::embed`] describes it; empty without any.
    pub embedded: &'a [u8],
    /// Bytes of stack that the OS shall give the main thread where the image says so.
    pub stack_size: u64,
    /// Name of the executable in its code signature.
    pub identifier: &'a str,
    /// What Windows shows of the executable; other systems have no place for it.
    pub resources: &'a [Resource],
    /// What a library exports; none for an executable.
    pub library: Option<Library<'a>>,
}

/// What makes a library of a program.
#[derive(Debug, Clone, Copy)]
pub struct Library<'a> {
    /// The name by which programs that are linked with it look for it.
    pub file_name: &'a str,
    /// What it exports.
    pub exports: &'a [Export],
    /// Whether it is one that is loaded when programs run, or one that is linked into them.
    pub shared: bool,
}

/// An export of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What C programs call it.
    pub name: String,
    /// What the objects call it.
    pub symbol: String,
}

/// Links an executable for `target`.
///
/// # Errors
/// Undefined or duplicate symbols, an object that is malformed or for another target, an unknown
/// relocation, or a distance that no relocation or thunk can span.
pub fn link(target: &Target, input: &Input<'_>) -> Result<Vec<u8>, LinkError> {
    link_with_runtime(target, input, runtime::archive(target))
}

/// Links an executable for `target` with the library in `archive` instead of the target's
/// runtime.
///
/// # Errors
/// As [`link`], and if the archive is malformed.
pub fn link_with_runtime(
    target: &Target,
    input: &Input<'_>,
    archive: &[u8],
) -> Result<Vec<u8>, LinkError> {
    let names = own::Names::new(target, input);
    let mut program = Program::new(target);
    let mut roots = own::begin(&mut program, &names, input)?;
    roots.push(own::manifest(&mut program, &names, input.manifest)?);
    own::parts(&mut program, &names, input.manifest)?;
    roots.extend(own::embedded(&mut program, &names, input.embedded)?);
    for &(name, data) in input.objects {
        input::read(&mut program, name, data)?;
    }
    resolve::pull_members(&mut program, archive)?;
    resolve::bind_system_library(&mut program);
    resolve::allocate_commons(&mut program);
    live::mark(&mut program, &roots)?;
    imports::make(&mut program)?;
    let exports: Vec<(&str, SymbolId)> =
        names.exports.iter().map(|name| &*name.0).zip(roots.iter().copied()).collect();
    match (target.format, input.library) {
        (_, Some(Library { shared: false, .. })) => relocatable::write(&mut program, &exports),
        (ObjectFormat::Elf, Some(library)) => elf::shared::write(&mut program, &library, &exports),
        (ObjectFormat::Elf, None) => elf::write(&mut program, roots[0]),
        (ObjectFormat::MachO, _) => macho::write(&mut program, roots[0], &exports, input),
        (ObjectFormat::Coff, _) => pe::write(&mut program, roots[0], &exports, input),
    }
}
