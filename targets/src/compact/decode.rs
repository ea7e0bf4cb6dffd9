//! Lengths of amd64's instructions, and those forms that moving code must know.
//!
//! Decides by tables that cost nothing to set up, where a general decoder first unfolds thousands
//! of descriptions. Guarantees that an instruction it returns has that length; what is not certain,
//! and what code of the 64-bit mode does not hold, is none.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and
//! appendix A.

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) size: usize,
    /// Where the last byte of its operation code is.
    pub(super) opcode: usize,
    /// How it refers to another place in the code.
    pub(super) reference: Option<Reference>,
    pub(super) form: Form,
    /// Whether its first operand is the stack pointer, in the operations of one byte: the code
    /// generator gives it to no others.
    pub(super) names_stack: bool,
}

/// A distance from an instruction's end to where it branches or to an operand in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference {
    /// Where the distance lies: one byte at the end of a short branch, else four.
    pub(super) field: usize,
    pub(super) distance: i32,
}

/// What is to be known of an instruction besides its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `call` by a distance of four bytes.
    Call,
    /// `jmp` by a distance.
    Jump,
    /// A conditional branch by a distance.
    Branch {
        condition: u8,
    },
    /// `jmp` to where a register or memory says.
    JumpIndirect,
    /// `ret`.
    Return,
    /// `ud2`.
    Trap,
    /// `add` and its kind, of 32 or 64 bits, with an immediate operand of four bytes.
    Immediate {
        value: i32,
    },
    Other,
}

/// Which table an operation code belongs to: by what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Map {
    /// Nothing.
    One,
    /// `0f`.
    Two,
    /// `0f 38`.
    Three38,
    /// `0f 3a`.
    Three3a,
}

/// What stands before an operation code.
struct Prefixes {
    /// The prefix of operands of 16 bits.
    short: bool,
    /// The four bits of REX; zero without.
    rex: u8,
    /// Encoded by VEX or EVEX.
    vector: bool,
    map: Map,
    /// Where the operation code's last byte is.
    opcode: usize,
}

impl Prefixes {
    /// Whether operands have 64 bits.
    fn wide(&self) -> bool {
        self.rex & 8 != 0
    }

    /// Whether operands have 16 bits.
    fn half(&self) -> bool {
        self.short && !self.wide()
    }
}

/// Decodes the instruction that `bytes` begin with.
pub(super) fn decode(bytes: &[u8]) -> Option<Instruction> {
    let prefixes = prefixes(bytes)?;
    let Prefixes { opcode, map, .. } = prefixes;
    let byte = *bytes.get(opcode)?;
    let Operands { modrm, mut immediate } = operands(&prefixes, byte)?;
    let mut size = opcode + 1;
    let mut register = 0;
    let mut field = None;
    if modrm {
        let modrm = *bytes.get(size)?;
        let memory = memory(modrm, bytes.get(size + 1).copied())?;
        field = memory.relative.then_some(size + 1);
        register = modrm >> 3 & 7;
        size += memory.size;
        // The rest of this group is for transactions.
        if map == Map::One && matches!(byte, 0xc6 | 0xc7) && register > 0 {
            return None;
        }
        // Of this group `test` alone has an immediate operand.
        if map == Map::One && matches!(byte, 0xf6 | 0xf7) && register > 1 {
            immediate = Immediate::None;
        }
    }
    let end = size + immediate.size(&prefixes);
    let immediate = bytes.get(size..end)?;
    let form = form(&prefixes, byte, register, immediate);
    if form.branches() {
        // With a prefix, a branch is of another size or kind.
        if opcode != usize::from(map == Map::Two) {
            return None;
        }
        field = Some(size);
    }
    let reference = match field {
        Some(field) => Some(Reference { field, distance: number(&bytes[field..end])? }),
        None => None,
    };
    let names_stack = names_stack(&prefixes, byte, modrm.then(|| bytes[opcode + 1]));
    Some(Instruction { size: end, opcode, reference, form, names_stack })
}

