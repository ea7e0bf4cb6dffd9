//! The icon: from an `.ico` file to the resources that Windows shows, and back.
//!
//! A file is a directory of images in several sizes. In an executable each image is a resource, and
//! the directory is one more, which names them by their numbers. Images are copied as they are;
//! what the directory says of them is taken from their own headers.
//!
//! Guarantees that what it takes is well-formed as far as sizes and places go. Sources: Microsoft,
//! "Icons" (files: `ICONDIR`, `ICONDIRENTRY`); Win32 "Resource File Formats" (`NEWHEADER`, `RESDIR`);
//! GDI `BITMAPINFOHEADER`; PNG (ISO/IEC 15948), 5 and 11.2.2.

use super::Resource;

/// Win32 "Resource Types".
const RT_ICON: u16 = 3;
const RT_GROUP_ICON: u16 = 14;

/// `ICONDIR` and `NEWHEADER`: zero, the kind of file, the number of images; each of 16 bits.
const HEADER_SIZE: usize = 6;
const KIND_ICON: u16 = 1;
/// `ICONDIRENTRY`: `RESDIR` is the same with a number of 16 bits instead of an offset of 32.
const ENTRY_SIZE: usize = 16;
/// Offset, in `ICONDIRENTRY`, of the image's size and then place.
const PLACE: usize = 8;
/// What one byte of `ICONDIRENTRY` can say: 0 means this.
const LARGEST: u32 = 256;

/// `BITMAPINFOHEADER`.
const BITMAP_HEADER_SIZE: u32 = 40;
const BI_RGB: u32 = 0;

/// PNG 5.2.
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// PNG 5.3: what a chunk has besides its data: length, type, checksum.
const PNG_CHUNK: usize = 12;

/// An icon: the same picture in several sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    images: Vec<Image>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Image {
    format: Format,
    data: Vec<u8>,
}

/// What an image's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Format {
    width: u32,
    height: u32,
    bits_per_pixel: u16,
}

/// Why a file is no icon. Offsets are those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IconError {
    /// Another kind of file.
    #[error("offset 0: an .ico file begins with the bytes 00 00 01 00; this is something else")]
    NotAnIcon,
    /// A directory without entries.
    #[error("offset 4: the icon has no images")]
    NoImages,
    /// The directory is cut off.
    #[error("offset {0}: the file ends within the list of its images")]
    Truncated(usize),
    /// An entry that tells of bytes outside the file, or of such that others told of.
    #[error(
        "offset {offset}: the image's {size} bytes at {place} are not in the file, or are another's too"
    )]
    NotInFile {
        /// Of the entry.
        offset: usize,
        /// What it says of the image's size.
        size: u32,
        /// What it says of the image's place.
        place: u32,
    },
    /// An image of an unknown format.
    #[error("offset {0}: the image is neither a PNG nor an uncompressed bitmap")]
    UnknownFormat(usize),
    /// An image that is cut off, or has no pixels.
    #[error("offset {0}: the image is not as long as its header says")]
    BadImage(usize),
    /// An image that is not what its entry says.
    #[error(
        "offset {offset}: the image has {width}×{height} pixels, and the list says {listed_width}×{listed_height}"
    )]
    OtherSize {
        /// Of the image.
        offset: usize,
        /// In its header.
        width: u32,
        /// In its header.
        height: u32,
        /// In the entry.
        listed_width: u32,
        /// In the entry.
        listed_height: u32,
    },
}

