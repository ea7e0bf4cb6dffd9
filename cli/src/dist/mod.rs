//! `kiln dist`: a directory that holds everything of a release page.
//!
//! An archive for each target, their checksums, a manifest and a bill of materials. The directory
//! appears whole or not at all, and takes the place only of one that `kiln dist` made.

pub(crate) mod archive;
mod checksums;
mod include;
mod manifest;
mod release;
mod sbom;

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::options::Dist;
use crate::output::{self, Output};
use crate::product::Product;
use crate::progress::Display;
use crate::{embed, icon, pipeline, report};

pub(crate) use archive::{Entry, read as read_archive};
pub(crate) use checksums::sha256;
pub(crate) use manifest::{Archive, Icon, Manifest};
pub(crate) use release::{Release, Time};

/// Name of the manifest in the directory.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Name of the checksums in the directory.
pub(crate) const CHECKSUMS: &str = "SHA256SUMS";

/// Makes the release that `options` describe.
pub(crate) fn dist(options: &Dist) -> Result<(), Error> {
    let path = &options.input;
    let modules = pipeline::read(path, &options.libraries)?;
    let embedded = embed::section(&options.embeds, options.time)?;
    let icon = icon::read(options.icon.as_ref(), &options.products)?;
    let include = include::read(&options.include)?;
    for module in &modules {
        output::check(&module.path, &[options.output.join(MANIFEST)])?;
    }
    replaceable(&options.output)?;
    pipeline::set_threads(options.settings.jobs, &modules, &options.products)?;

    let display = Display::new(options.settings.quiet);
    let release = Release {
        path,
        name: &options.name,
        version: &options.version,
        metadata: &options.metadata,
        time: options.time,
        products: &options.products,
        settings: &options.settings,
        modules: &modules,
        embedded: &embedded,
        icon: icon.as_ref(),
        include: &include,
    };
    let files: Vec<Output> = release
        .files(&display)?
        .into_iter()
        .map(|(name, bytes)| Output { path: PathBuf::from(name), bytes, executable: false })
        .collect();
    output::write_directory(&options.output, &files)?;
    for (index, file) in files.iter().enumerate() {
        let product = options.products.get(index).map(Product::name);
        report::artifact(product, &options.output.join(&file.path), &file.bytes);
    }
    display.wrote(&format!("{} files to {}", files.len(), options.output.display()));
    Ok(())
}

/// Refuses to replace a directory with anything in it that `kiln dist` has not written there.
fn replaceable(directory: &Path) -> Result<(), Error> {
    let occupied = |reason| Err(Error::Occupied { path: directory.to_owned(), reason });
    let Ok(found) = directory.symlink_metadata() else { return Ok(()) };
    if !found.is_dir() {
        return occupied("something other than a directory has that name");
    }
    match checksums::listed(directory) {
        Ok(true) => Ok(()),
        Ok(false) => occupied("there is a directory with files that `kiln dist` did not make"),
        Err(source) => Err(Error::Read { path: directory.to_owned(), source }),
    }
}
