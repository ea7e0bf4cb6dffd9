//! `kiln verify`: makes a release again and compares it, byte for byte.
//!
//! All that it takes from the release is its manifest, and the files that archives hold beside
//! the executable. What the manifest says of capabilities is printed, since it is the release's
//! own word.

use std::fs;
use std::path::Path;

use crate::dist::{self, Manifest, Release};
use crate::error::Error;
use crate::options::{Settings, Verify};
use crate::policy::Policy;
use crate::product::Product;
use crate::progress::Display;
use crate::{input, pipeline, report};

/// Verifies that the release is what Kiln makes of the module.
///
/// # Errors
/// It is not: the first file that differs. Or it cannot be read, or another version made it.
pub(crate) fn verify(options: &Verify) -> Result<(), Error> {
    let directory = &options.directory;
    let manifest = manifest(directory)?;
    let module = input::read(&options.input)?;
    let differs = |what: String| Error::Differs { path: directory.clone(), what };
    if manifest.module.sha256 != dist::sha256(&module) {
        let what = format!("was made of another module than `{}`", options.input.display());
        return Err(differs(what));
    }
    let malformed = || differs("has a manifest that `kiln dist` would not write".to_owned());
    let settings = settings(&manifest, options).ok_or_else(malformed)?;
    let products = products(&manifest).ok_or_else(malformed)?;
    let time = dist::Time::new(manifest.source_date_epoch).ok_or_else(malformed)?;
    let include = include(directory, &manifest)?;
    pipeline::set_threads(settings.jobs)?;
    let display = Display::new(settings.quiet);
    let release = Release {
        path: Path::new(&manifest.module.path),
        name: &manifest.name,
        version: &manifest.version,
        metadata: &manifest.metadata,
        time,
        products: &products,
        settings: &settings,
        module: &module,
        include: &include,
    };
    let files = release.files(&display)?;
    compare(directory, &files)?;
    report::print(&summary(&manifest, files.len()))
}

fn manifest(directory: &Path) -> Result<Manifest, Error> {
    let path = directory.join(dist::MANIFEST);
    let bytes = read(&path)?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|source| Error::Manifest { path, source })?;
    let own = env!("CARGO_PKG_VERSION");
    if manifest.kiln == own {
        return Ok(manifest);
    }
    let what = format!("was made by Kiln {}; this is Kiln {own}", manifest.kiln);
    Err(Error::Differs { path: directory.to_owned(), what })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

fn settings(manifest: &Manifest, options: &Verify) -> Option<Settings> {
    Some(Settings {
        compile: manifest.compile_options(),
        policy: Policy::parse(&manifest.policy)?,
        resources: manifest.metadata.resources(&manifest.name, &manifest.version),
        jobs: options.jobs,
        quiet: options.quiet,
    })
}

fn products(manifest: &Manifest) -> Option<Vec<Product>> {
    manifest.archives.iter().map(|archive| Product::named(&archive.product)).collect()
}

/// What lies beside the executable in the first archive. If it is not the same in all, comparing
/// the archives will tell.
fn include(directory: &Path, manifest: &Manifest) -> Result<Vec<dist::Entry>, Error> {
    let Some(archive) = manifest.archives.first() else { return Ok(vec![]) };
    let path = directory.join(file_name(&archive.file.path));
    let bytes = read(&path)?;
    let mut entries = dist::read_archive(&archive.file.path, &bytes)
        .map_err(|source| Error::Read { path, source })?;
    entries.retain(|entry| entry.path != archive.executable.path);
    Ok(entries)
}

/// A manifest may name anything; only files of the directory are read.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn compare(directory: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
    let differs = |what: String| Err(Error::Differs { path: directory.to_owned(), what });
    for (name, expected) in files {
        if read(&directory.join(name))? != *expected {
            return differs(format!("has another `{name}` than Kiln makes of the module"));
        }
    }
    let entries = fs::read_dir(directory)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| Error::Read { path: directory.to_owned(), source })?;
    for entry in entries {
        let found = entry.file_name();
        if !files.iter().any(|(name, _)| found == name.as_str()) {
            return differs(format!("holds `{}`, which is no part of it", found.display()));
        }
    }
    Ok(())
}

fn summary(manifest: &Manifest, files: usize) -> String {
    let Manifest { name, version, module, .. } = manifest;
    let mut text = format!(
        "{name} {version}: all {files} files are what Kiln {} makes of the module with sha256 {}\n",
        manifest.kiln, module.sha256
    );
    for capability in &manifest.capabilities {
        text += &format!("capability: {capability}\n");
    }
    text
}
