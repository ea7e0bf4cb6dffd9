//! Initial contents of linear memories.
//!
//! Active segments that lie in the image are applied here, in their order, as the specification's
//! instantiation would: what the program finds is what they leave. What is left is a list of runs
//! of bytes, and the way in which they come into the memory.

use crate::plan::{MemoryPlan, Plan};
use crate::program::{Placement, Spaces};
use kiln_targets::MemoryImage;

/// Fewer bytes are copied rather than mapped where mapping them takes the runtime any work: they
/// would not come sooner, but fill whole pages of the file.
const MAPPED_SIZE: u64 = 256 << 10;

/// What an image that a memory begins in may hold of it: runs, each a section of a PE image, and
/// bytes up to the last one's end, of the 2 GiB that such an image has.
const RUNS_IN_PLACE: usize = 16;
const END_IN_PLACE: u64 = 1 << 30;

/// How a memory's runs come into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The runtime copies them.
    Copied,
    /// The kernel maps them, where the memory has that address.
    Fixed(u64),
    /// The runtime has the kernel map their pages.
    Mapped,
    /// The memory begins in the image.
    InPlace,
}

/// A piece of a memory that does not start as zeros.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// The contents of the memory of that index as runs whose ends are multiples of `granule`, a power
/// of two. Granules of zeros are left out at the ends of runs.
pub(super) fn runs(spaces: &Spaces<'_>, memory: u32, granule: u64) -> Vec<Run> {
    let extents = extents(spaces, memory, granule).into_iter();
    let mut runs: Vec<Run> = extents
        .map(|(start, end)| Run { offset: start, bytes: vec![0; (end - start) as usize] })
        .collect();
    for (offset, bytes) in segments(spaces, memory) {
        let position = runs.partition_point(|run| run.offset <= offset) - 1;
        let run = &mut runs[position];
        let start = (offset - run.offset) as usize;
        run.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }
    runs.retain_mut(|run| trim(run, granule as usize));
    runs
}

/// The way of each memory's runs. No more than one memory begins in the image; none of a library
/// does, and its pages are not mapped: who loads it may do so anywhere.
pub(super) fn ways(plan: &Plan<'_>) -> Vec<Way> {
    let mut ways = Vec::new();
    for (index, memory) in plan.memories.iter().enumerate() {
        let is_taken = ways.contains(&Way::InPlace);
        ways.push(match way(plan, index as u32, memory) {
            Way::InPlace if is_taken => Way::Copied,
            way => way,
        });
    }
    ways
}

fn way(plan: &Plan<'_>, index: u32, memory: &MemoryPlan) -> Way {
    let page_size = plan.target.page_size;
    let size = size(plan.spaces, index);
    match (plan.target.memory_image, memory.base) {
        // Less than a page would fill whole pages of the file, and cost a mapping.
        (_, Some(base)) if size >= page_size => return Way::Fixed(base),
        (MemoryImage::Fixed { .. }, _) => return Way::Copied,
        _ if plan.exports.is_some() || size < MAPPED_SIZE => return Way::Copied,
        _ => {}
    }
    let extents = extents(plan.spaces, index, page_size);
    let pages: u64 = extents.iter().map(|(start, end)| end - start).sum();
    let end = extents.last().map_or(0, |extent| extent.1);
    match plan.target.memory_image {
        _ if pages > size + size / 8 => Way::Copied,
        MemoryImage::InPlace if extents.len() > RUNS_IN_PLACE || end > END_IN_PLACE => Way::Copied,
        MemoryImage::InPlace => Way::InPlace,
        _ => Way::Mapped,
    }
}

/// Bytes that segments write to the memory of that index.
fn size(spaces: &Spaces<'_>, memory: u32) -> u64 {
    segments(spaces, memory).map(|(_, bytes)| bytes.len() as u64).sum()
}

/// Offsets and bytes of the memory's segments that lie in the image, in their order.
fn segments<'s>(spaces: &'s Spaces<'_>, memory: u32) -> impl Iterator<Item = (u64, &'s [u8])> {
    let placed = spaces.data.iter().filter_map(move |segment| match segment.placement {
        Placement::Image { index, offset } if index == memory => Some((offset, segment.item.bytes)),
        _ => None,
    });
    placed.filter(|(_, bytes)| !bytes.is_empty())
}

/// Starts and ends of what the memory's segments cover, in whole granules.
fn extents(spaces: &Spaces<'_>, memory: u32, granule: u64) -> Vec<(u64, u64)> {
    let extents = segments(spaces, memory).map(|(offset, bytes)| {
        let end = offset + bytes.len() as u64;
        (offset & !(granule - 1), end.next_multiple_of(granule))
    });
    merge(extents.collect())
}

/// Sorts extents; those that touch become one.
fn merge(mut extents: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    extents.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (start, end) in extents {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// Cuts granules of zeros off a run's ends; false if nothing is left.
fn trim(run: &mut Run, granule: usize) -> bool {
    let is_zero = |chunk: &[u8]| chunk.iter().all(|&byte| byte == 0);
    let Some(first) = run.bytes.chunks(granule).position(|chunk| !is_zero(chunk)) else {
        return false;
    };
    let last = run.bytes.chunks(granule).rposition(|chunk| !is_zero(chunk)).unwrap_or(first);
    run.bytes.truncate((last + 1) * granule);
    run.bytes.drain(..first * granule);
    run.offset += (first * granule) as u64;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_that_touch_are_one() {
        assert_eq!(merge(vec![(48, 64), (0, 16), (16, 32)]), [(0, 32), (48, 64)]);
    }

    #[test]
    fn zeros_are_cut_off_in_granules() {
        let mut run = Run { offset: 64, bytes: [[0; 8], [0; 8], [1; 8], [0; 8]].concat() };
        assert!(trim(&mut run, 8));
        assert_eq!(run, Run { offset: 80, bytes: vec![1; 8] });
        assert!(!trim(&mut Run { offset: 0, bytes: vec![0; 64] }, 8));
    }
}
