//! Opcodes that tell dyld which pointers to change.
//!
//! Source: Apple `mach-o/loader.h`, `REBASE_OPCODE_*` and `BIND_OPCODE_*`.

use super::{import_name, locate};
use crate::image::Image;
use crate::link::program::{Program, SymbolId};
use object::macho;

/// Bytes of a pointer.
const POINTER: u64 = 8;

/// The opcodes that add the image's slide to the pointers at `addresses`, which ascend.
pub(super) fn rebase(image: &Image, addresses: &[u64]) -> Vec<u8> {
    if addresses.is_empty() {
        return Vec::new();
    }
    let mut opcodes = vec![macho::REBASE_OPCODE_SET_TYPE_IMM.0 | macho::REBASE_TYPE_POINTER.0];
    let mut rest = addresses;
    while let [first, ..] = *rest {
        let (count, stride) = run(image, rest);
        let (segment, offset) = locate(image, first);
        opcodes.push(macho::REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB.0 | segment);
        push_uleb(&mut opcodes, offset);
        if stride == POINTER {
            opcodes.push(macho::REBASE_OPCODE_DO_REBASE_ULEB_TIMES.0);
            push_uleb(&mut opcodes, count as u64);
        } else {
            opcodes.push(macho::REBASE_OPCODE_DO_REBASE_ULEB_TIMES_SKIPPING_ULEB.0);
            push_uleb(&mut opcodes, count as u64);
            push_uleb(&mut opcodes, stride - POINTER);
        }
        rest = &rest[count..];
    }
    opcodes.push(macho::REBASE_OPCODE_DONE.0);
    opcodes
}

/// How many of the first addresses lie in one segment at equal distances, and that distance.
/// Tables of functions are such runs.
fn run(image: &Image, addresses: &[u64]) -> (usize, u64) {
    let segment = locate(image, addresses[0]).0;
    let stride = match addresses {
        [first, second, ..] if second - first >= POINTER => second - first,
        _ => return (1, POINTER),
    };
    let mut count = 1;
    for pair in addresses.windows(2) {
        if pair[1] - pair[0] != stride || locate(image, pair[1]).0 != segment {
            break;
        }
        count += 1;
    }
    if count == 1 { (1, POINTER) } else { (count, stride) }
}

/// The opcodes that set pointers to symbols of libSystem.
pub(super) fn bind(
    image: &Image,
    program: &Program<'_>,
    binds: &[(u64, SymbolId, i64)],
) -> Vec<u8> {
    let mut opcodes = Vec::new();
    if binds.is_empty() {
        return opcodes;
    }
    // libSystem is the first library and the only one.
    opcodes.push(macho::BIND_OPCODE_SET_DYLIB_ORDINAL_IMM.0 | 1);
    opcodes.push(macho::BIND_OPCODE_SET_TYPE_IMM.0 | macho::BIND_TYPE_POINTER.0);
    let mut current = 0;
    for &(address, symbol, addend) in binds {
        opcodes.push(macho::BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM.0);
        opcodes.extend_from_slice(import_name(program, symbol).unwrap_or_default());
        opcodes.push(0);
        if addend != current {
            opcodes.push(macho::BIND_OPCODE_SET_ADDEND_SLEB.0);
            push_sleb(&mut opcodes, addend);
            current = addend;
        }
        let (segment, offset) = locate(image, address);
        opcodes.push(macho::BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB.0 | segment);
        push_uleb(&mut opcodes, offset);
        opcodes.push(macho::BIND_OPCODE_DO_BIND.0);
    }
    opcodes.push(macho::BIND_OPCODE_DONE.0);
    opcodes
}

pub(super) fn push_uleb(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn push_sleb(bytes: &mut Vec<u8>, mut value: i64) {
    while !(-0x40..0x40).contains(&value) {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8 & 0x7f);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_as_many_bytes_as_they_need() {
        let uleb = |value| {
            let mut bytes = vec![];
            push_uleb(&mut bytes, value);
            bytes
        };
        assert_eq!(uleb(0x7f), [0x7f]);
        assert_eq!(uleb(0x80), [0x80, 1]);
        let sleb = |value| {
            let mut bytes = vec![];
            push_sleb(&mut bytes, value);
            bytes
        };
        assert_eq!(sleb(-1), [0x7f]);
        assert_eq!(sleb(0x40), [0xc0, 0]);
        assert_eq!(sleb(-0x41), [0xbf, 0x7f]);
    }
}
