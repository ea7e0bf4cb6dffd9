//! The description of an executable.

use std::fmt::Write as _;

use kiln_targets::executable::{Executable, Signature};

use super::{block, width};
use crate::embed;
use crate::policy::Policy;

/// Target, capabilities, libraries, signature and sections of an executable of `size` bytes.
pub(super) fn describe(executable: &Executable, size: usize) -> String {
    let Executable { target, manifest, embedded, sections, libraries, signature, icon } =
        executable;
    let mut text = format!("executable: {size} bytes\n");
    let _ = writeln!(text, "target: {target} ({})", target.triple);
    block(&mut text, "capabilities", capabilities(manifest));
    block(&mut text, "embedded files", trees(embedded));
    block(&mut text, "dynamic libraries", libraries.iter().cloned());
    block(&mut text, "code signature", signature.iter().map(sign));
    if let Some(icon) = icon {
        let sizes = icon.sizes().map(|(width, height)| format!("{width}\u{d7}{height} pixels"));
        block(&mut text, "icon", sizes);
    }
    let width = width(sections.iter().map(|section| section.name.as_str()));
    let lines = sections.iter().map(|section| {
        let (name, address) = (&section.name, section.address);
        let (size, file_size) = (section.size, section.file_size);
        format!("{name:<width$}  {address:#014x}  {size:>10} bytes, {file_size:>10} in the file")
    });
    block(&mut text, "sections", lines);
    text
}

/// One line per grant; those of a later version are shown as they stand.
fn capabilities(manifest: &str) -> Vec<String> {
    let text = Policy::parse(manifest).map_or_else(|| manifest.to_owned(), |p| p.to_string());
    text.lines().map(str::to_owned).collect()
}

/// One line per embedded tree.
fn trees(section: &[u8]) -> Vec<String> {
    let trees = embed::trees(section).unwrap_or_default();
    trees.into_iter().map(|tree| tree.to_string()).collect()
}

fn sign(signature: &Signature) -> String {
    let Signature { identifier, ad_hoc, pages, intact } = signature;
    let kind = if *ad_hoc { "ad hoc" } else { "by a certificate" };
    let state = if *intact { "intact" } else { "BROKEN" };
    format!("{kind}, identifier {identifier}, {pages} pages, {state}")
}
