//! From a record to the smallest policy with which the same requests would have been granted.
//!
//! A directory is the least that can be granted: a file needs the one that it lies in. What a
//! program only looked for and did not find needs no grant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::record::{Call, Name, Request, errno};
use crate::policy::{self, Directory};

/// The first descriptor of a granted directory.
const FIRST_DIRECTORY: u32 = 3;

/// What a program asked for, by the directories that it was given.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Directories that it needs: for each grant and path below it, whether it changes something.
    needed: BTreeMap<(usize, String), bool>,
    /// Paths that it named, and whether it changed what is there.
    pub(super) paths: BTreeMap<String, bool>,
    /// Paths that led out of where they began.
    pub(super) outside: BTreeSet<String>,
    /// It read its environment.
    pub(super) environment: bool,
    /// It waited for connections, whether it could or not.
    pub(super) accepts: bool,
}

/// Where an open directory lies: below which grant, and its path there.
type Place = (usize, String);

impl Requests {
    /// What the calls of a program that was given `directories` ask for.
    pub(super) fn new(calls: &[Call], directories: &[Directory]) -> Self {
        let mut requests = Self::default();
        let granted = (FIRST_DIRECTORY..).zip(0..directories.len());
        let mut open: BTreeMap<u32, Place> =
            granted.map(|(fd, grant)| (fd, (grant, String::new()))).collect();
        for Call { errno, request } in calls {
            let place = |name: &Name| {
                let (grant, base) = open.get(&name.fd)?;
                Some((*grant, join(base, &name.path)))
            };
            match request {
                Request::Open { name, write, opened } => {
                    let place = place(name);
                    if let Some(place) = &place {
                        requests.add(place, *write, false, *errno, directories);
                    }
                    if let (Some(fd), Some(place)) = (opened, place) {
                        open.insert(*fd, place);
                    }
                }
                Request::Look(names) => {
                    for place in names.iter().filter_map(place) {
                        requests.add(&place, false, false, *errno, directories);
                    }
                }
                Request::Change(names) => {
                    for place in names.iter().filter_map(place) {
                        requests.add(&place, true, true, *errno, directories);
                    }
                }
                Request::List(fd) => {
                    if let Some(place) = open.get(fd) {
                        requests.add(place, false, false, *errno, directories);
                    }
                }
                Request::Close(fd) => drop(open.remove(fd)),
                Request::Renumber(from, to) if *errno == errno::SUCCESS => {
                    let moved = open.remove(from);
                    open.remove(to);
                    open.extend(moved.map(|place| (*to, place)));
                }
                Request::Renumber(..) => {}
                Request::Environment => requests.environment = true,
                Request::Accept(_) => requests.accepts = true,
            }
        }
        requests
    }

    /// Adds a request for what lies at a place: `entry` if it concerns the name there, so that the
    /// directory around it is needed even where the name stands for a directory.
    fn add(
        &mut self,
        (grant, path): &Place,
        write: bool,
        entry: bool,
        errno: u32,
        directories: &[Directory],
    ) {
        let Some(base) = directories.get(*grant) else { return };
        let shown = join(if base.guest == "." { "" } else { &base.guest }, path);
        match errno {
            errno::PERM => {
                self.outside.insert(shown);
            }
            errno::SUCCESS
            | errno::EXIST
            | errno::ISDIR
            | errno::NOTDIR
            | errno::NOTEMPTY
            | errno::ROFS => {
                *self.paths.entry(shown).or_default() |= write;
                let directory = directory(Path::new(&base.host), path, entry);
                *self.needed.entry((*grant, directory)).or_default() |= write;
            }
            _ => {}
        }
    }

    /// The directories to grant. Those that the user granted himself (the first `own`) stay as
    /// they are as long as they are needed, but are made writable where that was needed.
    pub(super) fn directories(&self, directories: &[Directory], own: usize) -> Vec<Directory> {
        let mut granted = Vec::new();
        for (grant, base) in directories.iter().enumerate() {
            let needed: Vec<(&str, bool)> = self
                .needed
                .range((grant, String::new())..(grant + 1, String::new()))
                .map(|((_, path), write)| (path.as_str(), *write))
                .collect();
            if grant < own {
                if !needed.is_empty() {
                    let read_only = base.read_only && needed.iter().all(|(_, write)| !write);
                    granted.push(Directory { read_only, ..base.clone() });
                }
                continue;
            }
            for (path, write) in outermost(&needed) {
                let host = match (base.host.as_str(), path) {
                    (".", "") => ".".to_owned(),
                    (".", path) => path.to_owned(),
                    (base, path) => join(base, path),
                };
                // A relative name that begins as a known folder does is meant literally.
                let literal = policy::known_folder(&host).map(|_| format!("./{host}"));
                let guest = host.clone();
                granted.push(Directory { host: literal.unwrap_or(host), guest, read_only: !write });
            }
        }
        granted
    }
}

/// The directories that no other one among them stands for: it lies above and allows as much.
fn outermost<'a>(needed: &[(&'a str, bool)]) -> Vec<(&'a str, bool)> {
    let covers = |(above, allows): (&str, bool), (path, write): (&str, bool)| {
        above != path && is_below(path, above) && (allows || !write)
    };
    needed.iter().copied().filter(|&one| !needed.iter().any(|&other| covers(other, one))).collect()
}

