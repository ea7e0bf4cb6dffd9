//! `manifest.json`: what a release was made of, how, and what came out.
//!
//! Together with the module it is all that `kiln verify` needs to make the release again.

use kiln_targets::{Cpu, resources};
use serde::{Deserialize, Serialize};

use super::archive::Entry;
use super::checksums::sha256;
use super::release::Release;
use crate::args::Memory;
use crate::config::Metadata;
use crate::embed::{self, Tree};
use crate::pipeline;

/// Version of the manifest's own schema.
pub(crate) const SCHEMA: u32 = 1;

/// The whole manifest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Manifest {
    pub(crate) schema: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) metadata: Metadata,
    /// The version of Kiln that made the release.
    pub(crate) kiln: String,
    /// Seconds since 1970 that files in archives carry.
    pub(crate) source_date_epoch: u64,
    pub(crate) module: File,
    /// Modules that it is linked with, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
    /// Files in every executable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) embedded: Option<Embedded>,
    /// What Windows shows of every executable; only where there is one for Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) icon: Option<Icon>,
    /// In bytes.
    pub(crate) stack_size: u64,
    pub(crate) memory: Memory,
    /// Features of processors that code needs beyond each target's baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cpu: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unoptimized: bool,
    /// What every executable may touch, in words; nothing by default.
    pub(crate) capabilities: Vec<String>,
    /// The same as every executable carries it.
    pub(crate) policy: String,
    /// What lies in each archive beside the executable.
    pub(crate) include: Vec<File>,
    pub(crate) archives: Vec<Archive>,
    pub(crate) sbom: File,
}

/// A file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) path: String,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// A module that another one imports.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    /// The name that it is imported by.
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// The section of embedded files, which is the same in every executable.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Embedded {
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) trees: Vec<Tree>,
}

/// An icon, as an `.ico` file whose images follow each other without gaps.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Icon {
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// An archive and the executable in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Archive {
    /// `os-arch`, or the name of several targets in one file.
    pub(crate) product: String,
    /// Triples that the executable is for.
    pub(crate) triples: Vec<String>,
    #[serde(flatten)]
    pub(crate) file: File,
    pub(crate) executable: File,
}

impl File {
    pub(super) fn new(path: &str, bytes: &[u8]) -> Self {
        Self { path: path.to_owned(), size: bytes.len() as u64, sha256: sha256(bytes) }
    }
}

impl Link {
    fn new(file: &pipeline::File) -> Self {
        let (name, size) = (file.name.clone(), file.bytes.len() as u64);
        Self { name, size, sha256: sha256(&file.bytes) }
    }
}

impl Embedded {
    fn new(section: &[u8]) -> Option<Self> {
        let trees = embed::trees(section)?;
        Some(Self { size: section.len() as u64, sha256: sha256(section), trees })
    }
}

impl Icon {
    pub(crate) fn new(icon: &resources::Icon) -> Self {
        let file = icon.to_file();
        Self { size: file.len() as u64, sha256: sha256(&file) }
    }
}

impl Manifest {
    /// The manifest of `release`.
    pub(super) fn new(release: &Release<'_>, archives: Vec<Archive>, sbom: File) -> Self {
        let settings = release.settings;
        let module = release.path.file_name().unwrap_or(release.path.as_os_str());
        let include = |entry: &Entry| File::new(&entry.path, &entry.bytes);
        Self {
            schema: SCHEMA,
            name: release.name.to_owned(),
            version: release.version.to_owned(),
            metadata: release.metadata.clone(),
            kiln: env!("CARGO_PKG_VERSION").to_owned(),
            source_date_epoch: release.time.seconds(),
            module: File::new(&module.to_string_lossy(), &release.module().bytes),
            links: release.libraries().iter().map(Link::new).collect(),
            embedded: Embedded::new(release.embedded),
            icon: release.icon.map(Icon::new),
            stack_size: settings.compile.stack_size,
            memory: if settings.compile.checked_memory { Memory::Checked } else { Memory::Guarded },
            cpu: settings.compile.cpu.names().map(str::to_owned).collect(),
            unoptimized: !settings.compile.optimize,
            capabilities: settings.policy.to_string().lines().map(str::to_owned).collect(),
            policy: settings.policy.manifest(),
            include: release.include.iter().map(include).collect(),
            archives,
            sbom,
        }
    }

    /// How the executables were compiled.
    pub(crate) fn compile_options(&self) -> kiln_compiler::Options {
        kiln_compiler::Options {
            stack_size: self.stack_size,
            checked_memory: self.memory == Memory::Checked,
            cpu: Cpu::of_names(self.cpu.iter().map(String::as_str)),
            optimize: !self.unoptimized,
        }
    }

    /// The manifest as the file holds it.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("the manifest has only string keys");
        text.push(b'\n');
        text
    }
}
