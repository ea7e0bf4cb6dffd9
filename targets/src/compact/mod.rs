//! Denser machine code: branches and immediate operands in their shortest form, no move that moves
//! nothing, and the faster of two ways to [count zeros](scan).
//!
//! The code generator gives every branch of amd64 a displacement of four bytes, where one byte
//! serves nearly all. Those are a tenth of a program's code, and processors fetch, predict and cache
//! code by lines of 64 bytes: an interpreter's loop takes a third less time without them.
//!
//! A function's end sets the stack pointer to the frame pointer, though what it added just before
//! has made them equal. That would let each return wait for the frame pointer, which the function
//! called last has just loaded from memory.
//!
//! Requires one function as the code generator made it: basic blocks one after another, a jump
//! table right behind its jump, then what no block holds (instructions that trap, constants).
//! Guarantees the same instructions with the same operands in the same order, but for those moves
//! and counts. A function that holds an instruction of unknown form stays as it is.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.

mod decode;
mod scan;

use crate::Arch;
use decode::{Form, Instruction, decode};

/// A function's code, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Function<'a> {
    /// Its machine code.
    pub bytes: &'a [u8],
    /// Where its basic blocks start, in ascending order.
    pub blocks: &'a [u32],
    /// Where the fields lie that a linker fills, in ascending order.
    pub fields: &'a [u32],
    /// Bytes at its start that unwind information describes one by one: they do not change.
    pub prologue: u32,
}

impl<'a> Function<'a> {
    /// The bytes of a piece of it.
    fn of(&self, item: &Item) -> &'a [u8] {
        &self.bytes[item.start as usize..][..item.size as usize]
    }
}

/// A function's code after it moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The code.
    pub bytes: Vec<u8>,
    /// Where pieces started that moved by one distance, and where they start now.
    pieces: Vec<(u32, u32)>,
    /// Whether it has a loop.
    pub loops: bool,
}

impl Moved {
    /// Where the instruction, or the part of one, lies that lay at `offset`.
    pub fn start(&self, offset: u32) -> u32 {
        let after = self.pieces.partition_point(|&(before, _)| before <= offset);
        let (before, now) = self.pieces[after - 1];
        now + (offset - before)
    }

    /// Where the call ends that ended at `offset`: what it returns to.
    pub fn end(&self, offset: u32) -> u32 {
        self.start(offset - 1) + 1
    }
}

/// Bytes of a short branch of either kind.
const SHORT: u32 = 2;

/// Rounds in which branches may turn out to be too short, before all become long.
const ROUNDS: usize = 16;

/// Constants keep their distance from multiples of this: the largest alignment they may have.
const CONSTANT_ALIGN: u32 = 16;

/// `push %rbp`
const PUSH_FRAME: [u8; 1] = [0x55];

/// `mov %rsp, %rbp`
const FRAME_OF_STACK: [u8; 3] = [0x48, 0x89, 0xe5];

/// `mov %rbp, %rsp`
const STACK_OF_FRAME: [u8; 3] = [0x48, 0x89, 0xec];

/// What fills the gap in front of constants.
const INT3: u8 = 0xcc;

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Copied.
    Plain,
    /// `jmp`; long where four bytes of displacement are needed.
    Jump { target: u32, long: bool },
    /// A conditional branch.
    Branch { condition: u8, target: u32, long: bool },
    /// An instruction that refers to another place in the function by the four bytes at `field`.
    Relative { field: u8, target: u32 },
    /// An operation whose immediate operand of four bytes fits into one; `opcode` is where the
    /// operation's code is.
    Immediate { opcode: u8 },
    /// `bsf`, with the `cmovz` behind it, which becomes vain: so many bytes together.
    Scan { size: u8 },
    /// Left out.
    Vain,
    /// A jump table: distances from its start.
    Table,
    /// What lies behind the last block.
    Tail,
}

