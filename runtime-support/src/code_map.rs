//! From an address in compiled code to its wasm function and trap site.
//!
//! Reads the maps that the compiler emitted, in place; see `kiln_abi::program` and
//! `kiln_abi::trap` for their layout. Used only when the program ends with a trap, so the tables
//! are small rather than fast.

use crate::program;
use core::ffi::CStr;
use kiln_abi::program::{CodeRange, Function, NO_INDEX};
use kiln_abi::trap::TrapCode;

/// A place in compiled code.
pub struct Place {
    range: &'static CodeRange,
    /// The function there.
    pub function: Function,
    /// Where the function's trap sites end.
    sites_end: u64,
    /// Distance to the function's first instruction.
    offset: u64,
}

/// What is known of an instruction that may trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrapSite {
    /// Why it traps; `None` for a code that this runtime does not know.
    pub code: Option<TrapCode>,
    /// The operator's offset in the wasm file.
    pub wasm_offset: u64,
}

/// The compiled function at an address.
pub fn find(address: usize) -> Option<Place> {
    let (range, distance) = program::code_at(address)?;
    // SAFETY: the range counts the array it points to.
    let functions = unsafe { program::slice(range.functions, range.function_count) };
    let after = functions.partition_point(|function| u64::from(function.code_offset) <= distance);
    let function = *functions.get(after.checked_sub(1)?)?;
    let sites_end = functions
        .get(after)
        .map_or(range.trap_sites_length, |next| u64::from(next.trap_sites_offset));
    let offset = distance - u64::from(function.code_offset);
    Some(Place { range, function, sites_end, offset })
}

impl Place {
    /// The function's name, where the module gave one.
    pub fn name(&self) -> Option<&'static CStr> {
        let offset = self.function.name_offset;
        // SAFETY: a name lies in the range's names and ends in NUL.
        (offset != NO_INDEX)
            .then(|| unsafe { CStr::from_ptr(self.range.names.add(offset as usize).cast()) })
    }

    /// The trap site at exactly this place.
    pub fn trap_site(&self) -> Option<TrapSite> {
        self.site(self.offset)
    }

    /// The trap site of a call that ends at this place, the last byte before its return address.
    pub fn call_site(&self) -> Option<TrapSite> {
        self.site(self.offset + 1)
    }

    fn site(&self, offset: u64) -> Option<TrapSite> {
        // SAFETY: the range counts the bytes it points to.
        let sites = unsafe { program::slice(self.range.trap_sites, self.range.trap_sites_length) };
        let sites = sites.get(self.function.trap_sites_offset as usize..self.sites_end as usize)?;
        decode(sites, offset)
    }
}

/// Looks for the site at `offset` among a function's encoded trap sites.
fn decode(mut sites: &[u8], offset: u64) -> Option<TrapSite> {
    let (mut code_offset, mut wasm_offset) = (0_u64, 0_u64);
    while code_offset <= offset {
        code_offset = code_offset.wrapping_add(unsigned(&mut sites)?);
        let (&code, rest) = sites.split_first()?;
        sites = rest;
        wasm_offset = wasm_offset.wrapping_add_signed(signed(&mut sites)?);
        if code_offset == offset {
            return Some(TrapSite { code: TrapCode::from_u8(code), wasm_offset });
        }
    }
    None
}

/// Reads a uleb128 number of at most 64 bits.
fn unsigned(bytes: &mut &[u8]) -> Option<u64> {
    leb128(bytes).map(|(number, _, _)| number)
}

/// Reads an sleb128 number of at most 64 bits.
fn signed(bytes: &mut &[u8]) -> Option<i64> {
    let (number, width, last) = leb128(bytes)?;
    let extension = if last & 0x40 != 0 && width < 64 { u64::MAX << width } else { 0 };
    Some((number | extension) as i64)
}

/// Reads a leb128 number: its bits, how many they are, and its last byte.
fn leb128(bytes: &mut &[u8]) -> Option<(u64, u32, u8)> {
    let (mut number, mut width) = (0, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(width).unwrap_or(0);
        width += 7;
        if byte & 0x80 == 0 {
            return Some((number, width, byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_site_at_exactly_that_offset() {
        // At 4, out of bounds, wasm 0x1234; at 4 + 200, unreachable, wasm 0x1234 - 1; at 204 + 1, an
        // unknown code, wasm 0x1233 + 64.
        let sites = [4, 2, 0xb4, 0x24, 0xc8, 0x01, 1, 0x7f, 1, 99, 0xc0, 0x00];
        let found = |offset| decode(&sites, offset).map(|site| (site.code, site.wasm_offset));
        assert_eq!(found(4), Some((Some(TrapCode::MemoryOutOfBounds), 0x1234)));
        assert_eq!(found(204), Some((Some(TrapCode::Unreachable), 0x1233)));
        assert_eq!(found(205), Some((None, 0x1273)));
        for offset in [0, 3, 5, 203, 206, u64::MAX] {
            assert_eq!(found(offset), None);
        }
    }

    #[test]
    fn stops_at_the_end_of_cut_sites() {
        for length in 0..4 {
            assert_eq!(decode(&[4, 2, 0xb4, 0xa4][..length], 4), None);
        }
    }
}