/// The number that bytes begin with: of four bytes, or of one where there is one.
fn number(bytes: &[u8]) -> Option<i32> {
    match *bytes {
        [byte] => Some((byte as i8).into()),
        [a, b, c, d, ..] => Some(i32::from_le_bytes([a, b, c, d])),
        _ => None,
    }
}

impl Form {
    /// Whether it goes to a place that is known.
    pub(super) fn branches(self) -> bool {
        matches!(self, Self::Call | Self::Jump | Self::Branch { .. })
    }
}

/// Reads what stands before the operation code.
fn prefixes(bytes: &[u8]) -> Option<Prefixes> {
    let mut short = false;
    let mut at = 0;
    while let byte @ (0x66 | 0xf0 | 0xf2 | 0xf3) = *bytes.get(at)? {
        short |= byte == 0x66;
        at += 1;
    }
    let vector = |map: u8, opcode| {
        let map = match map {
            1 => Map::Two,
            2 => Map::Three38,
            3 => Map::Three3a,
            _ => return None,
        };
        Some(Prefixes { short: false, rex: 0, vector: true, map, opcode })
    };
    match *bytes.get(at)? {
        0xc5 if at == 0 => return vector(1, 2),
        0xc4 if at == 0 => return vector(bytes.get(1)? & 0x1f, 3),
        0x62 if at == 0 => return vector(bytes.get(1)? & 0x0f, 4),
        _ => {}
    }
    let mut rex = 0;
    if let byte @ 0x40..=0x4f = *bytes.get(at)? {
        rex = byte & 0x0f;
        at += 1;
    }
    let (map, opcode) = match (bytes.get(at)?, bytes.get(at + 1)) {
        (0x0f, Some(0x38)) => (Map::Three38, at + 2),
        (0x0f, Some(0x3a)) => (Map::Three3a, at + 2),
        (0x0f, _) => (Map::Two, at + 1),
        _ => (Map::One, at),
    };
    Some(Prefixes { short, rex, vector: false, map, opcode })
}

/// What follows an operation code.
#[derive(Debug, Clone, Copy)]
struct Operands {
    /// Whether a ModR/M byte with what belongs to it comes first.
    modrm: bool,
    immediate: Immediate,
}

/// An immediate operand.
#[derive(Debug, Clone, Copy)]
enum Immediate {
    None,
    Byte,
    /// Two bytes.
    Word,
    /// Four bytes, or two where operands have 16 bits.
    Long,
    /// Four bytes always.
    Distance,
    /// As many bytes as the operands have.
    Full,
}

impl Immediate {
    fn size(self, prefixes: &Prefixes) -> usize {
        match self {
            Self::None => 0,
            Self::Byte => 1,
            Self::Word => 2,
            Self::Distance => 4,
            Self::Full if prefixes.wide() => 8,
            Self::Long | Self::Full if prefixes.half() => 2,
            Self::Long | Self::Full => 4,
        }
    }
}

fn operands(prefixes: &Prefixes, byte: u8) -> Option<Operands> {
    let (modrm, immediate) = match (prefixes.map, prefixes.vector) {
        (Map::One, _) => one_byte(byte)?,
        (Map::Two, false) => two_bytes(byte)?,
        (Map::Two, true) => two_bytes_of_vector(byte),
        (Map::Three38, _) => (true, Immediate::None),
        (Map::Three3a, _) => (true, Immediate::Byte),
    };
    Some(Operands { modrm, immediate })
}

/// Appendix A, table A-2.
fn one_byte(byte: u8) -> Option<(bool, Immediate)> {
    use Immediate::{Byte, Distance, Full, Long, None as Nothing, Word};
    Some(match byte {
        0x00..=0x3f => match byte & 7 {
            0..=3 => (true, Nothing),
            4 => (false, Byte),
            5 => (false, Long),
            _ => return None,
        },
        0x50..=0x5f | 0x90..=0x99 | 0xa4..=0xa7 | 0xaa..=0xaf => (false, Nothing),
        0xc3 | 0xc9 | 0xcc | 0xf4 => (false, Nothing),
        0x63 | 0x84..=0x8b | 0x8d | 0xd0..=0xd3 | 0xfe | 0xff => (true, Nothing),
        0x68 | 0xa9 => (false, Long),
        0x6a | 0x70..=0x7f | 0xa8 | 0xb0..=0xb7 | 0xeb => (false, Byte),
        0xe8 | 0xe9 => (false, Distance),
        0xb8..=0xbf => (false, Full),
        0xc2 => (false, Word),
        0x69 | 0x81 | 0xc7 | 0xf7 => (true, Long),
        0x6b | 0x80 | 0x83 | 0xc0 | 0xc1 | 0xc6 | 0xf6 => (true, Byte),
        _ => return None,
    })
}