/// A piece of code.
#[derive(Debug, Clone, Copy)]
struct Item {
    start: u32,
    size: u32,
    kind: Kind,
}

impl Item {
    /// Whether it leads back to where code was before.
    fn is_backward(&self) -> bool {
        match self.kind {
            Kind::Jump { target, .. } | Kind::Branch { target, .. } => target <= self.start,
            _ => false,
        }
    }
}

/// Makes a function's code denser; none where it stays as it is.
pub fn compact(arch: Arch, function: &Function<'_>) -> Option<Moved> {
    if arch != Arch::Amd64 {
        return None;
    }
    let mut items = Parser::new(function).parse()?;
    let starts = place(&mut items)?;
    Some(write(function, &items, &starts))
}

/// Divides a function into items.
struct Parser<'p, 'a> {
    function: &'p Function<'a>,
    position: u32,
    items: Vec<Item>,
    /// Whether an instruction changes the stack pointer but by pushing, popping, calling,
    /// returning or taking the frame pointer's value.
    stack_changes: bool,
}

impl<'p, 'a> Parser<'p, 'a> {
    fn new(function: &'p Function<'a>) -> Self {
        Self { function, position: 0, items: Vec::new(), stack_changes: false }
    }

    fn parse(mut self) -> Option<Vec<Item>> {
        let size = self.function.bytes.len() as u32;
        let ends = self.function.blocks.iter().skip(1).copied().map(Some).chain([None]);
        for end in ends {
            self.block(end)?;
        }
        self.leave_out_vain();
        self.recode_scans();
        let start = self.position;
        self.items.push(Item { start, size: size - start, kind: Kind::Tail });
        Some(self.items)
    }

    /// Reads a block; the last one has no known end but what never goes on.
    fn block(&mut self, end: Option<u32>) -> Option<()> {
        loop {
            let start = self.position;
            match end {
                Some(end) if start == end => return Some(()),
                Some(end) if start > end => return None,
                _ => {}
            }
            let instruction = decode(self.function.bytes.get(start as usize..)?)?;
            let size = instruction.size as u32;
            let kind = self.kind(start, &instruction)?;
            let bytes = &self.function.bytes[start as usize..][..instruction.size];
            let takes_frame = bytes == STACK_OF_FRAME;
            self.stack_changes |= instruction.names_stack && !takes_frame;
            self.items.push(Item { start, size, kind });
            self.position += size;
            match instruction.form {
                Form::JumpIndirect => self.table(end)?,
                Form::Jump | Form::Return | Form::Trap => {}
                _ => continue,
            }
            if end.is_none() {
                return Some(());
            }
        }
    }

    fn kind(&self, start: u32, instruction: &Instruction) -> Option<Kind> {
        let end = start + instruction.size as u32;
        let fields = self.function.fields;
        let linked = fields.get(fields.partition_point(|&field| field < start));
        if linked.is_some_and(|&field| field < end) {
            return Some(Kind::Plain);
        }
        let fixed = start < self.function.prologue;
        let target = match instruction.reference {
            Some(reference) => {
                let target = i64::from(end) + i64::from(reference.distance);
                Some((reference.field as u8, u32::try_from(target).ok()?))
            }
            None => None,
        };
        Some(match (instruction.form, target) {
            (Form::Jump, Some((_, target))) if !fixed => Kind::Jump { target, long: false },
            (Form::Branch { condition }, Some((_, target))) if !fixed => {
                Kind::Branch { condition, target, long: false }
            }
            // Within one operation of the code generator: nothing between the two changes.
            (Form::Jump | Form::Branch { .. }, _) if instruction.size == SHORT as usize => {
                Kind::Plain
            }
            (_, Some((field, target))) => Kind::Relative { field, target },
            (Form::Immediate { value }, None) if !fixed && i8::try_from(value).is_ok() => {
                Kind::Immediate { opcode: instruction.opcode as u8 }
            }
            _ => Kind::Plain,
        })
    }

