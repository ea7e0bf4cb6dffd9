//! The description of a module.

use kiln_compiler::Module;

use super::{block, width};

/// Imports, exports, proposals and sections of a module.
pub(super) fn describe(module: &Module<'_>) -> String {
    let mut text =
        format!("module: {} bytes, {} functions\n", module.bytes.len(), module.defined_functions());
    let imports: Vec<(String, &str)> = module
        .imports
        .iter()
        .map(|import| (format!("{}.{}", import.module, import.name), &*import.description))
        .collect();
    let exports: Vec<(String, &str)> = module
        .exports
        .iter()
        .map(|export| (export.name.to_owned(), &*export.description))
        .collect();
    block(&mut text, "imports", columns(&imports));
    block(&mut text, "exports", columns(&exports));
    block(&mut text, "proposals", module.proposals.iter().map(|name| (*name).to_owned()));
    block(&mut text, "sections", sections(module));
    text
}

fn columns(rows: &[(String, &str)]) -> Vec<String> {
    let width = width(rows.iter().map(|(name, _)| name.as_str()));
    rows.iter()
        .map(|(name, description)| format!("{:<width$}  {description}", name.escape_debug()))
        .collect()
}

fn sections(module: &Module<'_>) -> Vec<String> {
    let name = |section: &kiln_compiler::module::Section<'_>| match section.custom {
        true => format!("custom \"{}\"", section.name.escape_debug()),
        false => section.name.to_owned(),
    };
    let rows: Vec<(String, usize)> =
        module.sections.iter().map(|section| (name(section), section.size)).collect();
    let width = width(rows.iter().map(|(name, _)| name.as_str()));
    rows.into_iter().map(|(name, size)| format!("{name:<width$}  {size:>10} bytes")).collect()
}
