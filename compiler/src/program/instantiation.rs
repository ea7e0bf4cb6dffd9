//! How instances come about: what lies in the executable's image already, and what code does.
//!
//! An active segment lies in the image if nobody can tell the difference: no code runs before its
//! instance comes about, or nobody but its instance can have seen where it goes; and every active
//! segment of the instance fits. Otherwise the program copies it when the instance comes about,
//! and traps as the specification says.
//!
//! Source: core specification, "Execution / Modules / Instantiation".

use super::{Instance, Segment, Spaces};
use crate::error::Error;
use crate::module::{Index, Mode, Module};

/// Where the contents of a segment go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Wherever code says.
    Passive,
    /// Nowhere: it only declares functions that are referred to.
    Declared,
    /// Into the image of the table or memory of that index of the program.
    Image { index: u32, offset: u64 },
    /// There, but when the instance comes about.
    Instantiation { index: u32, offset: u64 },
}

/// A table or memory that an instance imports, and the length that it must have by then, in
/// entries or bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) index: Index,
    pub(crate) minimum: u64,
}

/// Adds an instance's segments to the program. `first` says that no code runs before it.
pub(super) fn add_segments<'a>(
    spaces: &mut Spaces<'a>,
    instance: u32,
    module: &'a Module<'a>,
    first: bool,
) -> Result<(), Error> {
    let mut elements = Vec::new();
    for item in &module.elements {
        let placement = placement(spaces, instance, &item.mode, Index::Table)?;
        elements.push(Segment { instance, item, placement });
    }
    let mut data = Vec::new();
    for item in &module.data {
        let placement = placement(spaces, instance, &item.mode, Index::Memory)?;
        data.push(Segment { instance, item, placement });
    }
    let places = elements
        .iter()
        .map(|segment| (segment.placement, segment.item.items.len(), true))
        .chain(data.iter().map(|segment| (segment.placement, segment.item.bytes.len(), false)));
    let in_image = places.into_iter().all(|(placement, count, is_table)| {
        let Placement::Image { index, offset } = placement else { return true };
        let (owner, length) = match is_table {
            true => {
                let table = &spaces.tables[index as usize];
                (table.instance, table.minimum)
            }
            false => {
                let memory = &spaces.memories[index as usize];
                (memory.instance, memory.minimum)
            }
        };
        let fits = offset.checked_add(count as u64).is_some_and(|end| end <= length);
        fits && (first || owner == instance)
    });
    if !in_image {
        elements.iter_mut().for_each(|segment| segment.placement.postpone());
        data.iter_mut().for_each(|segment| segment.placement.postpone());
    }
    // Every thread is an instance of its own, which copies them anew.
    if spaces.thread_start.is_some() {
        data.iter_mut().for_each(|segment| segment.placement.postpone());
    }
    spaces.elements.extend(elements);
    spaces.data.extend(data);
    Ok(())
}

fn placement(
    spaces: &Spaces<'_>,
    instance: u32,
    mode: &Mode<'_>,
    kind: fn(u32) -> Index,
) -> Result<Placement, Error> {
    Ok(match mode {
        Mode::Passive => Placement::Passive,
        Mode::Declared => Placement::Declared,
        Mode::Active { index, offset } => {
            let indices = &spaces.instances[instance as usize].indices;
            let index = indices.program(kind(*index));
            let offset = spaces.evaluate(instance, offset, "a segment's offset")?.as_offset();
            Placement::Image { index, offset }
        }
    })
}

impl Placement {
    /// Whether code copies the segment from where it lies.
    pub(crate) fn is_copied(self) -> bool {
        matches!(self, Self::Passive | Self::Instantiation { .. })
    }

    fn postpone(&mut self) {
        if let Self::Image { index, offset } = *self {
            *self = Self::Instantiation { index, offset };
        }
    }
}

impl Instance<'_> {
    /// Whether code runs when the instance comes about.
    pub(super) fn runs_code(&self) -> bool {
        self.calls().next().is_some()
    }
}
