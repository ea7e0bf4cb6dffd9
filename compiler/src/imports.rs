//! What provides each import.
//!
//! Requires nothing. Guarantees that every import is a function of WASI preview 1 with the right
//! type; complains of all others at once.

use crate::error::Error;
use crate::module::{Index, Module};
use kiln_abi::wasi;
use wasmparser::ValType;

/// The position in [`wasi::FUNCTIONS`] of every imported function.
pub(crate) fn resolve(module: &Module<'_>) -> Result<Vec<u32>, Error> {
    let mut functions = Vec::new();
    let mut unknown = Vec::new();
    for import in &module.imports {
        let found = match import.index {
            Index::Function(index) => wasi_function(module, import.module, import.name, index),
            _ => None,
        };
        match found {
            Some(position) => functions.push(position),
            None => {
                unknown.push(format!("{}.{} ({})", import.module, import.name, import.description));
            }
        }
    }
    if unknown.is_empty() { Ok(functions) } else { Err(Error::UnknownImports(unknown)) }
}

/// The position of the WASI function of that name, if it is imported with the right type.
fn wasi_function(module: &Module<'_>, from: &str, name: &str, index: u32) -> Option<u32> {
    // `wasi_unstable` has the same names with other layouts.
    if from != wasi::MODULE {
        return None;
    }
    let position = wasi::FUNCTIONS.iter().position(|function| function.name == name)?;
    let function = &wasi::FUNCTIONS[position];
    let ty = &module.signature(index).ty;
    let parameters = function.parameters.iter().map(|parameter| match parameter {
        wasi::Type::I32 => ValType::I32,
        wasi::Type::I64 => ValType::I64,
    });
    let results: &[ValType] = if function.returns_errno { &[ValType::I32] } else { &[] };
    (parameters.eq(ty.params().iter().copied()) && ty.results() == results)
        .then_some(position as u32)
}
