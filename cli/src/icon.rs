//! The icon that Windows shows of a program.

use std::fs;
use std::path::PathBuf;

use kiln_targets::resources::Icon;

use crate::error::Error;
use crate::product::Product;

/// Reads the `.ico` file at `path`, if one is named; none is kept for products that cannot hold it.
///
/// # Errors
/// It cannot be read, or is no icon.
pub(crate) fn read(path: Option<&PathBuf>, products: &[Product]) -> Result<Option<Icon>, Error> {
    let Some(path) = path else { return Ok(None) };
    let bytes = fs::read(path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let icon = Icon::parse(&bytes).map_err(|source| Error::Icon { path: path.clone(), source })?;
    Ok(products.iter().any(Product::has_resources).then_some(icon))
}