impl Icon {
    /// Reads an `.ico` file.
    ///
    /// # Errors
    /// It is none, or is malformed.
    pub fn parse(file: &[u8]) -> Result<Self, IconError> {
        let is_icon = (u16_at(file, 0), u16_at(file, 2)) == (Some(0), Some(KIND_ICON));
        if !is_icon {
            return Err(IconError::NotAnIcon);
        }
        let count = u16_at(file, 4).ok_or(IconError::Truncated(file.len()))?;
        if count == 0 {
            return Err(IconError::NoImages);
        }
        let entries = file.get(HEADER_SIZE..HEADER_SIZE + usize::from(count) * ENTRY_SIZE);
        let entries = entries.ok_or(IconError::Truncated(file.len()))?.chunks_exact(ENTRY_SIZE);
        let mut images = Vec::new();
        // Entries that all told of the same bytes would make a large executable of a small file.
        let mut left = file.len();
        for (offset, entry) in (HEADER_SIZE..).step_by(ENTRY_SIZE).zip(entries) {
            let word = |at| u32_at(entry, at).unwrap_or_default();
            let (size, place) = (word(PLACE), word(PLACE + 4));
            let data = file.get(place as usize..).and_then(|rest| rest.get(..size as usize));
            let data = data.filter(|data| data.len() <= left);
            let data = data.ok_or(IconError::NotInFile { offset, size, place })?;
            left -= data.len();
            let format = Format::read(data, place as usize)?;
            let [listed_width, listed_height] = [entry[0], entry[1]].map(from_listed);
            let Format { width, height, .. } = format;
            if (width, height) != (listed_width, listed_height) {
                let offset = place as usize;
                return Err(IconError::OtherSize {
                    offset,
                    width,
                    height,
                    listed_width,
                    listed_height,
                });
            }
            images.push(Image { format, data: data.to_vec() });
        }
        Ok(Self { images })
    }

    /// Width and height of each image.
    pub fn sizes(&self) -> impl Iterator<Item = (u32, u32)> {
        self.images.iter().map(|image| (image.format.width, image.format.height))
    }

    /// The icon as an `.ico` file; the same for the same images.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        let mut place = HEADER_SIZE + self.images.len() * ENTRY_SIZE;
        let mut file = self.directory(|image| {
            let start = place as u32;
            place += image.data.len();
            start.to_le_bytes().to_vec()
        });
        self.images.iter().for_each(|image| file.extend_from_slice(&image.data));
        file
    }

    /// The icon as resources.
    #[must_use]
    pub fn resources(&self) -> Vec<Resource> {
        let images = (1..).zip(&self.images);
        let mut resources: Vec<Resource> = images
            .map(|(id, image)| Resource { kind: RT_ICON, id, data: image.data.clone() })
            .collect();
        let mut numbers = 1_u16..;
        let data = self.directory(|_| numbers.next().unwrap_or_default().to_le_bytes().to_vec());
        resources.push(Resource { kind: RT_GROUP_ICON, id: 1, data });
        resources
    }

    /// The icon among resources, if they hold a well-formed one.
    pub(crate) fn of_resources(resources: &[Resource]) -> Option<Self> {
        let group = resources.iter().find(|resource| resource.kind == RT_GROUP_ICON)?;
        let entries = group.data.get(HEADER_SIZE..)?.chunks_exact(ENTRY_SIZE - 2);
        let images = entries.map(|entry| {
            let id = u16_at(entry, PLACE + 4)?;
            let image = resources.iter().find(|other| (other.kind, other.id) == (RT_ICON, id))?;
            let format = Format::read(&image.data, 0).ok()?;
            Some(Image { format, data: image.data.clone() })
        });
        Some(Self { images: images.collect::<Option<_>>()? })
    }

    /// The directory of a file or of resources, which differ in how an entry ends.
    fn directory(&self, mut end: impl FnMut(&Image) -> Vec<u8>) -> Vec<u8> {
        let header = [0, KIND_ICON, self.images.len() as u16];
        let mut bytes: Vec<u8> = header.into_iter().flat_map(u16::to_le_bytes).collect();
        for image in &self.images {
            let Format { width, height, bits_per_pixel } = image.format;
            let colors = if bits_per_pixel < 8 { 1 << bits_per_pixel } else { 0 };
            // 256 is written as 0.
            bytes.extend([width as u8, height as u8, colors, 0]);
            bytes.extend([1, bits_per_pixel].into_iter().flat_map(u16::to_le_bytes));
            bytes.extend((image.data.len() as u32).to_le_bytes());
            bytes.extend(end(image));
        }
        bytes
    }
}