    /// Leaves out what sets the stack pointer to the frame pointer where they are equal: the
    /// function has just added what it subtracted at its start, or never changes it.
    fn leave_out_vain(&mut self) {
        let function = self.function;
        let is = |item: Option<&Item>, expected: &[u8]| {
            item.is_some_and(|item| item.kind == Kind::Plain && function.of(item) == expected)
        };
        if !is(self.items.first(), &PUSH_FRAME) || !is(self.items.get(1), &FRAME_OF_STACK) {
            return;
        }
        // `add $…, %rsp` that undoes the `sub $…, %rsp` behind those two.
        let undo = self.items.get(2).and_then(|item| match *function.of(item) {
            [0x48, operation @ (0x81 | 0x83), 0xec, ref amount @ ..] => {
                Some([&[0x48, operation, 0xc4], amount].concat())
            }
            _ => None,
        });
        for index in 2..self.items.len() {
            let equal = match &undo {
                Some(undo) => function.of(&self.items[index - 1]) == undo,
                None => !self.stack_changes,
            };
            if equal && is(self.items.get(index), &STACK_OF_FRAME) {
                self.items[index].kind = Kind::Vain;
            }
        }
    }

    fn recode_scans(&mut self) {
        for index in 1..self.items.len() {
            let [scan, choice] = [self.items[index - 1], self.items[index]];
            if (scan.kind, choice.kind) == (Kind::Plain, Kind::Plain)
                && self.function.blocks.binary_search(&choice.start).is_err()
                && scan::is_count(self.function.of(&scan), self.function.of(&choice))
            {
                self.items[index - 1].kind = Kind::Scan { size: (scan.size + choice.size) as u8 };
                self.items[index].kind = Kind::Vain;
            }
        }
    }

    /// Reads the jump table behind a jump, if it is one that has a table.
    fn table(&mut self, end: Option<u32>) -> Option<()> {
        let start = self.position;
        let refers =
            |item: &Item| matches!(item.kind, Kind::Relative { target, .. } if target == start);
        if !self.items.iter().rev().take(8).any(refers) {
            return Some(());
        }
        let end = end.unwrap_or_else(|| self.last_table_end(start));
        if !(end - start).is_multiple_of(4) {
            return None;
        }
        self.items.push(Item { start, size: end - start, kind: Kind::Table });
        self.position = end;
        Some(())
    }

    /// The end of a table that no block follows: there, something else is referred to, or no
    /// block is.
    fn last_table_end(&self, start: u32) -> u32 {
        let referred = self.items.iter().filter_map(|item| match item.kind {
            Kind::Jump { target, .. }
            | Kind::Branch { target, .. }
            | Kind::Relative { target, .. } => Some(target),
            _ => None,
        });
        let size = self.function.bytes.len() as u32;
        let limit = referred.filter(|&target| target > start).min().unwrap_or(size);
        let entries = entries(self.function.bytes, start, limit);
        let leading =
            entries.take_while(|target| self.function.blocks.binary_search(target).is_ok());
        start + 4 * leading.count() as u32
    }
}

/// The places that a jump table at `start` leads to.
fn entries(bytes: &[u8], start: u32, end: u32) -> impl Iterator<Item = u32> {
    let words = bytes[start as usize..end as usize].as_chunks().0;
    words.iter().map(move |&word| start.wrapping_add(u32::from_le_bytes(word)))
}

