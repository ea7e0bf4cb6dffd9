//! Policies as files: `--policy FILE` reads them; `kiln inspect --policy` and `kiln run --audit`
//! write them.
//!
//! A file is TOML: its version, and the table `[grants]` of `kiln.toml`.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::grants::{InheritEnv, Table};
use crate::policy::{self, Directory, Inherited, Layer, Listed, Policy};

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    grants: Table,
}

/// Reads a policy file.
///
/// # Errors
/// It cannot be read, is not what it should be, or has another version.
pub(crate) fn read(path: &Path) -> Result<Table, Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let wrong = |source| Error::Config { path: path.to_owned(), source: Box::new(source) };
    let file: File = toml::from_str(&text).map_err(wrong)?;
    if file.version == VERSION {
        return Ok(file.grants);
    }
    let reason = format!("version {} is not known; this Kiln knows {VERSION}", file.version);
    Err(wrong(serde::de::Error::custom(reason)))
}

/// The text of the file for a policy.
pub(crate) fn write(policy: &Policy) -> String {
    let file = File { version: VERSION, grants: Table::from(policy) };
    // Lists of texts and tables of texts can always be written.
    toml::to_string(&file).unwrap_or_default()
}

impl From<&Policy> for Table {
    fn from(policy: &Policy) -> Self {
        Self {
            dirs: policy.directories.iter().map(directory).collect(),
            dirs_from_env: policy.listed.iter().map(listed).collect(),
            listen: policy.listeners.iter().map(ToString::to_string).collect(),
            harden: policy.layers.iter().map(layer).collect(),
            env: policy.env.iter().cloned().collect(),
            inherit_env: match &policy.inherited {
                Inherited::None => InheritEnv::default(),
                Inherited::Names(names) => InheritEnv::Names(names.clone()),
                Inherited::All => InheritEnv::All(true),
            },
        }
    }
}

/// The inverse of the flag `--harden`.
fn layer(layer: &Layer) -> String {
    let need = if layer.is_required { "=required" } else { "" };
    format!("{}{need}", layer.name)
}

impl Table {
    /// The flags that say the same, with their values.
    pub(crate) fn flags(&self) -> Vec<(&'static str, String)> {
        let mut flags = Vec::new();
        for (flag, values) in [
            ("--dir", &self.dirs),
            ("--dir-from-env", &self.dirs_from_env),
            ("--listen", &self.listen),
            ("--harden", &self.harden),
        ] {
            flags.extend(values.iter().map(|value| (flag, value.clone())));
        }
        flags.extend(self.env.iter().map(|(name, value)| ("--env", format!("{name}={value}"))));
        let names = self.inherit_env.names();
        if !names.is_empty() {
            flags.push(("--inherit-env", names.join(",")));
        }
        flags
    }
}

/// A directory as `--dir` takes it.
fn directory(Directory { host, guest, read_only }: &Directory) -> String {
    // A folder by itself is written so that no colon follows its own.
    let (host, default) = match policy::known_folder(host) {
        Some((_, "")) => (format!("{host}."), "."),
        Some((_, below)) => (host.clone(), below),
        None => (host.clone(), host.as_str()),
    };
    let names = if guest == default { host } else { format!("{host}::{guest}") };
    with_access(names, *read_only)
}

/// A variable as `--dir-from-env` takes it.
fn listed(Listed { variable, guest, read_only }: &Listed) -> String {
    let names =
        guest.as_ref().map_or_else(|| variable.clone(), |guest| format!("{variable}::{guest}"));
    with_access(names, *read_only)
}

fn with_access(names: String, read_only: bool) -> String {
    match (read_only, names.ends_with(":ro") || names.ends_with(":rw")) {
        (true, _) => names + ":ro",
        (false, true) => names + ":rw",
        (false, false) => names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;
    use crate::grants;

    #[test]
    fn a_policy_is_read_as_it_was_written() {
        let directory = |host: &str, guest: &str, read_only| Directory {
            host: host.to_owned(),
            guest: guest.to_owned(),
            read_only,
        };
        let policy = Policy {
            directories: vec![
                directory(".", ".", false),
                directory("data \"x\"", "/data", true),
                directory("home:.", ".config", false),
                directory("cache:a/b", "a/b", true),
                directory("./exe:x", "literal:ro", false),
                directory("C:\\data", "C:\\data", true),
            ],
            listed: vec![Listed { variable: "DIRS".to_owned(), guest: None, read_only: true }],
            listeners: vec!["127.0.0.1:80".parse().unwrap()],
            env: vec![("A".to_owned(), "b=c\n\u{1}".to_owned()), ("B".to_owned(), String::new())],
            inherited: Inherited::Names(vec!["HOME".to_owned()]),
            record: None,
            layers: Vec::new(),
        };
        let text = write(&policy);
        let file: File = toml::from_str(&text).unwrap();
        let flags = args::Grants::default();
        assert_eq!(grants::policy(&flags, &file.grants).unwrap(), policy, "{text}");
        let empty: File = toml::from_str(&write(&Policy::default())).unwrap();
        assert_eq!(grants::policy(&flags, &empty.grants).unwrap(), Policy::default());
    }
}
