//! `kiln inspect`: what a module or an executable made by Kiln holds.
//!
//! Prints titled blocks of indented lines, the same for the same file on every host.

mod executable;
mod module;

use std::fmt::Write as _;

use kiln_targets::executable::Executable;

use crate::error::Error;
use crate::policy::Policy;
use crate::{args, input, policy_file, report};

/// Prints what the file holds.
pub(crate) fn inspect(typed: &args::Inspect) -> Result<(), Error> {
    let path = &typed.file;
    let bytes = input::read(path)?;
    let text = match Executable::parse(&bytes) {
        Ok(executable) if typed.policy => {
            let policy = Policy::parse(&executable.manifest);
            policy_file::write(&policy.ok_or_else(|| Error::NoPolicy(path.clone()))?)
        }
        _ if typed.policy => return Err(Error::NoPolicy(path.clone())),
        Ok(executable) => executable::describe(&executable, bytes.len()),
        Err(kiln_targets::executable::Error::UnknownFormat) => {
            let wasm = input::binary(path, bytes)?;
            let module = kiln_compiler::parse(&wasm)
                .map_err(|source| Error::Module { path: path.clone(), source })?;
            module::describe(&module)
        }
        Err(source) => return Err(Error::Executable { path: path.clone(), source }),
    };
    report::print(&text)
}

/// A block of lines under a title.
fn block(text: &mut String, title: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        let _ = writeln!(text, "{title}: none");
        return;
    }
    let _ = writeln!(text, "{title}:");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

/// The widest of `names`, in characters, to line up what stands behind them.
fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}