/// Decides which branches are short; returns where each item starts.
fn place(items: &mut [Item]) -> Option<Vec<u32>> {
    for round in 0.. {
        let starts = lay_out(items);
        let find = |target: u32| {
            let index = items.binary_search_by_key(&target, |item| item.start).or_else(|after| {
                let tail = items.len() - 1;
                if after > tail { Ok(tail) } else { Err(after) }
            });
            index.ok().map(|index| starts[index] + (target - items[index].start))
        };
        let mut too_far = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let (target, long) = match item.kind {
                Kind::Jump { target, long } | Kind::Branch { target, long, .. } => (target, long),
                // In reach wherever it lies, but it must be known where.
                Kind::Relative { target, .. } => (target, true),
                _ => continue,
            };
            let distance = i64::from(find(target)?) - i64::from(starts[index] + SHORT);
            if !long && (round >= ROUNDS || i8::try_from(distance).is_err()) {
                too_far.push(index);
            }
        }
        if too_far.is_empty() {
            return Some(starts);
        }
        for index in too_far {
            match &mut items[index].kind {
                Kind::Jump { long, .. } | Kind::Branch { long, .. } => *long = true,
                _ => {}
            }
        }
    }
    None
}

fn lay_out(items: &[Item]) -> Vec<u32> {
    let mut position = 0u32;
    items
        .iter()
        .map(|item| {
            if item.kind == Kind::Tail && item.size > 0 {
                position += item.start.wrapping_sub(position) % CONSTANT_ALIGN;
            }
            let start = position;
            position += size(item);
            start
        })
        .collect()
}

fn size(item: &Item) -> u32 {
    match item.kind {
        Kind::Jump { long: false, .. } | Kind::Branch { long: false, .. } => SHORT,
        Kind::Jump { long: true, .. } => 5,
        Kind::Branch { long: true, .. } => 6,
        Kind::Immediate { .. } => item.size - 3,
        Kind::Scan { size } => size.into(),
        Kind::Vain => 0,
        Kind::Plain | Kind::Relative { .. } | Kind::Table | Kind::Tail => item.size,
    }
}

