//! Initial contents of linear memories.
//!
//! Active segments that lie in the image are applied here, in their order, as the specification's
//! instantiation would: what the program finds is what they leave. What is left is a list of runs of bytes.

use crate::program::{Placement, Spaces};

/// A piece of a memory that does not start as zeros.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// The contents of the memory of that index as runs whose ends are multiples of `granule`, a power
/// of two. Granules of zeros are left out at the ends of runs.
pub(super) fn runs(spaces: &Spaces<'_>, memory: u32, granule: u64) -> Vec<Run> {
    let segments: Vec<(u64, &[u8])> = segments(spaces, memory).collect();
    let mut extents: Vec<(u64, u64)> = segments
        .iter()
        .map(|(offset, bytes)| {
            let end = offset + bytes.len() as u64;
            (offset & !(granule - 1), end.next_multiple_of(granule))
        })
        .collect();
    extents.sort_unstable();
    let mut runs = allocate(&extents);
    for (offset, bytes) in segments {
        let position = runs.partition_point(|run| run.offset <= offset) - 1;
        let run = &mut runs[position];
        let start = (offset - run.offset) as usize;
        run.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }
    runs.retain_mut(|run| trim(run, granule as usize));
    runs
}

/// Bytes that segments write to the memory of that index.
pub(super) fn size(spaces: &Spaces<'_>, memory: u32) -> usize {
    segments(spaces, memory).map(|(_, bytes)| bytes.len()).sum()
}

/// Offsets and bytes of the memory's segments that lie in the image, in their order.
fn segments<'s>(spaces: &'s Spaces<'_>, memory: u32) -> impl Iterator<Item = (u64, &'s [u8])> {
    let placed = spaces.data.iter().filter_map(move |segment| match segment.placement {
        Placement::Image { index, offset } if index == memory => Some((offset, segment.item.bytes)),
        _ => None,
    });
    placed.filter(|(_, bytes)| !bytes.is_empty())
}

/// Runs of zeros that cover sorted extents; extents that touch share one.
fn allocate(extents: &[(u64, u64)]) -> Vec<Run> {
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for &(start, end) in extents {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
        .into_iter()
        .map(|(start, end)| Run { offset: start, bytes: vec![0; (end - start) as usize] })
        .collect()
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
    fn extents_that_touch_share_a_run() {
        let runs = allocate(&[(0, 16), (16, 32), (48, 64)]);
        let sizes: Vec<_> = runs.iter().map(|run| (run.offset, run.bytes.len())).collect();
        assert_eq!(sizes, [(0, 32), (48, 16)]);
    }

    #[test]
    fn zeros_are_cut_off_in_granules() {
        let mut run = Run { offset: 64, bytes: [[0; 8], [0; 8], [1; 8], [0; 8]].concat() };
        assert!(trim(&mut run, 8));
        assert_eq!(run, Run { offset: 80, bytes: vec![1; 8] });
        assert!(!trim(&mut Run { offset: 0, bytes: vec![0; 64] }, 8));
    }
}
