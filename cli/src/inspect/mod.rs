//! `kiln inspect`: what a module or an executable made by Kiln holds.
//!
//! Prints titled blocks of indented lines, the same for the same file on every host; for a
//! universal executable those of each image.

mod executable;
mod module;

use std::fmt::Write as _;

use kiln_targets::executable::{Error as ExecutableError, Executable, images};

use crate::error::Error;
use crate::policy::Policy;
use crate::{args, input, policy_file, report};

/// Prints what the file holds.
pub(crate) fn inspect(typed: &args::Inspect) -> Result<(), Error> {
    let path = &typed.file;
    let bytes = input::read(path)?;
    let malformed = |source| Error::Executable { path: path.clone(), source };
    if typed.policy {
        let policy = images(&bytes).map_err(malformed)?.first().and_then(|image| policy(image));
        return report::print(&policy_file::write(&policy.ok_or(Error::NoPolicy(path.clone()))?));
    }
    let mut text = String::new();
    for image in images(&bytes).map_err(malformed)? {
        text += &match Executable::parse(image) {
            Ok(executable) => executable::describe(&executable, image.len()),
            Err(ExecutableError::UnknownFormat) => {
                let wasm = input::binary(path, image)?;
                let module = kiln_compiler::parse(&wasm)
                    .map_err(|source| Error::Module { path: path.clone(), source })?;
                module::describe(&module)
            }
            Err(source) => return Err(malformed(source)),
        };
    }
    report::print(&text)
}

/// The policy in an executable; all images of a universal one have the same.
fn policy(image: &[u8]) -> Option<Policy> {
    Policy::parse(&Executable::parse(image).ok()?.manifest)
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
