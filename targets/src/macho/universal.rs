//! Universal executables: one file with an image for each architecture of macOS.
//!
//! The images stay as they are, so that their signatures hold, and each can still be signed anew.
//! Source: Apple `mach-o/fat.h`.

use object::macho::{self, FatArch32, FatHeader, MachHeader64};
use object::pod::{self, bytes_of};
use object::{BigEndian as BE, LittleEndian, U32};

use crate::target::{DARWIN_AMD64, DARWIN_ARM64};
use crate::{LinkError, Target};

/// What a universal executable is called where a target's name would stand.
pub const NAME: &str = "darwin-universal";

/// The targets that it is for, in the order of its images.
pub const TARGETS: [&Target; 2] = [&DARWIN_AMD64, &DARWIN_ARM64];

/// Alignment of images in the file, as a power of two: the largest page, 16 KiB.
const ALIGN: u32 = 14;

/// Combines the executables of [`TARGETS`] into one.
///
/// # Errors
/// An image lies beyond 4 GiB, or is no Mach-O image.
pub fn combine(images: [&[u8]; 2]) -> Result<Vec<u8>, LinkError> {
    let header = FatHeader {
        magic: U32::new(BE, macho::FAT_MAGIC),
        nfat_arch: U32::new(BE, images.len() as u32),
    };
    let mut front = bytes_of(&header).to_vec();
    let mut end = size_of::<FatHeader>() + images.len() * size_of::<FatArch32>();
    let mut offsets = Vec::new();
    for image in images {
        let offset = end.next_multiple_of(1 << ALIGN);
        end = offset + image.len();
        offsets.push(offset);
        front.extend_from_slice(bytes_of(&arch(image, offset)?));
    }
    let mut file = front;
    for (image, offset) in images.into_iter().zip(offsets) {
        file.resize(offset, 0);
        file.extend_from_slice(image);
    }
    Ok(file)
}

fn arch(image: &[u8], offset: usize) -> Result<FatArch32, LinkError> {
    let (header, _) = pod::from_bytes::<MachHeader64<LittleEndian>>(image).map_err(|()| {
        LinkError::Unsupported {
            object: NAME.to_owned(),
            what: "an image without a header".to_owned(),
        }
    })?;
    let too_large = || LinkError::TooLarge("a universal file holds 4 GiB".to_owned());
    let offset = u32::try_from(offset).map_err(|_| too_large())?;
    let size = u32::try_from(image.len()).map_err(|_| too_large())?;
    offset.checked_add(size).ok_or_else(too_large)?;
    Ok(FatArch32 {
        cputype: U32::new(BE, header.cputype.get(LittleEndian)),
        cpusubtype: U32::new(BE, header.cpusubtype.get(LittleEndian)),
        offset: U32::new(BE, offset),
        size: U32::new(BE, size),
        align: U32::new(BE, ALIGN),
    })
}