impl Format {
    /// Reads an image at that offset of a file.
    fn read(image: &[u8], offset: usize) -> Result<Self, IconError> {
        let format = if image.starts_with(PNG_SIGNATURE) {
            Self::of_png(image).ok_or(IconError::BadImage(offset))?
        } else if u32_at(image, 0) == Some(BITMAP_HEADER_SIZE) {
            match Self::of_bitmap(image).ok_or(IconError::BadImage(offset))? {
                Some(format) => format,
                None => return Err(IconError::UnknownFormat(offset)),
            }
        } else {
            return Err(IconError::UnknownFormat(offset));
        };
        let sizes = 1..=LARGEST;
        let fits = sizes.contains(&format.width) && sizes.contains(&format.height);
        fits.then_some(format).ok_or(IconError::BadImage(offset))
    }

    /// Reads a PNG as far as its chunks' lengths and its header. `None` for a malformed one.
    fn of_png(image: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_be_bytes(image.get(at..at + 4)?.try_into().ok()?));
        let first = PNG_SIGNATURE.len();
        let mut at = first;
        loop {
            let length = word(at)? as usize;
            let end = at.checked_add(length)?.checked_add(PNG_CHUNK)?;
            let kind = image.get(at + 4..at + 8)?;
            if end > image.len() || (at == first) != (kind == b"IHDR") {
                return None;
            }
            if kind == b"IEND" {
                break;
            }
            at = end;
        }
        let header = image.get(first + 8..)?;
        let channels = match header.get(9)? {
            0 | 3 => 1,
            4 => 2,
            2 => 3,
            6 => 4,
            _ => return None,
        };
        let bits_per_pixel = u16::from(*header.get(8)?).checked_mul(channels)?;
        Some(Self { width: word(first + 8)?, height: word(first + 12)?, bits_per_pixel })
    }

    /// Reads a bitmap: its pixels and then a mask, one bit for each, which is left out at times
    /// where pixels have transparency of their own. The outer `None` is a malformed one, the inner
    /// one of another format.
    fn of_bitmap(image: &[u8]) -> Option<Option<Self>> {
        let (width, double_height) = (u32_at(image, 4)?, u32_at(image, 8)?);
        let (bits_per_pixel, compression) = (u16_at(image, 14)?, u32_at(image, 16)?);
        let colors = match (bits_per_pixel, u32_at(image, 32)?) {
            (1 | 4 | 8, 0) => 1 << bits_per_pixel,
            (1 | 4 | 8 | 16 | 24 | 32, colors) => colors,
            _ => return Some(None),
        };
        if compression != BI_RGB {
            return Some(None);
        }
        let height = double_height / 2;
        let (wide, high) = (u64::from(width), u64::from(height));
        let row = |bits: u64| (wide.checked_mul(bits))?.div_ceil(32).checked_mul(4);
        let pixels = row(bits_per_pixel.into())?.checked_mul(high)?;
        let mask = if bits_per_pixel == 32 { 0 } else { row(1)?.checked_mul(high)? };
        let front = u64::from(BITMAP_HEADER_SIZE) + u64::from(colors) * 4;
        let size = front.checked_add(pixels)?.checked_add(mask)?;
        (size <= image.len() as u64).then_some(Some(Self { width, height, bits_per_pixel }))
    }
}

