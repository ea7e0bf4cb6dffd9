//! Counting trailing zeros by an instruction that processors of every age have.
//!
//! `bsf` leaves its result as it was for an operand of zero, so that a conditional move behind it
//! puts the operand's size there. The same operation code with a prefix is `tzcnt`, which gives that
//! size itself and is several times faster; processors that lack it ignore the prefix. With the size
//! in its place before, both give the same for every operand.
//!
//! Sources: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, "BSF" and
//! "TZCNT"; AMD64 Architecture Programmer's Manual, volume 3, the same.

/// An operation of the two-byte table on two registers.
struct Operation {
    /// REX, or zero.
    rex: u8,
    opcode: u8,
    modrm: u8,
}

impl Operation {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (rex, rest) = match *bytes {
            [rex @ 0x40..=0x4f, ref rest @ ..] => (rex, rest),
            ref rest => (0, rest),
        };
        match *rest {
            [0x0f, opcode, modrm @ 0xc0..=0xff] => Some(Self { rex, opcode, modrm }),
            _ => None,
        }
    }

    fn is_wide(&self) -> bool {
        self.rex & 8 != 0
    }

    fn result(&self) -> u8 {
        (self.rex & 4) << 1 | self.modrm >> 3 & 7
    }

    fn operand(&self) -> u8 {
        (self.rex & 1) << 3 | self.modrm & 7
    }
}

/// Whether these are `bsf` and the `cmovz` behind it, with registers that allow for a count.
pub(super) fn is_count(scan: &[u8], choice: &[u8]) -> bool {
    const BSF: u8 = 0xbc;
    const CMOVZ: u8 = 0x44;
    let (Some(found), Some(chosen)) = (Operation::parse(scan), Operation::parse(choice)) else {
        return false;
    };
    (found.opcode, chosen.opcode) == (BSF, CMOVZ)
        && found.is_wide() == chosen.is_wide()
        && found.result() == chosen.result()
        && found.result() != found.operand()
}

/// Appends what does the same as those two, in as many bytes.
pub(super) fn write_count(scan: &[u8], choice: &[u8], bytes: &mut Vec<u8>) {
    const MOV: u8 = 0x8b;
    const REP: u8 = 0xf3;
    if let [prefix @ .., _, _, modrm] = choice {
        bytes.extend_from_slice(prefix);
        bytes.extend([MOV, *modrm, REP]);
    }
    bytes.extend_from_slice(scan);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recode(scan: &[u8], choice: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        is_count(scan, choice).then(|| write_count(scan, choice, &mut bytes))?;
        Some(bytes)
    }

    #[test]
    fn a_scan_with_its_choice_becomes_a_count() {
        // bsf %rdi, %rdx; cmove %rcx, %rdx
        let count = recode(&[0x48, 0x0f, 0xbc, 0xd7], &[0x48, 0x0f, 0x44, 0xd1]).unwrap();
        // mov %rcx, %rdx; tzcnt %rdi, %rdx
        assert_eq!(count, [0x48, 0x8b, 0xd1, 0xf3, 0x48, 0x0f, 0xbc, 0xd7]);
        // bsf %r11d, %edx; cmove %ecx, %edx
        let count = recode(&[0x41, 0x0f, 0xbc, 0xd3], &[0x0f, 0x44, 0xd1]).unwrap();
        assert_eq!(count, [0x8b, 0xd1, 0xf3, 0x41, 0x0f, 0xbc, 0xd3]);
    }

    #[test]
    fn others_stay() {
        let scan = [0x0f, 0xbc, 0xd7];
        for choice in [
            // Another result, another size, another condition, memory.
            &[0x0f, 0x44, 0xc1][..],
            &[0x44, 0x0f, 0x44, 0xd1],
            &[0x48, 0x0f, 0x44, 0xd1],
            &[0x0f, 0x45, 0xd1],
            &[0x0f, 0x44, 0x11],
        ] {
            assert_eq!(recode(&scan, choice), None);
        }
        // The operand would be overwritten; another operation.
        assert_eq!(recode(&[0x0f, 0xbc, 0xd2], &[0x0f, 0x44, 0xd1]), None);
        assert_eq!(recode(&[0x0f, 0xbd, 0xd7], &[0x0f, 0x44, 0xd1]), None);
    }
}
