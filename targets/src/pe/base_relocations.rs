//! Base relocations: which pointers move with the image. PE Format, "The .reloc Section".

use crate::image::Image;
use object::pe::IMAGE_REL_BASED_DIR64;

/// A block covers one page.
const PAGE: u64 = 0x1000;

/// The table for the pointers at `addresses`, which ascend; empty if there are none.
pub(super) fn write(image: &Image, addresses: &[u64]) -> Vec<u8> {
    let mut table = Vec::new();
    for page in addresses.chunk_by(|a, b| a / PAGE == b / PAGE) {
        let mut entries: Vec<u16> = page
            .iter()
            .map(|address| IMAGE_REL_BASED_DIR64.0 << 12 | (address % PAGE) as u16)
            .collect();
        // Blocks start on 4 bytes; an entry of 0 asks for nothing.
        if !entries.len().is_multiple_of(2) {
            entries.push(0);
        }
        let start = (page[0] - image.base) & !(PAGE - 1);
        table.extend_from_slice(&(start as u32).to_le_bytes());
        table.extend_from_slice(&(8 + 2 * entries.len() as u32).to_le_bytes());
        entries.iter().for_each(|entry| table.extend_from_slice(&entry.to_le_bytes()));
    }
    table
}
