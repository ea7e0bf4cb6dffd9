//! `kiln.toml`: what a project's command lines would repeat.
//!
//! The file lies beside the module, or where `--config` says. It holds what flags say; a flag
//! that is given replaces the key. Relative paths are relative to the file. Unknown keys are
//! errors.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kiln_targets::resources::{self, Resource, Version};
use serde::{Deserialize, Serialize};

use crate::args::{self, Memory};
use crate::error::Error;
use crate::{grants, input, policy_file};

/// The file's name beside a module.
pub(crate) const NAME: &str = "kiln.toml";

/// What people are told of the program, where a system shows it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Metadata {
    pub(crate) description: String,
    pub(crate) author: String,
    pub(crate) copyright: String,
}

impl Metadata {
    /// The resources of a program of that name and version.
    pub(crate) fn resources(&self, name: &str, version: &str) -> Vec<Resource> {
        let description = if self.description.is_empty() { name } else { &self.description };
        let Self { author, copyright, .. } = self;
        vec![
            resources::version(&Version { name, version, description, author, copyright }),
            resources::manifest(),
        ]
    }
}

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Where the file lies.
    #[serde(skip)]
    folder: PathBuf,
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) universal: bool,
    pub(crate) include: Vec<PathBuf>,
    /// As `--embed` takes them.
    pub(crate) embeds: Vec<String>,
    pub(crate) icon: Option<PathBuf>,
    pub(crate) stack_size: Option<String>,
    pub(crate) memory: Option<Memory>,
    pub(crate) metadata: Metadata,
    pub(crate) grants: grants::Table,
}

impl Config {
    /// The configuration for `module`: what `flags` name, or the file beside it if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or is not what it should be.
    pub(crate) fn load(module: &Path, flags: &args::Project) -> Result<Self, Error> {
        let mut config = Self::read(module, flags)?;
        if let Some(path) = &flags.policy {
            config.grants = policy_file::read(path)?;
        }
        Ok(config)
    }

    fn read(module: &Path, flags: &args::Project) -> Result<Self, Error> {
        if flags.no_config {
            return Ok(Self::default());
        }
        let path = flags.config.clone().unwrap_or_else(|| beside(module));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && flags.config.is_none() => {
                return Ok(Self::default());
            }
            Err(source) => return Err(Error::Read { path, source }),
        };
        match toml::from_str(&text) {
            Ok(config) => {
                let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                Ok(Self { folder, ..config })
            }
            Err(source) => Err(Error::Config { path, source: Box::new(source) }),
        }
    }

    /// Where `path`, a value in the file, leads.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

/// Where the configuration for `module` is looked for.
pub(crate) fn beside(module: &Path) -> PathBuf {
    match module.parent() {
        Some(folder) if !input::is_stdin(module) => folder.join(NAME),
        _ => PathBuf::from(NAME),
    }
}
