//! What differs between architectures when code is linked.
//!
//! Applies fixups to bytes, changes instructions that need no pointer after all, and makes the
//! few instructions that the linker adds: import stubs and branch thunks.

mod amd64;
mod arm64;

use crate::link::program::{Relocation, SymbolId};
use crate::{Arch, Fixup};

/// Alignment of an import stub in bytes.
pub(crate) const STUB_ALIGN: u64 = 4;

/// Why a fixup cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// The field cannot hold the value.
    OutOfRange,
    /// The bytes are no instruction that the fixup changes.
    Misplaced,
}

/// Changes the field at `offset` of `bytes`, whose own address is `place`, to refer to `value`:
/// `S + A`, or what the fixup's formula takes that from.
pub(crate) fn apply(
    fixup: Fixup,
    bytes: &mut [u8],
    offset: usize,
    place: u64,
    value: u64,
) -> Result<(), Misfit> {
    let distance = value.wrapping_sub(place) as i64;
    match fixup {
        Fixup::Absolute64 => write(bytes, offset, &value.to_le_bytes()),
        Fixup::Relative64 => write(bytes, offset, &distance.to_le_bytes()),
        Fixup::Absolute32 | Fixup::ImageRelative32 | Fixup::SectionRelative32 => {
            let value = u32::try_from(value).map_err(|_| Misfit::OutOfRange)?;
            write(bytes, offset, &value.to_le_bytes())
        }
        Fixup::Absolute32Signed => {
            let value = i32::try_from(value as i64).map_err(|_| Misfit::OutOfRange)?;
            write(bytes, offset, &value.to_le_bytes())
        }
        Fixup::Relative32 | Fixup::Branch32 => {
            let distance = i32::try_from(distance).map_err(|_| Misfit::OutOfRange)?;
            write(bytes, offset, &distance.to_le_bytes())
        }
        Fixup::SectionIndex16 => {
            let value = u16::try_from(value).map_err(|_| Misfit::OutOfRange)?;
            write(bytes, offset, &value.to_le_bytes())
        }
        Fixup::GotLoad32 => amd64::relax_load(bytes, offset, distance),
        // Always led to a pointer.
        Fixup::GotRelative32 => Err(Misfit::Misplaced),
        _ => arm64::apply(fixup, bytes, offset, place, value),
    }
}

fn write(bytes: &mut [u8], offset: usize, value: &[u8]) -> Result<(), Misfit> {
    let field = bytes.get_mut(offset..offset + value.len()).ok_or(Misfit::Misplaced)?;
    field.copy_from_slice(value);
    Ok(())
}

/// The addend that `field` holds before the fixup is applied, in formats that keep it there.
pub(crate) fn implicit_addend(fixup: Fixup, field: &[u8]) -> i64 {
    let word = || i32::from_le_bytes(field[..4].try_into().expect("a field of 4 bytes"));
    match fixup {
        Fixup::Absolute64 | Fixup::Relative64 => {
            i64::from_le_bytes(field[..8].try_into().expect("a field of 8 bytes"))
        }
        Fixup::SectionIndex16 => 0,
        Fixup::Absolute32
        | Fixup::Absolute32Signed
        | Fixup::Relative32
        | Fixup::Branch32
        | Fixup::GotRelative32
        | Fixup::GotLoad32
        | Fixup::ImageRelative32
        | Fixup::SectionRelative32 => i64::from(word()),
        _ => arm64::implicit_addend(fixup, word() as u32),
    }
}

/// Whether the instruction that wants a pointer at `offset` of `bytes` can be changed into one
/// that wants the symbol itself.
pub(crate) fn can_relax(fixup: Fixup, bytes: &[u8], offset: usize) -> bool {
    match fixup {
        Fixup::GotLoad32 => amd64::can_relax(bytes, offset),
        // ELF for the Arm 64-bit Architecture 5.7.5 and Apple's linker have one pair of
        // instructions for these, so both can be changed or neither.
        Fixup::GotPage21 | Fixup::GotPageOffset12 => true,
        _ => false,
    }
}

/// Binary logarithm of the bytes that the arm64 instruction at `offset` loads or stores.
pub(crate) fn load_scale(bytes: &[u8], offset: usize) -> u32 {
    let instruction = bytes.get(offset..offset + 4).and_then(|word| word.try_into().ok());
    arm64::load_scale(instruction.map_or(0, u32::from_le_bytes))
}

/// Code that jumps to where the pointer `slot` points, and its relocations.
pub(crate) fn stub(arch: Arch, slot: SymbolId) -> (Vec<u8>, Vec<Relocation>) {
    match arch {
        Arch::Amd64 => amd64::stub(slot),
        Arch::Arm64 => arm64::stub(slot),
    }
}

/// Code that jumps to `symbol` anywhere in the image, and its relocations; arm64 only.
pub(crate) fn thunk(symbol: SymbolId) -> (Vec<u8>, Vec<Relocation>) {
    arm64::thunk(symbol)
}

/// How far a direct call reaches in either direction, in bytes, where that is less than an image
/// may be.
pub(crate) fn branch_reach(arch: Arch) -> Option<u64> {
    match arch {
        Arch::Amd64 => None,
        Arch::Arm64 => Some(arm64::BRANCH_REACH),
    }
}

/// What fills the gaps between functions: an instruction that traps.
pub(crate) fn code_padding(arch: Arch) -> u8 {
    match arch {
        Arch::Amd64 => 0xcc,
        // `udf #0`
        Arch::Arm64 => 0,
    }
}

/// Bytes of a record of the unwind table of PE: PE Format, "The .pdata Section".
pub(crate) fn unwind_record_size(arch: Arch) -> u64 {
    match arch {
        Arch::Amd64 => 12,
        Arch::Arm64 => 8,
    }
}
