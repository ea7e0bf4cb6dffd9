//! `environ_get`, `environ_sizes_get`: the variables that the policy sets or lets through.
//!
//! Variables come in the order of the policy's lines, host variables in the host's order. A
//! variable that the policy sets hides the host's.

use super::args::{List, Sizes};
use super::guest::functions;
use super::preopen::{grants, split};
use crate::sys::{Result, process};

functions! {
    /// Writes the variables as `NAME=VALUE`, each ended by a NUL, to `texts` and their addresses
    /// to `pointers`.
    fn environ_get(guest, pointers: u32, texts: u32) {
        let mut list = List { guest, pointers, texts };
        variables(&mut |variable| list.add(variable))
    }

    /// Writes the number of variables and the bytes that they take.
    fn environ_sizes_get(guest, count: u32, size: u32) {
        let mut sizes = Sizes::default();
        variables(&mut |variable| {
            sizes.add(variable);
            Ok(())
        })?;
        sizes.write(&guest, count, size)
    }
}

/// Calls `visit` with every variable of the program.
fn variables(visit: &mut dyn FnMut(&'static [u8]) -> Result<()>) -> Result<()> {
    for (kind, grant) in grants() {
        match kind {
            b"env" => visit(grant)?,
            b"inherit-env" => {
                for variable in (0..).map_while(process::environment) {
                    let variable = variable.to_bytes();
                    let (name, _) = split(variable, b'=').unwrap_or((variable, b""));
                    if (grant == b"*" || grant == name) && !is_set(name) {
                        visit(variable)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the policy itself sets a variable.
fn is_set(name: &[u8]) -> bool {
    grants().any(|(kind, grant)| {
        kind == b"env" && split(grant, b'=').is_some_and(|(set, _)| set == name)
    })
}
