//! Walks over a real folder, with links that lead everywhere.

use super::*;
use crate::sys::types::FileType;
use kiln_abi::program::Memory;
use std::ffi::CString;
use std::fs as host;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// The host's folder at a path.
fn open_folder(path: &CStr) -> Handle {
    Handle::Host(crate::sys::fs::open_preopen(path).unwrap())
}

/// A folder of this test alone, removed at its end: `in/` is what a program sees.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kiln-{name}-{}", std::process::id()));
        let _ = host::remove_dir_all(&path);
        host::create_dir_all(path.join("in/a/b")).unwrap();
        host::create_dir(path.join("out")).unwrap();
        for file in ["secret", "out/secret", "in/file", "in/a/file", "in/a/b/file"] {
            host::write(path.join(file), file).unwrap();
        }
        for (text, link) in [
            ("file", "to-file"),
            ("a", "to-dir"),
            ("a/", "to-dir-slash"),
            ("to-dir/b", "to-deep"),
            ("../file", "a/up"),
            ("../../in/file", "a/around"),
            ("..", "out-dir"),
            ("../secret", "out-file"),
            ("a/../../secret", "out-by-way"),
            ("/etc/passwd", "absolute"),
            ("out-dir", "out-chain"),
            ("../out", "a/b/out-too-low"),
            ("../../../out/secret", "a/b/out-deep"),
            ("self", "self"),
            ("ping", "pong"),
            ("pong", "ping"),
            ("nowhere", "dangling"),
        ] {
            symlink(text, path.join("in").join(link)).unwrap();
        }
        Self(path)
    }

    /// What a path leads to from `in/`, links at its end followed or not.
    fn look(&self, path: &str, follow: bool) -> Result<(FileType, u64)> {
        let inside = CString::new(self.0.join("in").to_str().unwrap()).unwrap();
        let base = open_folder(&inside);
        let mut bytes = path.as_bytes().to_vec();
        let memory = Memory {
            base: bytes.as_mut_ptr(),
            length: bytes.len() as u64,
            limit: 0,
            reservation: 0,
            runs: core::ptr::null(),
            run_count: 0,
            flags: 0,
            page_log2: 16,
        };
        // SAFETY: the bytes stay where they are until the walk is over.
        let guest = unsafe { Guest::new(&raw const memory) };
        let mut walk = Walk::from(&base);
        walk.begin(&guest, 0, path.len() as u32)?;
        walk.run(follow, |walk| {
            let stat = fs::stat_at(walk.parent(), walk.name())?;
            match stat.file_type {
                FileType::SymbolicLink if follow => Err(Errno::LOOP),
                kind => Ok((kind, stat.inode)),
            }
        })
    }

    fn inode(&self, path: &str) -> u64 {
        use std::os::unix::fs::MetadataExt;
        host::symlink_metadata(self.0.join(path)).unwrap().ino()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = host::remove_dir_all(&self.0);
    }
}

#[test]
fn paths_inside_lead_where_the_host_says() {
    let folder = Folder::new("inside");
    for (path, place) in [
        ("file", "in/file"),
        ("./file", "in/file"),
        ("a/b/file", "in/a/b/file"),
        ("a//b///file", "in/a/b/file"),
        ("a/./b/.", "in/a/b"),
        ("a/b/..", "in/a"),
        ("a/..", "in"),
        (".", "in"),
        ("a/../a/b/../file", "in/a/file"),
        ("to-file", "in/file"),
        ("to-dir/file", "in/a/file"),
        ("to-dir/../file", "in/file"),
        ("to-dir-slash", "in/a"),
        ("to-dir-slash/b", "in/a/b"),
        ("to-deep/file", "in/a/b/file"),
        ("to-deep/../file", "in/a/file"),
        ("a/up", "in/file"),
    ] {
        let found = folder.look(path, true).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        assert_eq!(found.1, folder.inode(place), "{path}");
    }
}

#[test]
fn a_link_at_the_end_is_followed_only_if_asked_for() {
    let folder = Folder::new("links");
    for (path, link) in [("to-file", "in/to-file"), ("to-dir/up", "in/a/up")] {
        let found = folder.look(path, false);
        assert_eq!(found, Ok((FileType::SymbolicLink, folder.inode(link))), "{path}");
    }
    assert_eq!(folder.look("dangling", true), Err(Errno::NOENT));
    assert_eq!(folder.look("dangling", false).map(|found| found.0), Ok(FileType::SymbolicLink));
}

#[test]
fn nothing_leads_out() {
    let folder = Folder::new("outside");
    for path in [
        "..",
        "../secret",
        "../in/file",
        "a/../..",
        "a/../../secret",
        "a/b/../../../out/secret",
        "/etc/passwd",
        "/",
        "//etc/passwd",
        "out-dir",
        "out-dir/secret",
        "out-dir/in/file",
        "out-file",
        "out-by-way",
        "out-chain",
        "out-chain/secret",
        "absolute",
        "a/around",
        "a/b/out-deep",
        "to-deep/out-deep",
        "to-dir/../../secret",
    ] {
        assert_eq!(folder.look(path, true), Err(Errno::PERM), "{path}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    let folder = Folder::new("refused");
    for (path, error) in [
        ("", Errno::NOENT),
        ("nowhere/file", Errno::NOENT),
        ("file/x", Errno::NOTDIR),
        ("file/.", Errno::NOTDIR),
        ("file/..", Errno::NOTDIR),
        ("self", Errno::LOOP),
        ("ping/x", Errno::LOOP),
        ("a\0b", Errno::INVAL),
        (&"x".repeat(5000), Errno::NAMETOOLONG),
        (&"x".repeat(300), Errno::NAMETOOLONG),
    ] {
        assert_eq!(folder.look(path, true), Err(error), "{path}");
    }
}

#[test]
fn a_slash_at_the_end_asks_for_a_directory_and_follows_links() {
    let folder = Folder::new("slashes");
    assert_eq!(folder.look("a/", false), Ok((FileType::Directory, folder.inode("in/a"))));
    let base = open_folder(&CString::new(folder.0.join("in").to_str().unwrap()).unwrap());
    let mut path = *b"to-dir//";
    let memory = Memory {
        base: path.as_mut_ptr(),
        length: 8,
        limit: 0,
        reservation: 0,
        runs: core::ptr::null(),
        run_count: 0,
        flags: 0,
        page_log2: 16,
    };
    // SAFETY: the bytes stay where they are until the walk is over.
    let guest = unsafe { Guest::new(&raw const memory) };
    let mut walk = Walk::from(&base);
    walk.begin(&guest, 0, 8).unwrap();
    assert!(walk.is_directory());
    assert_eq!(walk.name(), c"to-dir");
}
