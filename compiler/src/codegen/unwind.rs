//! Windows unwind information of one function.
//!
//! Without it the system cannot walk the stack of compiled code, and ends a process that faults
//! before Kiln's handler has a word.
//!
//! Sources: Microsoft, "x64 exception handling" and "ARM64 exception handling".

use cranelift_codegen::CompiledCode;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::UnwindInfo;
use kiln_targets::{ObjectFormat, Target};

/// The unwind information of a piece of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The piece, as offsets in the function's code.
    pub(super) start: u32,
    pub(super) end: u32,
    /// What `.xdata` holds for it.
    pub(super) bytes: Vec<u8>,
}

impl Record {
    /// That of the same piece in code where the function starts at `offset`.
    pub(super) fn moved(&self, offset: u32) -> Self {
        Self { start: offset + self.start, end: offset + self.end, bytes: self.bytes.clone() }
    }
}

/// Whether the system of that target reads such information.
pub(super) fn is_wanted(target: &Target) -> bool {
    target.format == ObjectFormat::Coff
}

/// The unwind information of a function, in ascending order of offset; none on other systems.
pub(super) fn records(
    code: &CompiledCode,
    isa: &dyn TargetIsa,
    target: &Target,
) -> Result<Vec<Record>, String> {
    if !is_wanted(target) {
        return Ok(Vec::new());
    }
    let size = code.buffer.data().len() as u32;
    match code.create_unwind_info(isa).map_err(|error| error.to_string())? {
        Some(UnwindInfo::WindowsX64(info)) => {
            let mut bytes = vec![0; info.emit_size()];
            info.emit(&mut bytes);
            Ok(vec![Record { start: 0, end: size, bytes }])
        }
        Some(UnwindInfo::WindowsArm64(info)) => {
            let words = usize::from(info.code_words());
            let mut codes = vec![0; words * 4];
            info.emit(&mut codes);
            Ok(arm64_records(size, &codes))
        }
        Some(_) | None => Err("the code generator made no unwind information".to_owned()),
    }
}

/// arm64 records: 18 bits hold a length in words, so a longer function is described piece by
/// piece. Epilogues are left out: they matter only to who stops inside one.
fn arm64_records(size: u32, codes: &[u8]) -> Vec<Record> {
    const LONGEST: u32 = ((1 << 18) - 1) * 4;
    /// Ends the codes of the piece at hand; those that follow undo the function's prologue.
    const END_CHAINED: u8 = 0xe5;
    const END: u8 = 0xe4;
    let mut records = Vec::new();
    let mut start = 0;
    while start < size {
        let end = size.min(start + LONGEST);
        let mut body = if start == 0 { Vec::new() } else { vec![END_CHAINED] };
        body.extend_from_slice(codes);
        body.push(END);
        body.resize(body.len().next_multiple_of(4), END);
        let (length, words) = ((end - start) / 4, body.len() as u32 / 4);
        let mut bytes = if words < 32 {
            (length | words << 27).to_le_bytes().to_vec()
        } else {
            [length.to_le_bytes(), (words << 16).to_le_bytes()].concat()
        };
        bytes.append(&mut body);
        records.push(Record { start, end, bytes });
        start = end;
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_arm64_functions_are_described_in_pieces() {
        let records = arm64_records(3 << 20, &[0x81, 0xe1]);
        assert_eq!(records.len(), 4);
        assert!(records.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(records[0].bytes[4..], [0x81, 0xe1, 0xe4, 0xe4]);
        assert_eq!(records[1].bytes[4..], [0xe5, 0x81, 0xe1, 0xe4]);
        assert_eq!(records[3].end, 3 << 20);
    }
}
