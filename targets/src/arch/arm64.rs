//! arm64: fixups of instructions, relaxation of pointer loads, import stubs and branch thunks.
//!
//! Sources: Arm Architecture Reference Manual C6 (encodings); ELF for the Arm 64-bit
//! Architecture 5.7.

use super::Misfit;
use crate::Fixup;
use crate::link::program::{Relocation, SymbolId};

/// `bl` and `b` hold a signed count of 4-byte instructions in 26 bits.
pub(super) const BRANCH_REACH: u64 = 128 << 20;

/// Register that calls may change on the way: IP0 of the procedure call standard.
const SCRATCH: u32 = 16;

pub(super) fn apply(
    fixup: Fixup,
    bytes: &mut [u8],
    offset: usize,
    place: u64,
    value: u64,
) -> Result<(), Misfit> {
    let field = bytes.get_mut(offset..offset + 4).ok_or(Misfit::Misplaced)?;
    let instruction = u32::from_le_bytes(field.try_into().expect("4 bytes"));
    let distance = value.wrapping_sub(place) as i64;
    let changed = match fixup {
        Fixup::Branch26 => with_branch(instruction, distance, 26, 0)?,
        Fixup::Branch19 => with_branch(instruction, distance, 19, 5)?,
        Fixup::Branch14 => with_branch(instruction, distance, 14, 5)?,
        Fixup::Address21 => with_address(instruction, distance)?,
        Fixup::Page21 | Fixup::GotPage21 => {
            let pages = (value >> 12).wrapping_sub(place >> 12) as i64;
            with_address(instruction, pages)?
        }
        Fixup::PageOffset12Add | Fixup::PageOffset12Load => with_offset(instruction, value)?,
        Fixup::GotPageOffset12 => with_offset(relax_load(instruction)?, value)?,
        _ => return Err(Misfit::Misplaced),
    };
    field.copy_from_slice(&changed.to_le_bytes());
    Ok(())
}

/// Puts `distance`, in instructions, into `bits` bits from `shift` upwards.
fn with_branch(instruction: u32, distance: i64, bits: u32, shift: u32) -> Result<u32, Misfit> {
    let limit = 1 << (bits + 1);
    if distance % 4 != 0 || !(-limit..limit).contains(&distance) {
        return Err(Misfit::OutOfRange);
    }
    let mask = ((1 << bits) - 1) << shift;
    Ok(instruction & !mask | ((distance >> 2) as u32) << shift & mask)
}

/// Puts `immediate` into the 21 bits of an `adr` or `adrp`.
fn with_address(instruction: u32, immediate: i64) -> Result<u32, Misfit> {
    if instruction & 0x1f00_0000 != 0x1000_0000 {
        return Err(Misfit::Misplaced);
    }
    if !(-(1 << 20)..1 << 20).contains(&immediate) {
        return Err(Misfit::OutOfRange);
    }
    let low = (immediate as u32 & 3) << 29;
    let high = (immediate as u32 >> 2 & 0x7_ffff) << 5;
    Ok(instruction & 0x9f00_001f | low | high)
}

/// Puts the low 12 bits of `value` into an `add`, load or store, scaled as that wants it.
fn with_offset(instruction: u32, value: u64) -> Result<u32, Misfit> {
    let scale = offset_scale(instruction).ok_or(Misfit::Misplaced)?;
    let low = value as u32 & 0xfff;
    if low & ((1 << scale) - 1) != 0 {
        return Err(Misfit::OutOfRange);
    }
    Ok(instruction & !(0xfff << 10) | (low >> scale) << 10)
}

/// Binary logarithm of what an instruction's 12-bit offset counts, if it has one.
fn offset_scale(instruction: u32) -> Option<u32> {
    // Add (immediate), not shifted.
    if instruction & 0x7fc0_0000 == 0x1100_0000 {
        return Some(0);
    }
    // Load or store register (unsigned immediate).
    if instruction & 0x3b00_0000 != 0x3900_0000 {
        return None;
    }
    let size = instruction >> 30;
    // Vector registers of 16 bytes have size 0 and the high bit of opc set.
    let vector_of_16 = size == 0 && instruction & 0x0480_0000 == 0x0480_0000;
    Some(if vector_of_16 { 4 } else { size })
}

/// Binary logarithm of the bytes that an instruction loads or stores; 0 if it does neither.
pub(super) fn load_scale(instruction: u32) -> u32 {
    offset_scale(instruction).unwrap_or(0)
}

/// `ldr xT, [xN, #pointer]` becomes `add xT, xN, #symbol`.
fn relax_load(instruction: u32) -> Result<u32, Misfit> {
    if instruction & 0xffc0_0000 != 0xf940_0000 {
        return Err(Misfit::Misplaced);
    }
    Ok(0x9100_0000 | instruction & 0x3ff)
}

