//! Files in the executable: the section [`EMBED_SECTION`](crate::symbol::EMBED_SECTION).
//!
//! The section begins with a [`Header`]; its nodes follow, then names, texts of links and contents.
//! Offsets count from the section's start. The first nodes are the roots: each is a tree of its
//! own, known to the program by its name. The nodes of a directory stand side by side, sorted by
//! the bytes of their names, so that a name is found by halving.

use core::mem::size_of;

/// What the section begins with.
pub const MAGIC: [u8; 8] = *b"kilnemb1";

/// The most bytes that the section may have: images of every format hold it beside the code.
pub const LIMIT: u64 = 1 << 30;

/// The section's first bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// Bytes of the section.
    pub size: u64,
    /// The time that every file carries: seconds since 1970.
    pub modified: u64,
    /// Number of roots.
    pub root_count: u32,
    /// Number of nodes, roots included.
    pub node_count: u32,
}

/// A file, directory or link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Node {
    /// Where its name begins: UTF-8, without NUL.
    pub name_start: u64,
    /// Of a file or link, where contents or text begin; of a directory, its first node's number.
    pub start: u64,
    /// Of a file or link, the number of bytes; of a directory, of nodes.
    pub length: u64,
    /// Bytes of its name.
    pub name_length: u32,
    /// [`DIRECTORY`], [`FILE`] or [`LINK`].
    pub kind: u32,
    /// Number of the directory that holds it; of a root, its own.
    pub parent: u32,
    /// 0.
    pub reserved: u32,
}

/// A directory.
pub const DIRECTORY: u32 = 0;
/// A regular file.
pub const FILE: u32 = 1;
/// A symbolic link. Its text is relative and leads to something in the same tree.
pub const LINK: u32 = 2;

/// What [`symbol::EMBED`](crate::symbol::EMBED) holds: where the section lies, and by what the
/// runtime reads it. Both are null where nothing is embedded, and then neither is linked.
#[derive(Debug)]
#[repr(C)]
pub struct Embedded {
    /// The section.
    pub section: *const Header,
    /// Address of [`symbol::EMBED_READER`](crate::symbol::EMBED_READER).
    pub reader: *const u8,
}

const _: () = {
    assert!(size_of::<Header>() == 32);
    assert!(size_of::<Node>() == 40);
    assert!(size_of::<Embedded>() == 16);
};
