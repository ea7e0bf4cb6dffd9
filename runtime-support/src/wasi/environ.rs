//! `environ_get`, `environ_sizes_get`: the variables that the policy sets or lets through.
//!
//! Variables come in the order of the policy's lines, host variables in the host's order. A
//! variable that the policy sets hides the host's.

use super::args::{List, Sizes};
use super::guest::functions;
use super::policy::{grants, split, text};
use crate::scratch::Scratch;
use crate::sys::{Result, process};

/// Bytes of a variable that needs no memory of its own.
const SHORT: usize = 512;

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
fn variables(visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    for (kind, grant) in grants() {
        match kind {
            b"env" => {
                let mut variable = Scratch::<u8, SHORT>::new(grant.len())?;
                text(grant).for_each(|byte| variable.push(byte));
                visit(variable.values())?;
            }
            b"inherit-env" => {
                for variable in (0..).map_while(process::environment) {
                    let variable = variable.to_bytes();
                    let (name, _) = split(variable, b'=').unwrap_or((variable, b""));
                    if (grant == b"*" || is_name(grant, name)) && !is_set(name) {
                        visit(variable)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The value that the host has for the variable that a field names.
pub fn host_variable(name: &[u8]) -> Option<&'static [u8]> {
    (0..).map_while(process::environment).find_map(|variable| {
        let (other, value) = split(variable.to_bytes(), b'=')?;
        is_name(name, other).then_some(value)
    })
}

/// Whether the policy itself sets a variable.
fn is_set(name: &[u8]) -> bool {
    grants().any(|(kind, grant)| {
        kind == b"env" && split(grant, b'=').is_some_and(|(set, _)| is_name(set, name))
    })
}

/// Whether a field names a variable of the host.
fn is_name(field: &[u8], name: &[u8]) -> bool {
    if process::NAMES_IGNORE_CASE {
        let name = name.iter().map(u8::to_ascii_lowercase);
        return text(field).map(|byte| byte.to_ascii_lowercase()).eq(name);
    }
    text(field).eq(name.iter().copied())
}
