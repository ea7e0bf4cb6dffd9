//! Whether what is exported matches what is imported.
//!
//! Defined types are equal when the validator gave them one number; modules of one program are
//! read by one validator.
//!
//! Source: core specification, "Validation / Matching".

use crate::module::{Memory, Module, Table};
use wasmparser::{AbstractHeapType, HeapType, RefType, ValType};

/// A type and the module whose indices it uses.
pub(super) type Of<'a, T> = (T, &'a Module<'a>);

/// Whether a value of type `found` is one of type `wanted`.
pub(super) fn value(found: Of<'_, ValType>, wanted: Of<'_, ValType>) -> bool {
    match (found.0, wanted.0) {
        (ValType::Ref(one), ValType::Ref(other)) => reference((one, found.1), (other, wanted.1)),
        (one, other) => one == other,
    }
}

fn reference(found: Of<'_, RefType>, wanted: Of<'_, RefType>) -> bool {
    (wanted.0.is_nullable() || !found.0.is_nullable())
        && heap((found.0.heap_type(), found.1), (wanted.0.heap_type(), wanted.1))
}

fn heap(found: Of<'_, HeapType>, wanted: Of<'_, HeapType>) -> bool {
    use AbstractHeapType::{Exn, Extern, Func, NoExn, NoExtern, NoFunc};
    match (number(found), number(wanted)) {
        (Some(one), Some(other)) => return one == other,
        (Some(_), None) => return is_abstract(wanted.0, Func),
        (None, Some(_)) => return is_abstract(found.0, NoFunc),
        (None, None) => {}
    }
    let bottoms = [(NoFunc, Func), (NoExtern, Extern), (NoExn, Exn)];
    found.0 == wanted.0
        || bottoms
            .iter()
            .any(|&(bottom, top)| is_abstract(found.0, bottom) && is_abstract(wanted.0, top))
}

fn is_abstract(ty: HeapType, wanted: AbstractHeapType) -> bool {
    matches!(ty, HeapType::Abstract { ty, .. } if ty == wanted)
}

/// The number of a defined type over the whole program.
fn number((ty, module): Of<'_, HeapType>) -> Option<u32> {
    let HeapType::Concrete(index) = ty else { return None };
    module.types.get(index.as_module_index()? as usize).map(|signature| signature.id)
}

/// Whether two types are the same.
pub(super) fn is_same(one: Of<'_, ValType>, other: Of<'_, ValType>) -> bool {
    value(one, other) && value(other, one)
}

/// What is to be said of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    Match,
    /// They match once the exported one has grown to the imported one's minimum.
    MatchWhenGrown,
    Differ,
}

/// Compares minima and maxima; `growable` is what the exported one can grow to.
fn limits(found: (u64, Option<u64>), wanted: (u64, Option<u64>), growable: u64) -> Limits {
    let bounded = match (found.1, wanted.1) {
        (_, None) => true,
        (Some(found), Some(wanted)) => found <= wanted,
        (None, Some(_)) => false,
    };
    match bounded {
        false => Limits::Differ,
        true if found.0 >= wanted.0 => Limits::Match,
        true if growable >= wanted.0 => Limits::MatchWhenGrown,
        true => Limits::Differ,
    }
}

pub(super) fn table(found: Of<'_, &Table<'_>>, wanted: Of<'_, &Table<'_>>) -> Limits {
    let ((one, from), (other, into)) = (found, wanted);
    let elements = [(one.element, from), (other.element, into)];
    let [found, wanted] = elements.map(|(element, module)| (ValType::Ref(element), module));
    if one.table64 != other.table64 || !is_same(found, wanted) {
        return Limits::Differ;
    }
    let growable = one.maximum.unwrap_or(u64::MAX);
    limits((one.minimum, one.maximum), (other.minimum, other.maximum), growable)
}

pub(super) fn memory(found: &Memory, wanted: &Memory) -> Limits {
    if (found.memory64, found.shared) != (wanted.memory64, wanted.shared) {
        return Limits::Differ;
    }
    let declared = |memory: &Memory| (memory.minimum, memory.declared_maximum);
    limits(declared(found), declared(wanted), found.maximum)
}