/// Appendix A, table A-3.
fn two_bytes(byte: u8) -> Option<(bool, Immediate)> {
    use Immediate::{Byte, Distance, None as Nothing};
    Some(match byte {
        0x05 | 0x0b | 0x31 | 0xa2 | 0xc8..=0xcf => (false, Nothing),
        0x80..=0x8f => (false, Distance),
        0x70..=0x73 | 0xa4 | 0xac | 0xba | 0xc2 | 0xc4..=0xc6 => (true, Byte),
        0x0d | 0x10..=0x18 | 0x1e | 0x1f | 0x28..=0x2f | 0x40..=0x6f => (true, Nothing),
        0x74..=0x76 | 0x7c..=0x7f | 0x90..=0x9f | 0xa3 | 0xa5 | 0xab => (true, Nothing),
        0xad..=0xb8 | 0xbb..=0xc1 | 0xc3 | 0xc7 | 0xd0..=0xfe => (true, Nothing),
        _ => return None,
    })
}

/// The same operation codes where VEX or EVEX stands before them.
fn two_bytes_of_vector(byte: u8) -> (bool, Immediate) {
    match byte {
        // `vzeroupper`.
        0x77 => (false, Immediate::None),
        0x70..=0x73 | 0xc2 | 0xc4..=0xc6 => (true, Immediate::Byte),
        _ => (true, Immediate::None),
    }
}

/// A ModR/M byte and what belongs to it.
struct Memory {
    size: usize,
    /// Whether its displacement is a distance from the instruction's end.
    relative: bool,
}

/// Chapter 2, tables 2-2 and 2-3, and "RIP-Relative Addressing"; `sib` is the byte behind.
fn memory(modrm: u8, sib: Option<u8>) -> Option<Memory> {
    let (mode, base) = (modrm >> 6, modrm & 7);
    if mode == 3 {
        return Some(Memory { size: 1, relative: false });
    }
    let relative = mode == 0 && base == 5;
    let mut size = 1;
    let mut no_base = relative;
    if base == 4 {
        size += 1;
        no_base = mode == 0 && sib? & 7 == 5;
    }
    size += match mode {
        1 => 1,
        2 => 4,
        _ if no_base => 4,
        _ => 0,
    };
    Some(Memory { size, relative })
}

fn form(prefixes: &Prefixes, byte: u8, register: u8, immediate: &[u8]) -> Form {
    match (prefixes.map, byte) {
        _ if prefixes.vector => Form::Other,
        (Map::One, 0xe8) => Form::Call,
        (Map::One, 0xe9 | 0xeb) => Form::Jump,
        (Map::One, 0x70..=0x7f) | (Map::Two, 0x80..=0x8f) => {
            Form::Branch { condition: byte & 0x0f }
        }
        (Map::One, 0xff) if register == 4 => Form::JumpIndirect,
        (Map::One, 0xc3) => Form::Return,
        (Map::Two, 0x0b) => Form::Trap,
        (Map::One, 0x81) if !prefixes.half() => {
            number(immediate).map_or(Form::Other, |value| Form::Immediate { value })
        }
        _ => Form::Other,
    }
}