fn is_below(path: &str, above: &str) -> bool {
    above.is_empty() || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// The directory to grant for a path below `base`. It lies as deep as possible, but where links
/// lead to is in it too, and its name can be written as a grant.
fn directory(base: &Path, path: &str, entry: bool) -> String {
    let mut directory = path.to_owned();
    if entry || !base.join(path).is_dir() {
        directory = parent(&directory);
    }
    let real = |path: &str| -> PathBuf {
        let path = base.join(path);
        path.canonicalize().unwrap_or(path)
    };
    let target = real(path);
    while !directory.is_empty() {
        let holds = entry || target.starts_with(real(&directory));
        if holds && !directory.contains("::") && !directory.ends_with([':', '\0']) {
            break;
        }
        directory = parent(&directory);
    }
    directory
}

fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned()
}

/// A path below another, without what means nothing in it: `.`, and `..` after a name.
fn join(base: &str, path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let root = if base.starts_with('/') { "/" } else { "" };
    for name in base.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            _ => names.push(name),
        }
    }
    format!("{root}{}", names.join("/"))
}

/// Names of variables that stand as words in texts.
pub(super) fn names_in<'a>(
    texts: &(impl Iterator<Item = &'a [u8]> + Clone),
    names: impl Iterator<Item = String>,
) -> Vec<String> {
    let is_part = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let stands_in = |name: &[u8], text: &[u8]| {
        let mut windows = text.windows(name.len()).enumerate();
        windows.any(|(at, window)| {
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            let after = text.get(at + name.len());
            window == name && !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
    };
    // A shell has variables of one sign, which no program means.
    let mut found: Vec<String> = names
        .filter(|name| name.len() > 1)
        .filter(|name| texts.clone().any(|text| stands_in(name.as_bytes(), text)))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::record::parse;

    fn bases() -> Vec<Directory> {
        let base = |name: &str| Directory {
            host: name.to_owned(),
            guest: name.to_owned(),
            read_only: false,
        };
        vec![base("."), base("/nowhere")]
    }

    fn granted(record: &str) -> Vec<String> {
        let requests = Requests::new(&parse(record.as_bytes()), &bases());
        let directories = requests.directories(&bases(), 0);
        let text = |Directory { host, read_only, .. }: &Directory| {
            format!("{host}{}", if *read_only { ":ro" } else { "" })
        };
        directories.iter().map(text).collect()
    }

    #[test]
    fn a_file_needs_the_directory_around_it() {
        assert_eq!(granted("path_open\t0\t3\tx/data.txt\tr\t5\n"), ["x:ro"]);
        assert_eq!(granted("path_open\t0\t3\tdata.txt\tw\t5\n"), ["."]);
        assert_eq!(granted("fd_readdir\t0\t3\n"), [".:ro"]);
        assert_eq!(granted("path_open\t0\t4\ta/b/c\tr\t5\n"), ["/nowhere/a/b:ro"]);
        assert_eq!(granted("path_open\t44\t3\tx/data.txt\tr\n"), [""; 0]);
        assert_eq!(granted("path_filestat_get\t0\t3\tx/./y/../z\n"), ["x:ro"]);
        assert_eq!(granted("path_rename\t0\t3\tx/a\t3\ty/b\n"), ["x", "y"]);
        assert_eq!(granted("path_create_directory\t20\t3\tx/y\n"), ["x"]);
        assert_eq!(granted("path_open\t0\t3\thome:x/a\tr\t5\n"), ["./home:x:ro"]);
        assert_eq!(granted("path_open\t0\t3\tx/a::b/c\tr\t5\n"), ["x:ro"]);
    }

    #[test]
    fn descriptors_are_followed() {
        let opened = "path_open\t0\t4\tx/y\tr\t6\n";
        assert_eq!(granted(&format!("{opened}path_open\t0\t6\tz/f\tw\t7\n")).len(), 2);
        let moved = "fd_renumber\t0\t6\t9\npath_unlink_file\t0\t9\tf\n";
        assert_eq!(granted(&format!("{opened}{moved}")), ["/nowhere/x:ro", "/nowhere/x/y"]);
        let closed = "fd_close\t0\t6\npath_unlink_file\t8\t6\tf\n";
        assert_eq!(granted(&format!("{opened}{closed}")), ["/nowhere/x:ro"]);
    }

    #[test]
    fn a_directory_covers_those_below_it_that_need_no_more() {
        let read = |path: &str| format!("path_open\t0\t3\t{path}\tr\t5\n");
        let write = |path: &str| format!("path_open\t0\t3\t{path}\tw\t5\n");
        assert_eq!(granted(&(read("x/a") + &read("x/y/b"))), ["x:ro"]);
        assert_eq!(granted(&(read("x/a") + &write("x/y/b"))), ["x:ro", "x/y"]);
        assert_eq!(granted(&(write("x/a") + &read("x/y/b"))), ["x"]);
        assert_eq!(granted(&(read("x/a") + &read("xy/b"))), ["x:ro", "xy:ro"]);
    }

    #[test]
    fn names_stand_as_words() {
        let names = ["HOME", "PATH", "LANG"].map(str::to_owned);
        let texts: [&[u8]; 2] = [b"open HOMEcalled MY_PATH", b"PATHS\0"];
        assert_eq!(names_in(&texts.into_iter(), names.into_iter()), ["HOME"]);
    }
}
