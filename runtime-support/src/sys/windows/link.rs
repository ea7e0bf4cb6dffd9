//! Symbolic links and junctions: reparse points that stand for another name.

use super::errno::check;
use super::handle::{Handle, Node, Opening};
use super::name::{Name, Purpose};
use super::rename;
use super::syscall::{
    DELETE, FILE_CREATE, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_OPEN,
    FILE_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES, IoStatus,
    NtFsControlFile,
};
use super::text;
use crate::errno::Errno;
use crate::sys::Result;
use core::ffi::CStr;
use core::ptr::{from_mut, from_ref, null, null_mut};

// Source: `winnt.h` and `winioctl.h`.
const IO_REPARSE_TAG_MOUNT_POINT: u32 = 0xA000_0003;
const IO_REPARSE_TAG_SYMLINK: u32 = 0xA000_000C;
/// Set in the tags of everything that stands for another name.
const NAME_SURROGATE: u32 = 0x2000_0000;
const FSCTL_SET_REPARSE_POINT: u32 = 0x9_00A4;
const FSCTL_GET_REPARSE_POINT: u32 = 0x9_00A8;
const SYMLINK_FLAG_RELATIVE: u32 = 1;
/// `MAXIMUM_REPARSE_DATA_BUFFER_SIZE`, in 16-bit units.
const CAPACITY: usize = 16384 / 2;

/// `REPARSE_DATA_BUFFER` of a symbolic link. A mount point has no flags: its text begins there.
#[repr(C)]
struct Reparse {
    tag: u32,
    length: u16,
    reserved: u16,
    substitute_offset: u16,
    substitute_length: u16,
    print_offset: u16,
    print_length: u16,
    /// The flags, then both texts.
    text: [u16; CAPACITY - 8],
}

/// Bytes of a [`Reparse`] that its own length does not count.
const UNCOUNTED: usize = 8;
/// Bytes of the four fields that tell where the texts lie.
const PLACES: usize = 8;
/// Units of a symbolic link's flags.
const FLAGS: usize = 2;

/// Whether a reparse point of that tag stands for another name.
pub(super) fn is_link(tag: u32) -> bool {
    tag & NAME_SURROGATE != 0
}

/// Reads the text of an open link as far as it fits; gives the number of bytes of all of it.
pub(super) fn read(link: &Handle, bytes: &mut [u8]) -> Result<usize> {
    let mut reparse = Reparse::empty();
    control(link, FSCTL_GET_REPARSE_POINT, None, Some(&mut reparse))?;
    let flags = match reparse.tag {
        IO_REPARSE_TAG_SYMLINK => FLAGS,
        IO_REPARSE_TAG_MOUNT_POINT => 0,
        _ => return Err(Errno::INVAL),
    };
    let start = flags + usize::from(reparse.substitute_offset) / 2;
    let end = start + usize::from(reparse.substitute_length) / 2;
    let mut target = reparse.text.get(start..end).ok_or(Errno::IO)?;
    // The prefix by which the kernel knows DOS paths.
    const KERNEL_PREFIX: [u16; 4] = [b'\\' as u16, b'?' as u16, b'?' as u16, b'\\' as u16];
    if let Some(path) = target.strip_prefix(&KERNEL_PREFIX) {
        target = path;
    }
    let slashes = |&unit| if unit == u16::from(b'\\') { u16::from(b'/') } else { unit };
    Ok(text::to_utf8(target.iter().map(slashes), bytes))
}

/// See [`contract`](crate::sys): `read_link_at`.
pub(super) fn read_at(directory: &Handle, name: &CStr, bytes: &mut [u8]) -> Result<usize> {
    let name = Name::new(name, Purpose::Lookup)?;
    let opening = Opening {
        access: FILE_READ_ATTRIBUTES,
        disposition: FILE_OPEN,
        options: FILE_OPEN_REPARSE_POINT,
    };
    let link = opening.at(directory, &name)?;
    if link.node()? != Node::Link {
        return Err(Errno::INVAL);
    }
    Ok(read(&link, bytes)?.min(bytes.len()))
}

