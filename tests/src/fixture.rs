//! Folders with files and links in them, and what became of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;

/// A folder for one run of a program: what is in it and what of it is granted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// As `--dir` takes them, relative to the folder.
    pub grants: Vec<String>,
    /// As `--embed` takes them, relative to the folder.
    #[serde(default)]
    pub embeds: Vec<String>,
    /// Granted directories that must be the same afterwards, as what is not granted must be.
    #[serde(default)]
    pub unchanged: Vec<String>,
    /// Folders that something else than the program changes meanwhile.
    #[serde(default)]
    pub moving: Vec<String>,
    /// Folders, with those above them.
    pub folders: Vec<String>,
    /// Files; each holds its own path.
    pub files: Vec<String>,
    /// Symbolic links: their texts, by their paths.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
}

impl Fixture {
    /// Makes everything below `world`.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn make(&self, world: &Path) -> io::Result<()> {
        for folder in &self.folders {
            fs::create_dir_all(world.join(folder))?;
        }
        for file in &self.files {
            fs::write(world.join(file), file)?;
        }
        for (path, text) in &self.links {
            symlink(text, &world.join(path))?;
        }
        Ok(())
    }

    /// The flags that grant and embed what the fixture says, once it is made in `world`.
    #[must_use]
    pub fn flags(&self, world: &Path) -> Vec<String> {
        let grants = self.grants.iter().flat_map(|grant| ["--dir".to_owned(), grant.clone()]);
        let embed = |embed: &String| ["--embed".to_owned(), format!("{}/{embed}", world.display())];
        grants.chain(self.embeds.iter().flat_map(embed)).collect()
    }

    /// Everything that no program may change.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn untouchable(&self, world: &Path) -> io::Result<Snapshot> {
        let hosts = self.grants.iter().filter_map(|grant| grant.split("::").next());
        let changeable = hosts.filter(|host| !self.unchanged.iter().any(|name| name == host));
        let changeable: Vec<&str> =
            changeable.chain(self.moving.iter().map(String::as_str)).collect();
        let mut entries = BTreeMap::new();
        for entry in walkdir::WalkDir::new(world).min_depth(1) {
            let entry = entry?;
            let path = entry.path().strip_prefix(world).expect("an entry lies in the folder");
            if changeable.iter().any(|folder| path.starts_with(folder)) {
                continue;
            }
            let metadata = entry.path().symlink_metadata()?;
            let holds = if metadata.is_symlink() {
                fs::read_link(entry.path())?.into_os_string().into_encoded_bytes()
            } else if metadata.is_file() {
                fs::read(entry.path())?
            } else {
                Vec::new()
            };
            let state = (metadata.modified()?, metadata.permissions().readonly(), holds);
            entries.insert(path.display().to_string(), state);
        }
        Ok(Snapshot { entries })
    }
}

/// What lay in a folder: for each path the time of its last change, whether it may be written, and
/// what it held.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    entries: BTreeMap<String, (SystemTime, bool, Vec<u8>)>,
}

impl Snapshot {
    /// The paths that are not the same later.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let mut paths: Vec<&String> = self.entries.keys().chain(later.entries.keys()).collect();
        paths.sort();
        paths.dedup();
        let differs = |path: &&String| self.entries.get(*path) != later.entries.get(*path);
        paths.into_iter().filter(differs).map(|path| format!("changed: {path}")).collect()
    }
}

#[cfg(unix)]
fn symlink(text: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(text, path)
}

#[cfg(not(unix))]
fn symlink(_: &str, _: &Path) -> io::Result<()> {
    Err(io::Error::other("a fixture with links needs a system that lets anyone make them"))
}
