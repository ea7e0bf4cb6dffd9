//! The trie by which dyld finds what a library exports.
//!
//! A node says whether a name ends there, at which address, and which texts lead on to which nodes.
//! Source: Apple `mach-o/loader.h`, "dyld_info_command", exports; `EXPORT_SYMBOL_FLAGS_*`.

use super::dyld_info::push_uleb;

/// A node.
struct Node {
    /// Where the name that ends here leads.
    address: Option<u64>,
    /// What may follow: a text, and the number of the node it leads to.
    edges: Vec<(Vec<u8>, usize)>,
}

/// The trie of names and their addresses, counted from the image's first byte.
pub(super) fn trie(exports: &[(&str, u64)]) -> Vec<u8> {
    let mut sorted: Vec<(&[u8], u64)> =
        exports.iter().map(|(name, address)| (name.as_bytes(), *address)).collect();
    sorted.sort_unstable();
    let mut nodes = Vec::new();
    add(&mut nodes, &sorted, 0);
    // Where nodes lie depends on their sizes, and those on where nodes lie: both only grow.
    let mut places = vec![0; nodes.len()];
    loop {
        let mut place = 0;
        let mut next = Vec::with_capacity(places.len());
        for node in &nodes {
            next.push(place);
            place += node.bytes(&places).len() as u64;
        }
        if next == places {
            return nodes.iter().flat_map(|node| node.bytes(&places)).collect();
        }
        places = next;
    }
}

/// Adds a node for names that agree in their first `depth` bytes, and the nodes behind it; gives its
/// number.
fn add(nodes: &mut Vec<Node>, names: &[(&[u8], u64)], depth: usize) -> usize {
    let number = nodes.len();
    nodes.push(Node { address: None, edges: vec![] });
    let (ending, longer): (Vec<_>, Vec<_>) =
        names.iter().copied().partition(|(name, _)| name.len() == depth);
    nodes[number].address = ending.first().map(|(_, address)| *address);
    for group in longer.chunk_by(|one, other| one.0[depth] == other.0[depth]) {
        let (first, last) = (group[0].0, group[group.len() - 1].0);
        let shared = first[depth..].iter().zip(&last[depth..]).take_while(|(a, b)| a == b).count();
        let child = add(nodes, group, depth + shared);
        nodes[number].edges.push((first[depth..depth + shared].to_vec(), child));
    }
    number
}

impl Node {
    fn bytes(&self, places: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut own = Vec::new();
        if let Some(address) = self.address {
            // Flags: a symbol like any other.
            own.push(0);
            push_uleb(&mut own, address);
        }
        push_uleb(&mut bytes, own.len() as u64);
        bytes.extend(own);
        bytes.push(self.edges.len() as u8);
        for (text, child) in &self.edges {
            bytes.extend_from_slice(text);
            bytes.push(0);
            push_uleb(&mut bytes, places[*child]);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_share_what_they_begin_with() {
        let bytes = trie(&[("_ab", 0x1000), ("_a", 0x80)]);
        let root = [0, 1, b'_', b'a', 0, 6];
        let first = [3, 0, 0x80, 1, 1, b'b', 0, 14];
        let second = [3, 0, 0x80, 0x20, 0];
        assert_eq!(bytes, [&root[..], &first, &second].concat());
    }
}
