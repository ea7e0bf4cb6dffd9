//! Calls of WASI as data: one program makes whatever calls it is told to.
//!
//! The program reads records from standard input and writes replies to standard output until its
//! input ends. Its memory is [`MEMORY`] bytes; what lies below [`FREE`] is its own. A test writes
//! a [`Script`], executes the program with it and reads the [`Replies`].

use std::fmt::Write as _;

use kiln_abi::wasi::{FIRST_UNSTABLE, FUNCTIONS, Function, MODULE, Type, UNSTABLE_MODULE};

/// Bytes of the program's memory.
pub const MEMORY: u32 = 4 * 65536;
/// First address that is not the program's own.
pub const FREE: u32 = 1024;

/// Bytes of a record: its kind and nine operands, eight bytes each.
const RECORD: u32 = 80;
/// Kinds of records that are no function's number.
const POKE: u32 = 1000;
const PEEK: u32 = 1001;

/// What a script calls a function: its name in the import, or that behind `unstable_`.
#[must_use]
pub fn name(function: &Function) -> &'static str {
    function.symbol.strip_prefix("kiln_wasi_").unwrap_or(function.symbol)
}

/// The program, as WebAssembly text.
///
/// Every function of WASI is imported, so that each is there to be called.
#[must_use]
pub fn program() -> String {
    let mut imports = String::new();
    let mut dispatch = String::new();
    for (number, function) in FUNCTIONS.iter().enumerate() {
        let (name, import) = (name(function), function.name);
        let module = if number < FIRST_UNSTABLE { MODULE } else { UNSTABLE_MODULE };
        let _ = write!(imports, "\n  (import \"{module}\" \"{import}\" (func ${name}");
        let mut operands = String::new();
        for (index, parameter) in function.parameters.iter().enumerate() {
            let parameter = match parameter {
                Type::I32 => "i32",
                Type::I64 => "i64",
            };
            let _ = write!(imports, " (param {parameter})");
            let _ = write!(operands, " ({parameter}.load (i32.const {}))", 8 + index * 8);
        }
        imports.push_str(if function.returns_errno { " (result i32)))" } else { "))" });
        let call = format!("(call ${name}{operands})");
        let reply =
            if function.returns_errno { format!("(local.set $errno {call})") } else { call };
        let _ = write!(
            dispatch,
            "\n      (if (i32.eq (local.get $kind) (i32.const {number})) (then {reply}))"
        );
    }
    format!(
        r#"(module {imports}
  (memory (export "memory") {pages} {pages})
  ;; Moves all of a range from standard input or to standard output; ends with the input.
  (func $move (param $write i32) (param $address i32) (param $length i32) (local $errno i32)
    (block $done
      (loop $more
        (br_if $done (i32.eqz (local.get $length)))
        (i32.store (i32.const 96) (local.get $address))
        (i32.store (i32.const 100) (local.get $length))
        (i32.store (i32.const 104) (i32.const 0))
        (local.set $errno
          (if (result i32) (local.get $write)
            (then
              (call $fd_write (i32.const 1) (i32.const 96) (i32.const 1) (i32.const 104)))
            (else
              (call $fd_read (i32.const 0) (i32.const 96) (i32.const 1) (i32.const 104)))))
        (if (local.get $errno) (then unreachable))
        (if (i32.eqz (i32.load (i32.const 104))) (then (call $proc_exit (i32.const 0))))
        (local.set $address (i32.add (local.get $address) (i32.load (i32.const 104))))
        (local.set $length (i32.sub (local.get $length) (i32.load (i32.const 104))))
        (br $more))))
  (func (export "_start") (local $kind i32) (local $errno i32)
    (loop $next
      (call $move (i32.const 0) (i32.const 0) (i32.const {RECORD}))
      (local.set $kind (i32.load (i32.const 0)))
      (if (i32.eq (local.get $kind) (i32.const {POKE}))
        (then
          (call $move (i32.const 0) (i32.load (i32.const 8)) (i32.load (i32.const 16)))
          (br $next)))
      (if (i32.eq (local.get $kind) (i32.const {PEEK}))
        (then
          (call $move (i32.const 1) (i32.load (i32.const 8)) (i32.load (i32.const 16)))
          (br $next))){dispatch}
      (i32.store (i32.const 88) (local.get $errno))
      (call $move (i32.const 1) (i32.const 88) (i32.const 4))
      (br $next))))
"#,
        pages = MEMORY / 65536,
    )
}

/// What the program shall do.
#[derive(Debug, Default, Clone)]
pub struct Script {
    records: Vec<u8>,
}

impl Script {
    /// What the program reads from standard input.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.records
    }

    fn record(&mut self, kind: u32, operands: &[u64]) {
        let mut record = [0; RECORD as usize];
        record[..4].copy_from_slice(&kind.to_le_bytes());
        for (place, operand) in record[8..].chunks_exact_mut(8).zip(operands) {
            place.copy_from_slice(&operand.to_le_bytes());
        }
        self.records.extend(record);
    }

    /// Writes bytes to memory.
    pub fn poke(&mut self, address: u32, bytes: &[u8]) {
        self.record(POKE, &[address.into(), bytes.len() as u64]);
        self.records.extend(bytes);
    }

    /// Replies with the bytes of a range of memory.
    pub fn peek(&mut self, address: u32, length: u32) {
        self.record(PEEK, &[address.into(), length.into()]);
    }

    /// Calls a function and replies with its `errno`.
    ///
    /// # Panics
    /// WASI has no such function, or one with another number of parameters.
    pub fn call(&mut self, name: &str, operands: &[u64]) {
        let number = FUNCTIONS.iter().position(|function| self::name(function) == name);
        let number = number.unwrap_or_else(|| panic!("WASI has no {name}"));
        assert_eq!(operands.len(), FUNCTIONS[number].parameters.len(), "operands of {name}");
        self.record(number as u32, operands);
    }
}

/// What the program wrote, in the order of the script.
#[derive(Debug)]
pub struct Replies<'a>(pub &'a [u8]);

impl Replies<'_> {
    /// The next number, such as a call's `errno`; `None` if the program ended before it.
    pub fn number(&mut self) -> Option<u32> {
        let bytes = self.bytes(4)?;
        Some(bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
    }

    /// The next bytes that the program was asked for.
    pub fn bytes(&mut self, length: usize) -> Option<&[u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}
