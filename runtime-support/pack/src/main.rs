//! Packs a runtime library: `kiln-runtime-pack LIBRARY PACKED`.
//!
//! Reads the static library that rustc made and writes it as the repository holds it: an `ar`
//! archive in the common format, without symbol index, compressed as a zlib stream. Its members
//! are, in this order,
//!
//! - `runtime.o`: the runtime and the parts of `core` that it uses,
//! - `builtins.o`: what LLVM expects of a compiler's own library,
//! - `import`, Windows only: one short-import member for each function of a DLL, in ascending order
//!   of its symbol. Source: PE Format, "Import Library Format".
//!
//! Requires a library built with fat link-time optimisation and one codegen unit. Guarantees that
//! the output depends on the members' contents alone, not on their names, dates or order.

mod archive;

use std::path::PathBuf;
use std::process::ExitCode;

/// Strongest level of deflate; the libraries are packed rarely.
const COMPRESSION_LEVEL: u8 = 10;

/// Why a library could not be packed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("usage: kiln-runtime-pack LIBRARY PACKED")]
    Usage,
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, std::io::Error),
    #[error("{0}: {1}")]
    Library(PathBuf, archive::Error),
}

fn main() -> ExitCode {
    match pack() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kiln-runtime-pack: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pack() -> Result<(), Error> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(input), Some(output), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err(Error::Usage);
    };
    let library = std::fs::read(&input).map_err(|error| Error::Read(input.clone(), error))?;
    let archive = archive::normalize(&library).map_err(|error| Error::Library(input, error))?;
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&archive, COMPRESSION_LEVEL);
    std::fs::write(&output, packed).map_err(|error| Error::Write(output, error))
}