/// What an entry's byte says.
fn from_listed(size: u8) -> u32 {
    if size == 0 { LARGEST } else { size.into() }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images: 2×2 pixels of 24 bits, and a PNG of 256×256 as far as its chunks go.
    fn file() -> Vec<u8> {
        let mut bitmap = Vec::new();
        for word in [BITMAP_HEADER_SIZE, 2, 4, 1 | 24 << 16, BI_RGB, 0, 0, 0, 0, 0] {
            bitmap.extend(word.to_le_bytes());
        }
        // Two rows of pixels, two of the mask; each on four bytes.
        bitmap.extend([0x7f; 2 * 8 + 2 * 4]);
        let header = [0, 0, 1, 0, 0, 0, 1, 0, 8, 6, 0, 0, 0];
        let mut png = PNG_SIGNATURE.to_vec();
        for (kind, data) in [(b"IHDR", &header[..]), (b"IEND", &[])] {
            png.extend((data.len() as u32).to_be_bytes());
            png.extend(kind.iter().chain(data).chain(&[0; 4]));
        }
        let image = |data: Vec<u8>| Image { format: Format::read(&data, 0).unwrap(), data };
        Icon { images: vec![image(bitmap), image(png)] }.to_file()
    }

    #[test]
    fn an_icon_is_the_same_in_a_file_and_in_resources() {
        let icon = Icon::parse(&file()).unwrap();
        assert_eq!(icon.sizes().collect::<Vec<_>>(), [(2, 2), (256, 256)]);
        assert_eq!(icon.to_file(), file());
        let resources = icon.resources();
        assert_eq!(Icon::of_resources(&resources), Some(icon));
        // "Resource File Formats": the second image is 256×256, of 32 bits, with number 2.
        let group = &resources[2].data;
        assert_eq!(group.len(), 6 + 2 * 14);
        assert_eq!(group[20..28], [0, 0, 0, 0, 1, 0, 32, 0]);
        assert_eq!(group[32..], [2, 0]);
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let good = file();
        let bitmap = 6 + 2 * 16;
        let png = bitmap + 40 + 24;
        let changed = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            Icon::parse(&bad).unwrap_err()
        };
        assert_eq!(Icon::parse(b"").unwrap_err(), IconError::NotAnIcon);
        assert_eq!(changed(2, 2), IconError::NotAnIcon);
        assert_eq!(changed(4, 0), IconError::NoImages);
        assert_eq!(Icon::parse(&good[..6]).unwrap_err(), IconError::Truncated(6));
        assert_eq!(Icon::parse(&good[..30]).unwrap_err(), IconError::Truncated(30));
        let missing = IconError::NotInFile { offset: 22, size: 45, place: png as u32 };
        assert_eq!(Icon::parse(&good[..good.len() - 1]).unwrap_err(), missing);
        assert!(matches!(changed(17, 0xff), IconError::NotInFile { offset: 6, .. }));
        assert_eq!(changed(14, 63), IconError::BadImage(bitmap));
        assert_eq!(changed(bitmap, 12), IconError::UnknownFormat(bitmap));
        assert_eq!(changed(bitmap + 16, 1), IconError::UnknownFormat(bitmap));
        assert_eq!(changed(bitmap + 10, 1), IconError::BadImage(bitmap));
        assert_eq!(changed(png + 12, b'J'), IconError::BadImage(png));
        assert_eq!(changed(png + 20, 1), IconError::BadImage(png));
        let other = changed(6, 3).to_string();
        assert_eq!(other, "offset 38: the image has 2×2 pixels, and the list says 3×2");
        // Three entries that tell of one image.
        let mut entry = good[6..22].to_vec();
        entry[12] = 6 + 3 * 16;
        let thrice = [&[0, 0, 1, 0, 3, 0], &*entry.repeat(3), &good[bitmap..png]].concat();
        assert!(matches!(Icon::parse(&thrice), Err(IconError::NotInFile { offset: 22, .. })));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let good = file();
        for length in 0..good.len() {
            Icon::parse(&good[..length]).unwrap_err();
        }
        for at in 0..good.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] = byte;
                let _ = Icon::parse(&bad);
            }
        }
    }
}