pub(super) fn implicit_addend(fixup: Fixup, instruction: u32) -> i64 {
    match fixup {
        Fixup::Page21 | Fixup::Address21 => {
            let immediate = (instruction >> 3 & 0x1f_fffc) | (instruction >> 29 & 3);
            i64::from((immediate << 11) as i32 >> 11)
        }
        Fixup::PageOffset12Add | Fixup::PageOffset12Load => {
            let scale = offset_scale(instruction).unwrap_or(0);
            i64::from((instruction >> 10 & 0xfff) << scale)
        }
        _ => 0,
    }
}

fn relocation(offset: u32, fixup: Fixup, symbol: SymbolId) -> Relocation {
    Relocation { offset, fixup, symbol, subtrahend: None, addend: 0 }
}

fn code(instructions: [u32; 3]) -> Vec<u8> {
    instructions.iter().flat_map(|instruction| instruction.to_le_bytes()).collect()
}

const ADRP: u32 = 0x9000_0000 | SCRATCH;
const BR: u32 = 0xd61f_0000 | SCRATCH << 5;

/// `adrp x16, slot; ldr x16, [x16, #slot]; br x16`
pub(super) fn stub(slot: SymbolId) -> (Vec<u8>, Vec<Relocation>) {
    const LDR: u32 = 0xf940_0000 | SCRATCH << 5 | SCRATCH;
    let load = relocation(4, Fixup::PageOffset12Load, slot);
    (code([ADRP, LDR, BR]), vec![relocation(0, Fixup::Page21, slot), load])
}

/// `adrp x16, symbol; add x16, x16, #symbol; br x16`
pub(super) fn thunk(symbol: SymbolId) -> (Vec<u8>, Vec<Relocation>) {
    const ADD: u32 = 0x9100_0000 | SCRATCH << 5 | SCRATCH;
    let add = relocation(4, Fixup::PageOffset12Add, symbol);
    (code([ADRP, ADD, BR]), vec![relocation(0, Fixup::Page21, symbol), add])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(fixup: Fixup, instruction: u32, place: u64, value: u64) -> Result<u32, Misfit> {
        let mut bytes = instruction.to_le_bytes();
        apply(fixup, &mut bytes, 0, place, value)?;
        Ok(u32::from_le_bytes(bytes))
    }

    #[test]
    fn branches_reach_128_mib_and_no_further() {
        let bl = 0x9400_0000;
        assert_eq!(fixed(Fixup::Branch26, bl, 0x1000, 0x1008), Ok(0x9400_0002));
        assert_eq!(fixed(Fixup::Branch26, bl, 0x1008, 0x1000), Ok(0x97ff_fffe));
        assert_eq!(fixed(Fixup::Branch26, bl, 0, BRANCH_REACH - 4), Ok(0x95ff_ffff));
        assert_eq!(fixed(Fixup::Branch26, bl, 0, BRANCH_REACH), Err(Misfit::OutOfRange));
        assert_eq!(fixed(Fixup::Branch26, bl, BRANCH_REACH, 0), Ok(0x9600_0000));
        assert_eq!(fixed(Fixup::Branch26, bl, 0, 2), Err(Misfit::OutOfRange));
    }

    #[test]
    fn an_address_is_a_page_and_an_offset() {
        let (place, value) = (0x40_0ffc, 0x40_5678);
        assert_eq!(fixed(Fixup::Page21, 0x9000_0000, place, value), Ok(0xb000_0020));
        assert_eq!(fixed(Fixup::PageOffset12Add, 0x9100_0000, place, value), Ok(0x9119_e000));
        // ldr x0, [x0, #0x678] and ldr w0, ldrb w0, ldr q0 of the same
        for (instruction, scale) in
            [(0xf940_0000, 3), (0xb940_0000, 2), (0x3940_0000, 0), (0x3dc0_0000, 4)]
        {
            let wanted = match scale {
                4 => Err(Misfit::OutOfRange),
                _ => Ok(instruction | (0x678 >> scale) << 10),
            };
            assert_eq!(fixed(Fixup::PageOffset12Load, instruction, place, value), wanted);
        }
    }

    #[test]
    fn a_pointer_load_becomes_an_addition() {
        // ldr x3, [x2, #pointer]
        let found = fixed(Fixup::GotPageOffset12, 0xf940_0043, 0, 0x1234);
        assert_eq!(found, Ok(0x9108_d043));
        let narrow = fixed(Fixup::GotPageOffset12, 0xb940_0043, 0, 0x1234);
        assert_eq!(narrow, Err(Misfit::Misplaced));
    }

    #[test]
    fn addends_in_instructions_are_read() {
        let adrp = with_address(0x9000_0000, -8).unwrap();
        assert_eq!(implicit_addend(Fixup::Page21, adrp), -8);
        let load = with_offset(0xf940_0000, 0x678).unwrap();
        assert_eq!(implicit_addend(Fixup::PageOffset12Load, load), 0x678);
    }
}
