//! The module `memory/image.wat` with its large data segment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::execute::Executed;
use libtest_mimic::Failed;
use wasm_encoder::{ConstExpr, DataSection, Encode as _, Section as _};

/// Where the segment lies.
const BEGIN: u32 = 0x10_0000;
/// Its bytes.
pub const LENGTH: u32 = 33_000_000;

/// Writes the module as a file in `folder`.
///
/// # Errors
/// The system refused it.
pub fn write(folder: &Path) -> io::Result<PathBuf> {
    let text = fs::read_to_string(crate::project().join("tests/memory/image.wat"))?;
    let buffer = wast::parser::ParseBuffer::new(&text).map_err(io::Error::other)?;
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).map_err(io::Error::other)?;
    let mut bytes = module.encode().map_err(io::Error::other)?;
    let words = (BEGIN..BEGIN + LENGTH).step_by(4);
    let mut section = DataSection::new();
    let contents: Vec<u8> =
        words.flat_map(|at| at.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect();
    section.active(0, &ConstExpr::i32_const(BEGIN as i32), contents);
    bytes.push(section.id());
    section.encode(&mut bytes);
    let path = folder.join("module.wasm");
    fs::write(&path, bytes)?;
    Ok(path)
}

/// Checks that the program found nothing wrong.
///
/// # Errors
/// It did: its exit code says what.
pub fn must_end(executed: &Executed) -> Result<(), Failed> {
    let said = String::from_utf8_lossy(&executed.stderr);
    if executed.code == 134 && said.contains("out of bounds memory access") {
        return Ok(());
    }
    Err(format!("exit code {}\n{said}", executed.code).into())
}
