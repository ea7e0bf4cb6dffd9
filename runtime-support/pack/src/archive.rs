//! From the archive that rustc writes to the one that the linker reads.
//!
//! Requires exactly one object of the runtime and one of `compiler_builtins`. Guarantees that
//! nothing is left out silently: a member of any other kind is an error. Left out on purpose are
//! the members that hold pieces of a Windows import directory, since the linker writes its own.

use object::read::archive::ArchiveFile;
use object::read::coff::ImportFile;
use object::{FileKind, Object as _, ObjectSection as _};

/// Part of the name of the member that holds `compiler_builtins`.
const BUILTINS: &str = "compiler_builtins";

/// Why an archive is not a runtime library.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Malformed(#[from] object::read::Error),
    #[error("member `{0}` is neither an object nor an import")]
    UnknownMember(String),
    #[error("`{0}` and another member both hold the {1}")]
    Duplicate(String, &'static str),
    #[error("no member holds the {0}")]
    Missing(&'static str),
    #[error("member `{0}` is too large for an archive")]
    TooLarge(&'static str),
}

/// Rewrites `library` as this program's documentation says.
pub(crate) fn normalize(library: &[u8]) -> Result<Vec<u8>, Error> {
    let archive = ArchiveFile::parse(library)?;
    let (mut runtime, mut builtins, mut imports) = (None, None, Vec::new());
    for member in archive.members() {
        let member = member?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let bytes = member.data(library)?;
        match FileKind::parse(bytes)? {
            FileKind::CoffImport => {
                imports.push((ImportFile::parse(bytes)?.symbol().to_vec(), bytes));
            }
            FileKind::Coff | FileKind::CoffBig | FileKind::Elf64 | FileKind::MachO64 => {
                if is_import_directory(bytes)? {
                    continue;
                }
                let (slot, what) = if name.contains(BUILTINS) {
                    (&mut builtins, "compiler's builtins")
                } else {
                    (&mut runtime, "runtime")
                };
                if slot.replace(bytes).is_some() {
                    return Err(Error::Duplicate(name, what));
                }
            }
            _ => return Err(Error::UnknownMember(name)),
        }
    }
    imports.sort();

    let mut output = b"!<arch>\n".to_vec();
    write_member(&mut output, "runtime.o", runtime.ok_or(Error::Missing("runtime"))?)?;
    let builtins = builtins.ok_or(Error::Missing("compiler's builtins"))?;
    write_member(&mut output, "builtins.o", builtins)?;
    for (_, import) in imports {
        write_member(&mut output, "import", import)?;
    }
    Ok(output)
}

/// Whether the object is a piece of an import directory: its contents lie in `.idata$` sections.
fn is_import_directory(bytes: &[u8]) -> Result<bool, Error> {
    let object = object::File::parse(bytes)?;
    Ok(object.sections().any(|section| section.name().is_ok_and(|n| n.starts_with(".idata$"))))
}

/// Appends a member in the System V format: a header of fixed width, the contents, a newline
/// after an odd number of bytes.
fn write_member(output: &mut Vec<u8>, name: &'static str, bytes: &[u8]) -> Result<(), Error> {
    let (date, owner, group, mode, size) = (0, 0, 0, 644, bytes.len());
    let header =
        format!("{:<16}{date:<12}{owner:<6}{group:<6}{mode:<8}{size:<10}`\n", format!("{name}/"));
    if header.len() != size_of::<object::archive::Header>() {
        return Err(Error::TooLarge(name));
    }
    output.extend_from_slice(header.as_bytes());
    output.extend_from_slice(bytes);
    if !bytes.len().is_multiple_of(2) {
        output.push(b'\n');
    }
    Ok(())
}