fn write(function: &Function<'_>, items: &[Item], starts: &[u32]) -> Moved {
    let mut bytes = Vec::with_capacity(function.bytes.len());
    let loops = items.iter().any(Item::is_backward);
    let mut moved = Moved { bytes: Vec::new(), pieces: Vec::new(), loops };
    for (item, &start) in items.iter().zip(starts) {
        let last = moved.pieces.last();
        if last.is_none_or(|&(before, now)| item.start - before != start - now) {
            moved.pieces.push((item.start, start));
        }
    }
    for (item, &start) in items.iter().zip(starts) {
        bytes.resize(start as usize, INT3);
        let old = function.of(item);
        let distance = |target: u32, end: u32| moved.start(target).wrapping_sub(end);
        let end = start + size(item);
        match item.kind {
            Kind::Plain | Kind::Tail => bytes.extend_from_slice(old),
            Kind::Vain => {}
            Kind::Scan { size } => {
                let both = &function.bytes[item.start as usize..][..size.into()];
                let (scan, choice) = both.split_at(old.len());
                scan::write_count(scan, choice, &mut bytes);
            }
            Kind::Jump { target, long: false } => {
                bytes.extend([0xeb, distance(target, end) as u8]);
            }
            Kind::Jump { target, long: true } => {
                bytes.push(0xe9);
                bytes.extend(distance(target, end).to_le_bytes());
            }
            Kind::Branch { condition, target, long: false } => {
                bytes.extend([0x70 | condition, distance(target, end) as u8]);
            }
            Kind::Branch { condition, target, long: true } => {
                bytes.extend([0x0f, 0x80 | condition]);
                bytes.extend(distance(target, end).to_le_bytes());
            }
            Kind::Relative { field, target } => {
                let field = usize::from(field);
                bytes.extend_from_slice(&old[..field]);
                bytes.extend(distance(target, end).to_le_bytes());
                bytes.extend_from_slice(&old[field + 4..]);
            }
            Kind::Immediate { opcode } => {
                let opcode = usize::from(opcode);
                bytes.extend_from_slice(&old[..opcode]);
                bytes.push(0x83);
                bytes.extend_from_slice(&old[opcode + 1..old.len() - 3]);
            }
            Kind::Table => {
                for target in entries(function.bytes, item.start, item.start + item.size) {
                    bytes.extend(distance(target, start).to_le_bytes());
                }
            }
        }
    }
    moved.bytes = bytes;
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function<'a>(bytes: &'a [u8], blocks: &'a [u32]) -> Function<'a> {
        Function { bytes, blocks, fields: &[], prologue: 0 }
    }

    fn compact(function: &Function<'_>) -> Option<Moved> {
        super::compact(Arch::Amd64, function)
    }

    #[test]
    fn near_branches_become_short() {
        // 0: je 8; 6: nop; 7: nop; 8: jmp 7; 13: ret
        let bytes = [0x0f, 0x84, 2, 0, 0, 0, 0x90, 0x90, 0xe9, 0xfa, 0xff, 0xff, 0xff, 0xc3];
        let moved = compact(&function(&bytes, &[0, 6, 7, 8, 13])).unwrap();
        assert_eq!(moved.bytes, [0x74, 2, 0x90, 0x90, 0xeb, 0xfd, 0xc3]);
        assert!(moved.loops);
        assert_eq!([0, 6, 7, 8, 13].map(|offset| moved.start(offset)), [0, 2, 3, 4, 6]);
        assert_eq!((moved.end(7), moved.end(14)), (3, 7));
    }

    #[test]
    fn far_branches_stay_long() {
        for (nops, size) in [(127, 2), (128, 6)] {
            let mut bytes = vec![0x0f, 0x8c];
            bytes.extend((nops as u32).to_le_bytes());
            bytes.extend(vec![0x90; nops]);
            bytes.push(0xc3);
            let blocks = [0, 6, 6 + nops as u32];
            let moved = compact(&function(&bytes, &blocks)).unwrap();
            assert_eq!(moved.bytes.len(), size + nops + 1);
            assert!(!moved.loops);
        }
    }

    #[test]
    fn a_branch_made_long_makes_those_across_it_long() {
        // The first two jump over the third, which jumps over too much.
        let branch = |displacement: u32| [vec![0xe9], displacement.to_le_bytes().to_vec()].concat();
        let mut bytes = [branch(5 + 5 + 119), branch(5 + 119), branch(200)].concat();
        bytes.extend([0x90; 200]);
        bytes.push(0xc3);
        let moved = compact(&function(&bytes, &[0, 5, 10, 15, 134, 215])).unwrap();
        assert_eq!(moved.bytes[..4], [0xeb, 2 + 5 + 119, 0xeb, 5 + 119]);
        assert_eq!(moved.bytes[4], 0xe9);
        bytes[1] += 2;
        let moved = compact(&function(&bytes, &[0, 5, 10, 15, 136, 215])).unwrap();
        assert_eq!(moved.bytes[..6], [0xe9, 2 + 5 + 121, 0, 0, 0, 0xeb]);
    }

    #[test]
    fn immediate_operands_become_short_where_they_fit() {
        let bytes = [
            0x41, 0x81, 0xc7, 1, 0, 0, 0, // add $1, %r15d
            0x48, 0x81, 0xf9, 0x80, 0xff, 0xff, 0xff, // cmp $-128, %rcx
            0x81, 0xe9, 0x80, 0, 0, 0, // sub $128, %ecx
            0xc3,
        ];
        let moved = compact(&function(&bytes, &[0])).unwrap();
        assert_eq!(moved.bytes[..4], [0x41, 0x83, 0xc7, 1]);
        assert_eq!(moved.bytes[4..8], [0x48, 0x83, 0xf9, 0x80]);
        assert_eq!(moved.bytes[8..], bytes[14..]);
    }

    #[test]
    fn jump_tables_and_constants_move_with_the_code() {
        let mut bytes = vec![
            0x48, 0x8d, 0x05, 12, 0, 0, 0, // 0: lea 19(%rip), %rax
            0x0f, 0x1f, 0x44, 0, 0, // 7: nop
            0xe9, 0, 0, 0, 0, // 12: jmp 17
            0xff, 0xe0, // 17: jmp *%rax
        ];
        // 19: a table of two, 27: movsd 48(%rip), %xmm0; 35: ret; 48: the constant
        bytes.extend(8u32.to_le_bytes());
        bytes.extend((17u32.wrapping_sub(19)).to_le_bytes());
        bytes.extend([0xf2, 0x0f, 0x10, 0x05, 13, 0, 0, 0, 0xc3]);
        bytes.resize(48, 0);
        bytes.extend(0.5f64.to_le_bytes());
        let moved = compact(&function(&bytes, &[0, 17, 27])).unwrap();
        assert_eq!(moved.bytes[3], 9);
        assert_eq!(moved.bytes[16..20], 8u32.to_le_bytes());
        assert_eq!(moved.bytes[20..24], (14u32.wrapping_sub(16)).to_le_bytes());
        let constant = moved.start(48) as usize;
        assert_eq!(constant % 16, 0);
        assert_eq!(moved.bytes[28], (constant - 32) as u8);
        assert_eq!(moved.bytes[constant..], 0.5f64.to_le_bytes());
    }

    #[test]
    fn what_a_linker_fills_and_the_prologue_stay_as_they_are() {
        let bytes = [0x0f, 0x84, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0, 0xc3];
        let prologue = Function { prologue: 6, ..function(&bytes, &[0, 6, 11]) };
        assert_eq!(compact(&prologue).unwrap().bytes[..8], [0x0f, 0x84, 0, 0, 0, 0, 0xeb, 0]);
        let linked = Function { fields: &[7], ..function(&bytes, &[0, 6, 11]) };
        assert_eq!(compact(&linked).unwrap().bytes[..3], [0x74, 0, 0xe9]);
    }

    #[test]
    fn the_stack_pointer_is_not_set_to_what_it_is() {
        let enter = [0x55, 0x48, 0x89, 0xe5];
        let leave = [0x48, 0x89, 0xec, 0x5d, 0xc3];
        let code = |parts: &[&[u8]]| [&enter, &parts.concat()[..], &leave].concat();
        let shrinks = |bytes: &[u8]| {
            let moved = compact(&function(bytes, &[0])).unwrap();
            moved.bytes.len() + 3 == bytes.len()
                && moved.start(bytes.len() as u32 - 2) + 2 == moved.bytes.len() as u32
        };
        let subtract: [&[u8]; 2] = [&[0x48, 0x83, 0xec, 16], &[0x48, 0x81, 0xec, 0, 1, 0, 0]];
        let add: [&[u8]; 3] =
            [&[0x48, 0x83, 0xc4, 16], &[0x48, 0x81, 0xc4, 0, 1, 0, 0], &[0x48, 0x83, 0xc4, 8]];
        let nop: &[u8] = &[0x90];
        assert!(shrinks(&code(&[nop])));
        assert!(shrinks(&code(&[subtract[0], nop, add[0]])));
        assert!(shrinks(&code(&[subtract[1], nop, add[1]])));
        // Another amount, something in between, another start, more than one change.
        assert!(!shrinks(&code(&[subtract[0], nop, add[2]])));
        assert!(!shrinks(&code(&[subtract[0], add[0], nop])));
        assert!(!shrinks(&code(&[nop, subtract[0], add[0]])));
        assert!(!shrinks(&[&[0x90], &code(&[nop])[..]].concat()));
    }

    #[test]
    fn what_is_not_understood_stays_as_it_is() {
        // An operation that the 64-bit mode has not; a branch into an instruction; a block that
        // starts within one.
        assert_eq!(compact(&function(&[0x06, 0xc3], &[0])), None);
        assert_eq!(compact(&function(&[0xe9, 1, 0, 0, 0, 0x66, 0x90, 0xc3], &[0, 5])), None);
        assert_eq!(compact(&function(&[0x66, 0x90, 0xc3], &[0, 1])), None);
        assert_eq!(super::compact(Arch::Arm64, &function(&[0xc3], &[0])), None);
    }
}
