//! A parsed module as plain data.

/// A module.
#[derive(Debug)]
pub struct Module<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// Imports in order.
    pub imports: Vec<Import<'a>>,
    /// Exports in order.
    pub exports: Vec<Export<'a>>,
    /// Proposals beyond the MVP that the module uses, in order of their names.
    pub proposals: Vec<&'static str>,
    /// Sections in order, custom sections included.
    pub sections: Vec<Section<'a>>,
}

impl Module<'_> {
    /// Number of functions with bodies.
    #[must_use]
    pub fn defined_functions(&self) -> usize {
        0
    }
}

/// A section of the file.
#[derive(Debug)]
pub struct Section<'a> {
    /// The name in the specification, such as `code`, or the custom section's own.
    pub name: &'a str,
    /// Whether it is a custom section.
    pub custom: bool,
    /// Bytes of its contents.
    pub size: usize,
}

/// An import.
#[derive(Debug)]
pub struct Import<'a> {
    /// Module name.
    pub module: &'a str,
    /// Item name.
    pub name: &'a str,
    /// Its kind and type as text, such as `func (i32, i32) -> i32` or `memory 17`.
    pub description: String,
}

/// An export.
#[derive(Debug)]
pub struct Export<'a> {
    /// Item name.
    pub name: &'a str,
    /// Its kind and type as text.
    pub description: String,
}