/// See [`contract`](crate::sys): `symlink_at`. Windows has links to files and links to directories;
/// what the target is decides, where it can be seen from `directory`, else it is taken for a file.
pub(super) fn create_at(target: &CStr, directory: &Handle, name: &CStr) -> Result<()> {
    let reparse = Reparse::new(target)?;
    let name = Name::of_entry(name, Purpose::Create, Errno::EXIST)?;
    let kind = if leads_to_directory(directory, target) {
        FILE_DIRECTORY_FILE
    } else {
        FILE_NON_DIRECTORY_FILE
    };
    let opening = Opening {
        access: FILE_WRITE_ATTRIBUTES | DELETE,
        disposition: FILE_CREATE,
        options: kind | FILE_OPEN_REPARSE_POINT,
    };
    let link = opening.at(directory, &name)?;
    control(&link, FSCTL_SET_REPARSE_POINT, Some(&reparse), None).inspect_err(|_| {
        // Nothing shall be left of a link that could not be made. A failure here leaves an empty
        // file, and the first error is still the one to report.
        let _ = rename::delete(&link);
    })
}

/// Whether a target is a directory, reached from `directory` without any link or `..`.
fn leads_to_directory(directory: &Handle, target: &CStr) -> bool {
    let Ok(target) = core::str::from_utf8(target.to_bytes()) else { return false };
    let opening = Opening {
        access: FILE_READ_ATTRIBUTES,
        disposition: FILE_OPEN,
        options: FILE_DIRECTORY_FILE,
    };
    let mut place = None;
    for component in target.split('/').filter(|component| !component.is_empty()) {
        let mut terminated = [0; 3 * super::name::CAPACITY + 1];
        let Some(room) = terminated.get_mut(..component.len()) else { return false };
        room.copy_from_slice(component.as_bytes());
        let opened = CStr::from_bytes_until_nul(&terminated)
            .map_err(|_| Errno::NAMETOOLONG)
            .and_then(|name| Name::new(name, Purpose::Lookup))
            .and_then(|name| opening.at(place.as_ref().unwrap_or(directory), &name));
        let Ok(opened) = opened else { return false };
        place = Some(opened);
    }
    place.is_some()
}

impl Reparse {
    fn empty() -> Self {
        Self {
            tag: 0,
            length: 0,
            reserved: 0,
            substitute_offset: 0,
            substitute_length: 0,
            print_offset: 0,
            print_length: 0,
            text: [0; CAPACITY - 8],
        }
    }

    /// The record of a relative symbolic link. Both texts are the same, so they lie in one place.
    fn new(target: &CStr) -> Result<Self> {
        let target = core::str::from_utf8(target.to_bytes()).map_err(|_| Errno::ILSEQ)?;
        let mut reparse = Self { tag: IO_REPARSE_TAG_SYMLINK, ..Self::empty() };
        if let Some(flags) = reparse.text.first_mut() {
            *flags = SYMLINK_FLAG_RELATIVE as u16;
        }
        let room = reparse.text.get_mut(FLAGS..).unwrap_or_default();
        let units = text::to_utf16(target, room).ok_or(Errno::NAMETOOLONG)?;
        for unit in units.iter_mut().filter(|unit| **unit == u16::from(b'/')) {
            *unit = u16::from(b'\\');
        }
        let bytes = units.len() * 2;
        reparse.substitute_length = bytes as u16;
        reparse.print_length = bytes as u16;
        reparse.length = (PLACES + FLAGS * 2 + bytes) as u16;
        Ok(reparse)
    }
}

/// Asks the file system to get or set a reparse point.
fn control(
    link: &Handle,
    code: u32,
    input: Option<&Reparse>,
    output: Option<&mut Reparse>,
) -> Result<()> {
    let mut io = IoStatus::default();
    let (input, input_length) = input.map_or((null(), 0), |reparse| {
        (from_ref(reparse).cast(), u32::from(reparse.length) + UNCOUNTED as u32)
    });
    let (output, output_length) = output
        .map_or((null_mut(), 0), |reparse| (from_mut(reparse).cast(), size_of::<Reparse>() as u32));
    // SAFETY: both records are as large as the call is told.
    let status = unsafe {
        NtFsControlFile(
            link.raw,
            null_mut(),
            null(),
            null(),
            &mut io,
            code,
            input,
            input_length,
            output,
            output_length,
        )
    };
    check(status)
}