/// Whether the first operand is the stack pointer or a part of it.
fn names_stack(prefixes: &Prefixes, byte: u8, modrm: Option<u8>) -> bool {
    const STACK: u8 = 4;
    // What extends the register of the ModR/M byte's middle, and that of its end or the opcode's.
    let (middle, end) = (prefixes.rex & 4 == 0, prefixes.rex & 1 == 0);
    let general = prefixes.map == Map::One && !prefixes.vector;
    let stack_at_end = |modrm: u8| end && modrm >> 6 == 3 && modrm & 7 == STACK;
    match (byte, modrm) {
        _ if !general => false,
        // `push` and `pop`; `xchg` and `mov` of 64 bits.
        (0x54 | 0x5c, None) => end,
        (0x94 | 0xbc, None) => end && prefixes.wide(),
        // Calls, jumps and `push` need no prefix for 64 bits.
        (0xff, Some(modrm)) if modrm & 0x30 != 0 => stack_at_end(modrm),
        _ if !prefixes.wide() => false,
        (0x00..=0x3f, Some(modrm)) if byte & 2 != 0 => middle && modrm >> 3 & 7 == STACK,
        (0x63 | 0x69 | 0x6b | 0x8a | 0x8b | 0x8d, Some(modrm)) => middle && modrm >> 3 & 7 == STACK,
        (_, Some(modrm)) => stack_at_end(modrm),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Decoder, DecoderOptions, OpKind, Register};

    /// Compares with a decoder of everything, where both know the instruction.
    fn compare(bytes: &[u8]) -> bool {
        let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
        let theirs = decoder.decode();
        let Some(ours) = decode(bytes) else { return false };
        if theirs.is_invalid() {
            return false;
        }
        assert_eq!(ours.size, theirs.len(), "{bytes:02x?}");
        let branches =
            (0..theirs.op_count()).any(|operand| theirs.op_kind(operand) == OpKind::NearBranch64);
        assert_eq!(ours.form.branches(), branches, "{bytes:02x?}");
        if prefixes(bytes).is_some_and(|prefixes| prefixes.map == Map::One) {
            let first = theirs.op0_register();
            let stack = [Register::RSP, Register::ESP, Register::SP, Register::SPL];
            assert!(ours.names_stack || first != Register::RSP, "{bytes:02x?}");
            assert!(!ours.names_stack || stack.contains(&first), "{bytes:02x?}");
        }
        let constants = decoder.get_constant_offsets(&theirs);
        let reference = if branches {
            Some((constants.immediate_offset(), theirs.near_branch_target()))
        } else if theirs.is_ip_rel_memory_operand() {
            Some((constants.displacement_offset(), theirs.ip_rel_memory_address()))
        } else {
            None
        };
        let found = ours.reference.map(|Reference { field, distance }| {
            (field, (ours.size as u64).wrapping_add_signed(distance.into()))
        });
        assert_eq!(found, reference, "{bytes:02x?}");
        true
    }

    #[test]
    fn every_operation_has_the_length_that_another_decoder_gives_it() {
        let starts: [&[u8]; 20] = [
            &[],
            &[0x66],
            &[0x40],
            &[0x48],
            &[0x41],
            &[0xf0, 0x48],
            &[0x66, 0x48],
            &[0x0f],
            &[0x48, 0x0f],
            &[0x66, 0x0f],
            &[0xf3, 0x0f],
            &[0xf2, 0x48, 0x0f],
            &[0x66, 0x0f, 0x38],
            &[0xf2, 0x0f, 0x38],
            &[0x66, 0x0f, 0x3a],
            &[0xc5, 0xf9],
            &[0xc4, 0xe2, 0x79],
            &[0xc4, 0xe3, 0xf9],
            &[0x62, 0xf1, 0xfd, 0x48],
            &[0x62, 0xf3, 0x7d, 0x28],
        ]; // fmt: skip
        let mut known = 0;
        for start in starts {
            for opcode in 0..=255 {
                for modrm in 0..=255 {
                    for sib in [0x24, 0x25, 0x85] {
                        let mut bytes = [start, &[opcode, modrm, sib]].concat();
                        bytes.resize(16, 1);
                        known += u32::from(compare(&bytes));
                    }
                }
            }
        }
        assert!(known > 1_500_000, "{known}");
    }

    #[test]
    fn what_ends_early_is_no_instruction() {
        for bytes in [&[][..], &[0x48], &[0x0f], &[0xe9, 0, 0], &[0x8b, 0x84], &[0xc4, 0xe2]] {
            assert_eq!(decode(bytes), None);
        }
    }
}
