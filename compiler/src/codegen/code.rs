//! Functions one after another: the program's code and the maps of it.
//!
//! Code is divided into ranges of bounded size, so that a linker can put branch thunks between
//! them; within a range nothing moves, and every offset is known here.

use super::function::{self, CodeFixup, Compiled};
use super::unwind;
use crate::plan::Plan;
use crate::symbol::Symbol;
use kiln_abi::exception::{CallSite, Handler};
use kiln_abi::program::{Function, NO_INDEX};
use std::sync::Arc;

/// Bytes of code in a range, unless one function has more. Half of what an arm64 branch spans.
const RANGE_SIZE: usize = 64 << 20;

/// Functions start at multiples of this: a fetch block of current processors.
const ALIGNMENT: usize = 16;

/// Functions with loops start at multiples of this, a line of the processors' caches of code and of
/// branches, lest their speed hang on what comes before them.
pub(super) const LOOP_ALIGNMENT: usize = 64;

/// A contiguous piece of code.
#[derive(Debug, Default)]
pub(super) struct Range {
    pub(super) code: Vec<u8>,
    pub(super) functions: Vec<Placed>,
    pub(super) fixups: Vec<CodeFixup>,
    pub(super) unwind: Vec<unwind::Record>,
    /// The maps, laid out as [`kiln_abi::program::CodeRange`] says.
    pub(super) map: Vec<Function>,
    pub(super) trap_sites: Vec<u8>,
    pub(super) names: Vec<u8>,
    pub(super) call_sites: Vec<CallSite>,
    pub(super) handlers: Vec<Handler>,
}

/// A function in a range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) symbol: Symbol,
    pub(super) offset: u32,
    pub(super) size: u32,
}

/// Lays functions out in the order given.
pub(super) fn lay_out(plan: &Plan<'_>, functions: Vec<Arc<Compiled>>) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut range = Range::default();
    for function in functions {
        if !range.code.is_empty() && range.code.len() + function.code.len() > RANGE_SIZE {
            ranges.push(std::mem::take(&mut range));
        }
        range.append(plan, &function);
    }
    ranges.push(range);
    ranges
}

impl Range {
    fn append(&mut self, plan: &Plan<'_>, function: &Compiled) {
        let alignment = if function.loops { LOOP_ALIGNMENT } else { ALIGNMENT };
        let padding = self.code.len().next_multiple_of(alignment) - self.code.len();
        self.code.extend(plan.target.padding.iter().cycle().take(padding));
        let offset = self.code.len() as u32;
        let size = function.code.len() as u32;
        self.code.extend_from_slice(&function.code);
        self.functions.push(Placed { symbol: function.symbol, offset, size });
        self.fixups.extend(
            function
                .fixups
                .iter()
                .map(|fixup| CodeFixup { offset: offset + fixup.offset, ..*fixup }),
        );
        if unwind::is_wanted(plan.target) {
            self.unwind.extend(function.unwind.iter().map(|record| record.moved(offset)));
        }
        self.append_call_sites(offset, &function.call_sites);
        let function_of = match function.symbol {
            Symbol::Function(index) | Symbol::Trampoline(index) => {
                Some(&plan.spaces.functions[index as usize])
            }
            _ => None,
        };
        let name_offset = self.name(function_of.and_then(|function| function.name));
        self.map.push(Function {
            code_offset: offset,
            index: function_of.map_or(NO_INDEX, |function| function.index),
            trap_sites_offset: self.trap_sites.len() as u32,
            name_offset,
        });
        let (mut code_before, mut wasm_before) = (0, 0);
        for site in &function.traps {
            write_unsigned(&mut self.trap_sites, site.offset - code_before);
            self.trap_sites.push(site.code as u8);
            let distance = i64::from(site.wasm_offset) - i64::from(wasm_before);
            write_signed(&mut self.trap_sites, distance);
            (code_before, wasm_before) = (site.offset, site.wasm_offset);
        }
    }

    /// Adds the call sites of a function that starts at `offset`.
    fn append_call_sites(&mut self, offset: u32, sites: &[function::CallSite]) {
        for site in sites {
            self.call_sites.push(CallSite {
                return_offset: offset + site.return_offset,
                frame_offset: site.frame_offset,
                handlers_start: self.handlers.len() as u32,
            });
            self.handlers.extend(site.handlers.iter().map(|handler| Handler {
                tag: handler.tag,
                landing_offset: offset + handler.landing_offset,
            }));
        }
    }

    /// Adds a function's name, if it has one, and returns its offset.
    fn name(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return NO_INDEX };
        let offset = self.names.len() as u32;
        // A name may hold NUL; the map ends names with it.
        self.names.extend(name.bytes().map(|byte| if byte == 0 { b'?' } else { byte }));
        self.names.push(0);
        offset
    }
}

/// Writes ULEB128.
fn write_unsigned(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Writes SLEB128.
fn write_signed(bytes: &mut Vec<u8>, mut value: i64) {
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
    fn leb128_is_what_the_specification_shows() {
        let mut bytes = Vec::new();
        write_unsigned(&mut bytes, 624_485);
        write_signed(&mut bytes, -123_456);
        write_signed(&mut bytes, 63);
        write_signed(&mut bytes, 64);
        assert_eq!(bytes, [0xe5, 0x8e, 0x26, 0xc0, 0xbb, 0x78, 0x3f, 0xc0, 0x00]);
    }
}
