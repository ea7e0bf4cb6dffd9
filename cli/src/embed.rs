//! Files in the executable: `--embed DIR::GUEST`, from directories to the section that holds them.
//!
//! The section's layout is that of [`kiln_abi::embed`]. The same files give the same section on
//! every host: names are sorted by their bytes, and of a file only its contents are kept. A
//! symbolic link stays one, with its text; it must lead to something in its own tree.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use kiln_abi::embed::{DIRECTORY, FILE, Header, LIMIT, LINK, MAGIC, Node};

use crate::dist::Time;
use crate::error::Error;
use crate::policy;

/// A directory to embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) directory: PathBuf,
    /// What the program knows it by.
    pub(crate) guest: String,
}

/// What is said of an embedded tree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Tree {
    pub(crate) guest: String,
    /// Number of files.
    pub(crate) files: u64,
    /// Bytes of all files.
    pub(crate) size: u64,
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { guest, files, size } = self;
        let plural = if *files == 1 { "" } else { "s" };
        write!(f, "{} with {files} file{plural}, {size} bytes", policy::escape(guest))
    }
}

/// Reads `DIR::GUEST`.
pub(crate) fn source(text: &str) -> Result<Source, &'static str> {
    match text.split("::").collect::<Vec<_>>()[..] {
        ["", _] | [_, ""] => Err("a directory needs a name"),
        [_] => Err("what the program shall know it by is missing, as in assets::/assets"),
        [_, guest] if guest.contains('\0') => Err("a name holds a NUL"),
        [directory, guest] => {
            Ok(Source { directory: PathBuf::from(directory), guest: guest.to_owned() })
        }
        _ => Err("more than one `::` divides the names"),
    }
}

/// The section with the files of `sources`, which all carry `time`; empty without any.
///
/// # Errors
/// A directory or file cannot be read, or something in it cannot be embedded.
pub(crate) fn section(sources: &[Source], time: Time) -> Result<Vec<u8>, Error> {
    if sources.is_empty() {
        return Ok(vec![]);
    }
    let mut builder = Builder::default();
    for (number, Source { directory, guest }) in sources.iter().enumerate() {
        let added = fs::canonicalize(directory).and_then(|root| match root.is_dir() {
            true => builder.add(root, guest.clone(), number, number),
            false => Err(io::ErrorKind::NotADirectory.into()),
        });
        added.map_err(|source| Error::Read { path: directory.clone(), source })?;
    }
    builder.walk()?;
    builder.write(sources.len(), time)
}

/// The trees in a section; `None` if it is none that this version makes.
pub(crate) fn trees(section: &[u8]) -> Option<Vec<Tree>> {
    let mut reader = Fields(section);
    let magic = reader.0.get(..8)? == MAGIC;
    reader.u64()?;
    let (size, _modified) = (reader.u64()?, reader.u64()?);
    let (roots, count) = (reader.u32()? as usize, reader.u32()?);
    if !magic || size != section.len() as u64 {
        return None;
    }
    let mut trees: Vec<Tree> = Vec::new();
    let mut tree_of: Vec<usize> = Vec::new();
    for number in 0..count as usize {
        let node = reader.node()?;
        if number < roots {
            let start = usize::try_from(node.name_start).ok()?;
            let name = section.get(start..start.checked_add(node.name_length as usize)?)?;
            let guest = std::str::from_utf8(name).ok()?.to_owned();
            trees.push(Tree { guest, files: 0, size: 0 });
            tree_of.push(number);
            continue;
        }
        let tree = *tree_of.get(node.parent as usize)?;
        tree_of.push(tree);
        if node.kind == FILE {
            trees[tree].files += 1;
            trees[tree].size = trees[tree].size.checked_add(node.length)?;
        }
    }
    Some(trees)
}

/// A section in the making: roots, then the items of each directory in turn.
#[derive(Debug, Default)]
struct Builder {
    items: Vec<Item>,
}

/// A node, and where what belongs to it comes from.
#[derive(Debug)]
struct Item {
    node: Node,
    name: String,
    path: PathBuf,
    /// The text of a link.
    text: String,
    /// Number of the root of its tree.
    root: usize,
}

impl Builder {
    fn add(&mut self, path: PathBuf, name: String, parent: usize, root: usize) -> io::Result<()> {
        let found = path.symlink_metadata()?.file_type();
        let (kind, text) = if found.is_dir() {
            (DIRECTORY, String::new())
        } else if found.is_file() {
            (FILE, String::new())
        } else if found.is_symlink() {
            (LINK, link(&path, &self.items[root].path)?)
        } else {
            return Err(io::Error::other("it is neither a file nor a directory nor a link"));
        };
        let node = Node {
            name_start: 0,
            start: 0,
            length: 0,
            name_length: name.len() as u32,
            kind,
            parent: parent as u32,
            reserved: 0,
        };
        self.items.push(Item { node, name, path, text, root });
        Ok(())
    }

