//! What a table holds when the program starts, and what calls through it then reach.
//!
//! Where nothing changes a table, a call whose index is constant has one callee, and so has a call
//! whose signature only one entry has: it is direct once the index is compared.

use crate::error::Error;
use crate::module::Constant;
use crate::program::{Placement, Spaces};
use std::collections::BTreeMap;

/// The entries of a table after the active segments that lie in the image.
#[derive(Debug)]
pub(crate) struct Contents {
    /// Every entry that is not in `entries`.
    initial: Constant,
    entries: BTreeMap<u64, Constant>,
    /// By signature, the entry that alone has it; none if there are several.
    sole: BTreeMap<u32, Option<(u64, u32)>>,
}

impl Contents {
    pub(super) fn new(spaces: &Spaces<'_>, table_index: u32) -> Result<Self, Error> {
        let table = &spaces.tables[table_index as usize];
        let initial = match &table.initial {
            Some(initial) => spaces.evaluate(table.instance, initial, "a table entry")?,
            None => Constant::Null,
        };
        let mut entries = BTreeMap::new();
        for segment in &spaces.elements {
            let Placement::Image { index, offset } = segment.placement else { continue };
            if index == table_index {
                for (position, item) in (offset..).zip(&segment.item.items) {
                    entries.insert(position, spaces.item(segment.instance, item)?);
                }
            }
        }
        let mut sole = BTreeMap::new();
        if matches!(initial, Constant::Null) {
            for (&position, value) in &entries {
                if let Constant::Function(function) = *value {
                    sole.entry(spaces.signature(function).id)
                        .and_modify(|entry| *entry = None)
                        .or_insert(Some((position, function)));
                }
            }
        }
        Ok(Self { initial, entries, sole })
    }

    /// What the table holds there.
    pub(crate) fn at(&self, position: u64) -> Constant {
        self.entries.get(&position).copied().unwrap_or(self.initial)
    }

    /// Where the only function with that signature is, and which it is.
    pub(crate) fn sole(&self, signature: u32) -> Option<(u64, u32)> {
        self.sole.get(&signature).copied().flatten()
    }
}
