//! Files in the executable.
//!
//! The section that holds them is described in `kiln_abi::embed`; it is read where the OS mapped
//! it. Everything here is reached through [`READER`] alone, to which an executable refers only when
//! files are embedded in it: others carry none of this.

use super::preopen;
use crate::errno::Errno;
use crate::program;
use crate::sys::Result;
use crate::sys::types::{Buffer, Entry, FileType, Stat, Visit};
use core::ffi::CStr;
use kiln_abi::embed::{DIRECTORY, Embedded, FILE, Header, LINK, Node};

/// Number of a device that no host has: `kiln`.
const DEVICE: u64 = u64::from_be_bytes(*b"kiln\0\0\0\0");

/// Reads the tree. Nodes are known by their numbers.
pub struct Reader {
    /// Makes the trees known to the program, before it begins.
    pub open: fn(),
    /// The name of a root; none for a number that no root has.
    pub root: fn(number: u32) -> Option<&'static [u8]>,
    /// The node of a name in a directory; `.` is the directory itself.
    pub find: fn(directory: u32, name: &CStr) -> Result<u32>,
    /// A node's attributes.
    pub stat: fn(node: u32) -> Result<Stat>,
    /// Copies a file's bytes into the buffers in turn; gives their number.
    pub read: fn(file: u32, buffers: &[Buffer<'_>], offset: u64) -> Result<usize>,
    /// A link's text.
    pub link: fn(node: u32) -> Result<&'static [u8]>,
    /// Visits a directory's entries from a cookie on.
    pub list: fn(directory: u32, cookie: u64, visit: Visit<'_>) -> Result<()>,
}

/// The functions of this module.
#[unsafe(export_name = "kiln_embed_reader")]
pub static READER: Reader =
    Reader { open: preopen::open_embedded, root, find, stat, read, link, list };

/// By what embedded files are read, if there are any.
pub fn reader() -> Option<&'static Reader> {
    let record: &Embedded = program::embedded();
    // SAFETY: the linker writes the address of `READER`, or null.
    unsafe { record.reader.cast::<Reader>().as_ref() }
}

/// The first bytes of the section.
fn header() -> &'static Header {
    // SAFETY: whoever comes here came through the record, which then points to the section.
    unsafe { &*program::embedded().section }
}

fn nodes() -> &'static [Node] {
    let header = header();
    let first = core::ptr::from_ref(header).wrapping_add(1).cast();
    // SAFETY: as many nodes follow the header, and nothing writes them.
    unsafe { core::slice::from_raw_parts(first, header.node_count as usize) }
}

fn node(number: u32) -> Result<&'static Node> {
    nodes().get(number as usize).ok_or(Errno::BADF)
}

/// Bytes of the section.
fn bytes(start: u64, length: u64) -> Result<&'static [u8]> {
    let header = header();
    let first = core::ptr::from_ref(header).cast();
    // SAFETY: the section has that many bytes, and nothing writes them.
    let section = unsafe { core::slice::from_raw_parts(first, header.size as usize) };
    let end = start.checked_add(length).ok_or(Errno::IO)?;
    section.get(start as usize..end as usize).ok_or(Errno::IO)
}

fn name(node: &Node) -> Result<&'static [u8]> {
    bytes(node.name_start, node.name_length.into())
}

/// The nodes in a directory, and the number of the first.
fn children(directory: u32) -> Result<(u32, &'static [Node])> {
    let directory = node(directory)?;
    if directory.kind != DIRECTORY {
        return Err(Errno::NOTDIR);
    }
    let start = directory.start as usize;
    let found = nodes().get(start..start + directory.length as usize).ok_or(Errno::IO)?;
    Ok((start as u32, found))
}

fn root(number: u32) -> Option<&'static [u8]> {
    (number < header().root_count).then(|| name(node(number).ok()?).ok())?
}

fn find(directory: u32, wanted: &CStr) -> Result<u32> {
    let (first, children) = children(directory)?;
    if wanted == c"." {
        return Ok(directory);
    }
    let wanted = wanted.to_bytes();
    let found = children.binary_search_by(|child| name(child).unwrap_or_default().cmp(wanted));
    found.map(|index| first + index as u32).map_err(|_| Errno::NOENT)
}

const fn file_type(node: &Node) -> FileType {
    match node.kind {
        DIRECTORY => FileType::Directory,
        FILE => FileType::RegularFile,
        LINK => FileType::SymbolicLink,
        _ => FileType::Unknown,
    }
}

/// No inode has the number 0.
const fn inode(number: u32) -> u64 {
    number as u64 + 1
}

fn stat(number: u32) -> Result<Stat> {
    let node = node(number)?;
    let time = header().modified.saturating_mul(1_000_000_000);
    Ok(Stat {
        device: DEVICE,
        inode: inode(number),
        file_type: file_type(node),
        links: 1,
        size: if node.kind == DIRECTORY { 0 } else { node.length },
        accessed: time,
        modified: time,
        changed: time,
    })
}

fn read(file: u32, buffers: &[Buffer<'_>], offset: u64) -> Result<usize> {
    let file = node(file)?;
    if file.kind != FILE {
        return Err(Errno::ISDIR);
    }
    let contents = bytes(file.start, file.length)?;
    let mut rest = contents.get(offset.min(file.length) as usize..).unwrap_or_default();
    let whole = rest.len();
    for buffer in buffers {
        let (part, after) = rest.split_at(buffer.length().min(rest.len()));
        // SAFETY: the buffer holds as many bytes, and none of the section.
        unsafe { core::ptr::copy_nonoverlapping(part.as_ptr(), buffer.pointer(), part.len()) };
        rest = after;
    }
    Ok(whole - rest.len())
}

fn link(number: u32) -> Result<&'static [u8]> {
    let node = node(number)?;
    if node.kind == LINK { bytes(node.start, node.length) } else { Err(Errno::INVAL) }
}

/// A cookie is the number of entries before it: `.` and `..`, then the nodes.
fn list(directory: u32, cookie: u64, visit: Visit<'_>) -> Result<()> {
    let (first, children) = children(directory)?;
    let parent = node(directory)?.parent;
    for position in cookie.. {
        let (name, number) = match position {
            0 => (&b"."[..], directory),
            1 => (&b".."[..], parent),
            _ => match children.get(position as usize - 2) {
                Some(child) => (name(child)?, first + position as u32 - 2),
                None => break,
            },
        };
        let file_type = file_type(node(number)?);
        if !visit(&Entry { name, inode: inode(number), file_type, next: position + 1 }) {
            break;
        }
    }
    Ok(())
}
