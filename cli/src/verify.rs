//! `kiln verify`: makes a release again and compares it, byte for byte.
//!
//! All that it takes from the release is its manifest, the files that archives hold beside the
//! executable, and, unless they are given, the icon and the files embedded in it. What the manifest
//! says of capabilities is printed, since it is the release's own word.

use std::fs;
use std::path::Path;

use kiln_targets::executable::{self, Executable};
use kiln_targets::resources::Icon;

use crate::dist::{self, Manifest, Release};
use crate::error::Error;
use crate::options::{Settings, Verify};
use crate::policy::Policy;
use crate::product::Product;
use crate::progress::Display;
use crate::{embed, icon, pipeline, report};

/// Verifies that the release is what Kiln makes of the module.
///
/// # Errors
/// It is not: the first file that differs. Or it cannot be read, or another version made it.
pub(crate) fn verify(options: &Verify) -> Result<(), Error> {
    let directory = &options.directory;
    let manifest = manifest(directory)?;
    let differs = |what: String| Error::Differs { path: directory.clone(), what };
    let modules = pipeline::read(&options.input, &options.libraries)?;
    check_modules(&manifest, &modules).map_err(differs)?;
    let malformed = || differs("has a manifest that `kiln dist` would not write".to_owned());
    let settings = settings(&manifest, options).ok_or_else(malformed)?;
    let products = products(&manifest).ok_or_else(malformed)?;
    let time = dist::Time::new(manifest.source_date_epoch).ok_or_else(malformed)?;
    let first = manifest.archives.first().map(|first| unpack(directory, first)).transpose()?;
    let (executable, include) = first.unwrap_or_default();
    let embedded = match &options.embeds[..] {
        [] => embedded(&executable),
        embeds => embed::section(embeds, time)?,
    };
    if manifest.embedded.as_ref().map(|files| &*files.sha256) != hash(&embedded).as_deref() {
        return Err(differs("was made with other embedded files".to_owned()));
    }
    let icon = match &options.icon {
        None => icon(directory, &manifest, &products)?,
        given => icon::read(given.as_ref(), &products)?,
    };
    if manifest.icon != icon.as_ref().map(dist::Icon::new) {
        return Err(differs("was made with another icon".to_owned()));
    }
    pipeline::set_threads(settings.jobs, &modules, &products)?;
    let display = Display::new(settings.quiet);
    let release = Release {
        path: Path::new(&manifest.module.path),
        name: &manifest.name,
        version: &manifest.version,
        metadata: &manifest.metadata,
        time,
        products: &products,
        settings: &settings,
        modules: &modules,
        embedded: &embedded,
        icon: icon.as_ref(),
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
        jobs: options.jobs,
        quiet: options.quiet,
    })
}

fn products(manifest: &Manifest) -> Option<Vec<Product>> {
    manifest.archives.iter().map(|archive| Product::named(&archive.product)).collect()
}

/// Refuses other modules than those that the release was made of.
fn check_modules(manifest: &Manifest, modules: &[pipeline::File]) -> Result<(), String> {
    let links = manifest.links.iter().map(|link| (&*link.name, &*link.sha256));
    let mut made_of = links.chain([("", &*manifest.module.sha256)]);
    for module in modules {
        if made_of.next() != Some((&*module.name, &*dist::sha256(&module.bytes))) {
            return Err(format!("was made of another module than `{}`", module.path.display()));
        }
    }
    match made_of.next() {
        None => Ok(()),
        Some(_) => Err("was linked with more modules: give each with `--link`".to_owned()),
    }
}

/// The section of embedded files in an executable. If it is not the same in all, comparing the
/// archives will tell.
fn embedded(executable: &[u8]) -> Vec<u8> {
    let images = executable::images(executable).unwrap_or_default();
    let first = images.first().and_then(|image| Executable::parse(image).ok());
    first.map(|executable| executable.embedded).unwrap_or_default()
}

fn hash(section: &[u8]) -> Option<String> {
    (!section.is_empty()).then(|| dist::sha256(section))
}

/// The icon in the first executable that can hold one. If it is not the same in all, comparing the
/// archives will tell.
fn icon(
    directory: &Path,
    manifest: &Manifest,
    products: &[Product],
) -> Result<Option<Icon>, Error> {
    let mut archives = manifest.archives.iter().zip(products);
    let Some((archive, _)) = archives.find(|(_, product)| product.has_resources()) else {
        return Ok(None);
    };
    let (executable, _) = unpack(directory, archive)?;
    Ok(Executable::parse(&executable).ok().and_then(|executable| executable.icon))
}

/// The executable in an archive, and what lies beside it. If that is not the same in all, comparing
/// the archives will tell.
fn unpack(directory: &Path, archive: &dist::Archive) -> Result<(Vec<u8>, Vec<dist::Entry>), Error> {
    let path = directory.join(file_name(&archive.file.path));
    let bytes = read(&path)?;
    let mut entries = dist::read_archive(&archive.file.path, &bytes)
        .map_err(|source| Error::Read { path, source })?;
    let is_executable = |entry: &mut dist::Entry| entry.path == archive.executable.path;
    let executable = entries.extract_if(.., is_executable).next();
    Ok((executable.map(|entry| entry.bytes).unwrap_or_default(), entries))
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
    for tree in manifest.embedded.iter().flat_map(|files| &files.trees) {
        text += &format!("embedded: {tree}\n");
    }
    for capability in &manifest.capabilities {
        text += &format!("capability: {capability}\n");
    }
    text
}
