//! amd64: relaxation of pointer loads, and the import stub.
//!
//! Source: System V ABI, AMD64 supplement, B.2 "Optimize GOTPCRELX Relocations".

use super::{Misfit, write};
use crate::Fixup;
use crate::link::program::{Relocation, SymbolId};

/// What an instruction that reads a pointer is changed into.
enum Load {
    /// `mov symbol@GOTPCREL(%rip), %reg` becomes `lea symbol(%rip), %reg`.
    Mov,
    /// `call *symbol@GOTPCREL(%rip)` becomes `addr32 call symbol`.
    Call,
    /// `jmp *symbol@GOTPCREL(%rip)` becomes `jmp symbol; nop`.
    Jmp,
}

fn parse(bytes: &[u8], offset: usize) -> Option<Load> {
    match *bytes.get(offset.checked_sub(2)?..offset)? {
        // Mod 0 with r/m 5 is an operand relative to the instruction pointer.
        [0x8b, modrm] if modrm & 0xc7 == 5 => Some(Load::Mov),
        [0xff, 0x15] => Some(Load::Call),
        [0xff, 0x25] => Some(Load::Jmp),
        _ => None,
    }
}

pub(super) fn can_relax(bytes: &[u8], offset: usize) -> bool {
    parse(bytes, offset).is_some()
}

/// Changes the instruction whose operand lies at `offset` to refer to what is `distance` away
/// from the operand, less 4.
pub(super) fn relax_load(bytes: &mut [u8], offset: usize, distance: i64) -> Result<(), Misfit> {
    let load = parse(bytes, offset).ok_or(Misfit::Misplaced)?;
    let operand = |distance: i64| match i32::try_from(distance) {
        Ok(distance) => Ok(distance.to_le_bytes()),
        Err(_) => Err(Misfit::OutOfRange),
    };
    match load {
        Load::Mov => {
            bytes[offset - 2] = 0x8d;
            write(bytes, offset, &operand(distance)?)
        }
        Load::Call => {
            bytes[offset - 2..offset].copy_from_slice(&[0x67, 0xe8]);
            write(bytes, offset, &operand(distance)?)
        }
        Load::Jmp => {
            bytes[offset - 2] = 0xe9;
            // The instruction ends one byte earlier than before.
            write(bytes, offset - 1, &operand(distance.wrapping_add(1))?)?;
            write(bytes, offset + 3, &[0x90])
        }
    }
}

/// `jmp *slot(%rip)`
pub(super) fn stub(slot: SymbolId) -> (Vec<u8>, Vec<Relocation>) {
    let relocation = Relocation {
        offset: 2,
        fixup: Fixup::Relative32,
        symbol: slot,
        subtrahend: None,
        addend: -4,
    };
    (vec![0xff, 0x25, 0, 0, 0, 0], vec![relocation])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_load_becomes_an_address() {
        // mov 0(%rip), %rdi
        let mut bytes = [0x48, 0x8b, 0x3d, 0, 0, 0, 0];
        relax_load(&mut bytes, 3, 0x10).unwrap();
        assert_eq!(bytes, [0x48, 0x8d, 0x3d, 0x10, 0, 0, 0]);
    }

    #[test]
    fn an_indirect_jump_becomes_direct() {
        let mut bytes = [0xff, 0x25, 0, 0, 0, 0];
        relax_load(&mut bytes, 2, 0x10).unwrap();
        assert_eq!(bytes, [0xe9, 0x11, 0, 0, 0, 0x90]);
        let mut bytes = [0xff, 0x15, 0, 0, 0, 0];
        relax_load(&mut bytes, 2, 0x10).unwrap();
        assert_eq!(bytes, [0x67, 0xe8, 0x10, 0, 0, 0]);
    }

    #[test]
    fn other_instructions_keep_their_pointer() {
        // cmp 0(%rip), %rax
        assert!(!can_relax(&[0x48, 0x3b, 0x05, 0, 0, 0, 0], 3));
        let mut bytes = [0x48, 0x3b, 0x05, 0, 0, 0, 0];
        assert_eq!(relax_load(&mut bytes, 3, 0), Err(Misfit::Misplaced));
    }

    #[test]
    fn what_is_too_far_is_refused() {
        let mut bytes = [0x48, 0x8b, 0x3d, 0, 0, 0, 0];
        assert_eq!(relax_load(&mut bytes, 3, 1 << 31), Err(Misfit::OutOfRange));
    }
}
