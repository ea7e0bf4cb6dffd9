//! The description of a module.

use std::fmt::Write as _;

use kiln_compiler::Module;
use kiln_compiler::module::Section;

use super::{block, width};

/// Imports, exports, proposals and sections of a module.
pub(super) fn describe(module: &Module<'_>) -> String {
    let mut text = format!("module: {} bytes\n", module.bytes.len());
    let _ = writeln!(text, "functions with a body: {}", module.defined_functions());
    let imports = module.imports.iter().map(|import| {
        (escape(&format!("{}.{}", import.module, import.name)), import.description.clone())
    });
    let exports =
        module.exports.iter().map(|export| (escape(export.name), export.description.clone()));
    let sections = module
        .sections
        .iter()
        .map(|section| (section_name(section), format!("{:>10} bytes", section.size)));
    let proposals = module.proposals.iter().map(|name| (*name).to_owned());
    block(&mut text, "imports", columns(imports));
    block(&mut text, "exports", columns(exports));
    block(&mut text, "proposals", proposals);
    block(&mut text, "sections", columns(sections));
    text
}

/// Lines of a name and what is to be said of it, lined up.
fn columns(rows: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let rows: Vec<_> = rows.collect();
    let width = width(rows.iter().map(|(name, _)| name.as_str()));
    rows.iter().map(|(name, description)| format!("{name:<width$}  {description}")).collect()
}

fn section_name(section: &Section<'_>) -> String {
    if section.custom {
        format!("custom \"{}\"", escape(section.name))
    } else {
        section.name.to_owned()
    }
}

/// Names are any text; what would break the layout is escaped.
fn escape(name: &str) -> String {
    name.escape_debug().to_string()
}