    /// Adds what the roots hold, directory by directory, so that the items of each stand side by
    /// side.
    fn walk(&mut self) -> Result<(), Error> {
        let mut number = 0;
        while let Some(item) = self.items.get(number) {
            if item.node.kind == DIRECTORY {
                let (path, root) = (item.path.clone(), item.root);
                let entries = sorted(&path).map_err(|source| Error::Read { path, source })?;
                let (start, length) = (self.items.len() as u64, entries.len() as u64);
                let node = &mut self.items[number].node;
                (node.start, node.length) = (start, length);
                for (name, path) in entries {
                    self.add(path.clone(), name, number, root)
                        .map_err(|source| Error::Read { path, source })?;
                }
            }
            number += 1;
        }
        Ok(())
    }

    /// Writes the section, and reads the files for that.
    fn write(mut self, roots: usize, time: Time) -> Result<Vec<u8>, Error> {
        let front = size_of::<Header>() + self.items.len() * size_of::<Node>();
        let mut bytes = vec![0; front];
        for Item { node, name, .. } in &mut self.items {
            node.name_start = bytes.len() as u64;
            bytes.extend_from_slice(name.as_bytes());
        }
        for Item { node, path, text, .. } in &mut self.items {
            let start = bytes.len();
            match node.kind {
                FILE => append(&mut bytes, path)
                    .map_err(|source| Error::Read { path: path.clone(), source })?,
                LINK => bytes.extend_from_slice(text.as_bytes()),
                _ => continue,
            }
            node.start = start as u64;
            node.length = (bytes.len() - start) as u64;
        }
        let mut head = Vec::with_capacity(front);
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        head.extend_from_slice(&time.seconds().to_le_bytes());
        head.extend_from_slice(&(roots as u32).to_le_bytes());
        head.extend_from_slice(&(self.items.len() as u32).to_le_bytes());
        for Item { node, .. } in &self.items {
            for number in [node.name_start, node.start, node.length] {
                head.extend_from_slice(&number.to_le_bytes());
            }
            for number in [node.name_length, node.kind, node.parent, node.reserved] {
                head.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes[..front].copy_from_slice(&head);
        Ok(bytes)
    }
}

/// A directory's entries by the bytes of their names, the same on every host.
fn sorted(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let unnamed = || io::Error::other(format!("the name of {path:?} is not UTF-8"));
        entries.push((name.ok_or_else(unnamed)?, path));
    }
    entries.sort();
    Ok(entries)
}

/// The text of a link, with `/` between components.
fn link(path: &Path, root: &Path) -> io::Result<String> {
    let text = fs::read_link(path)?;
    let inside = fs::canonicalize(path).is_ok_and(|end| end.starts_with(root));
    if text.has_root() || text.is_absolute() || !inside {
        return Err(io::Error::other("the link leads out of the embedded directory, or nowhere"));
    }
    let text = text.to_str().ok_or_else(|| io::Error::other("the link's text is not UTF-8"))?;
    Ok(if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() })
}

/// Appends a file's bytes, as long as the section does not become too large.
fn append(bytes: &mut Vec<u8>, path: &Path) -> io::Result<()> {
    let room = LIMIT.saturating_sub(bytes.len() as u64);
    let read = File::open(path)?.take(room + 1).read_to_end(bytes)?;
    if read as u64 <= room {
        return Ok(());
    }
    Err(io::Error::other(format!("more than {} MiB would be embedded", LIMIT >> 20)))
}

/// Numbers of the section, one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn node(&mut self) -> Option<Node> {
        Some(Node {
            name_start: self.u64()?,
            start: self.u64()?,
            length: self.u64()?,
            name_length: self.u32()?,
            kind: self.u32()?,
            parent: self.u32()?,
            reserved: self.u32()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_embed_is_a_directory_and_a_name() {
        let parsed = source("a/b::/guest").unwrap();
        assert_eq!((parsed.directory, parsed.guest), ("a/b".into(), "/guest".to_owned()));
        for wrong in ["", "a", "::", "a::", "::b", "a::b::c", "a::b\0"] {
            assert!(source(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_section_tells_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        for (name, text) in [("one", "1"), ("a/two", "22"), ("a/b/three", "333")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let directory = folder.path().to_owned();
        let of = |path: &str, guest: &str| Source {
            directory: directory.join(path),
            guest: guest.to_owned(),
        };
        let sources = [of("", "/all"), of("a/b", "/b")];
        let bytes = section(&sources, Time::default()).unwrap();
        let tree = |guest: &str, files, size| Tree { guest: guest.to_owned(), files, size };
        assert_eq!(trees(&bytes), Some(vec![tree("/all", 3, 6), tree("/b", 1, 3)]));
        assert_eq!(section(&sources, Time::default()).unwrap(), bytes);
        for end in 0..bytes.len() {
            assert_eq!(trees(&bytes[..end]), None);
        }
    }
}
