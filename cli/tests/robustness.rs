//! Neither the compiler nor the reader of executables ever panics, whatever it is given: prefixes,
//! and files with random bytes changed. The sequence of cases is the same in every run.

use std::panic::catch_unwind;

use kiln_compiler::{Options, Progress, Source};
use kiln_targets::executable::Executable;
use kiln_targets::link::{self, Input};
use kiln_targets::target;

/// Cases of random changes; about ten seconds without optimisation.
const CHANGES: usize = 4000;
const SEED: u64 = 0x6b69_6c6e;

/// A module that has every section and a bit of everything.
const MODULE: &str = r#"(module $everything
  (type $binary (func (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 4)
  (table $table 4 8 funcref)
  (global $stack (mut i32) (i32.const 4096))
  (global $limit i64 (i64.const -1))
  (export "add" (func $add))
  (start $prepare)
  (elem (i32.const 1) func $add $subtract)
  (elem $passive func $add)
  (data (i32.const 16) "text\00\01\02")
  (data $later "more")
  (func $prepare
    (memory.init $later (i32.const 64) (i32.const 0) (i32.const 4))
    (data.drop $later)
    (table.init $table $passive (i32.const 3) (i32.const 0) (i32.const 1))
    (global.set $stack (i32.sub (global.get $stack) (i32.const 16))))
  (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func $subtract (type $binary) (i32.sub (local.get 0) (local.get 1)))
  (func $choose (param i32 f64) (result f64)
    (local i64 f32 v128)
    (block $a (block $b (block $c
      (br_table $a $b $c (local.get 0)))
      (return (f64.const 1)))
      (return (f64.sqrt (local.get 1))))
    (local.set 4 (f32x4.splat (f32.demote_f64 (local.get 1))))
    (if (result f64) (i64.eqz (local.get 2))
      (then (f64.promote_f32 (f32x4.extract_lane 2 (local.get 4))))
      (else (f64.convert_i32_s (call_indirect (type $binary)
        (local.get 0) (i32.const 7) (i32.const 1))))))
  (func (export "_start")
    (local i32)
    (loop $again
      (i32.store8 offset=3 (local.get 0) (i32.load16_s (local.get 0)))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get 0) (i32.const 100))))
    (drop (call $choose (local.get 0) (f64.const 2.5)))
    (memory.copy (i32.const 0) (i32.const 8) (i32.const 8))
    (drop (memory.grow (i32.const 1)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

struct Silent;

impl Progress for Silent {
    fn function_done(&self) {}
}

/// Compiles `bytes` for the target whose turn it is. An error is as good as an object.
fn compile(bytes: &[u8], turn: usize) -> bool {
    let options = Options { checked_memory: turn % 2 == 1, ..Options::default() };
    let target = target::ALL[turn % target::ALL.len()];
    let Ok(module) = kiln_compiler::parse(bytes) else { return false };
    kiln_compiler::link(&[Source::alone(&module)])
        .is_ok_and(|program| kiln_compiler::compile(&program, target, &options, &Silent).is_ok())
}

/// Names the case when it panics.
fn survives(bytes: &[u8], turn: usize, case: &str) -> bool {
    catch_unwind(|| compile(bytes, turn)).unwrap_or_else(|_| panic!("panicked on {case}"))
}

#[test]
fn the_module_itself_compiles() {
    let module = wat::parse_str(MODULE).unwrap();
    for turn in 0..target::ALL.len() {
        assert!(survives(&module, turn, "the whole module"));
    }
}

#[test]
fn every_prefix_is_an_error() {
    let module = wat::parse_str(MODULE).unwrap();
    // The last section holds names: without it the module is complete. Between the end of the
    // data section and the word "name" lies its header of at most 7 bytes.
    let named = module.windows(4).rposition(|window| window == b"name").unwrap();
    for length in 0..module.len() {
        let compiled = survives(&module[..length], length, &format!("the first {length} bytes"));
        assert!(!compiled || length + 7 >= named, "the first {length} bytes compiled");
    }
}

/// Changes one to three bytes.
fn change(bytes: &mut [u8], random: &mut fastrand::Rng) {
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..bytes.len());
        bytes[at] = match random.u8(0..3) {
            0 => bytes[at] ^ (1 << random.u8(0..8)),
            1 => random.u8(..),
            _ => [0, 1, 0x7f, 0x80, 0xff][random.usize(0..5)],
        };
    }
}

#[test]
fn random_changes_never_panic() {
    let module = wat::parse_str(MODULE).unwrap();
    let mut random = fastrand::Rng::with_seed(SEED);
    for case in 0..CHANGES {
        let mut bytes = module.clone();
        change(&mut bytes[8..], &mut random);
        survives(&bytes, case, &format!("case {case} of seed {SEED:#x}: {bytes:02x?}"));
    }
}

#[test]
fn changed_executables_are_read_without_a_panic() {
    /// What formats say of themselves lies at the start, apart from Mach-O's signature at the end.
    const ENDS: usize = 2048;

    let module = wat::parse_str(MODULE).unwrap();
    let module = kiln_compiler::parse(&module).unwrap();
    let program = kiln_compiler::link(&[Source::alone(&module)]).unwrap();
    let mut random = fastrand::Rng::with_seed(SEED);
    for target in target::ALL {
        let options = Options::default();
        let object = kiln_compiler::compile(&program, target, &options, &Silent).unwrap();
        let objects = [("changed", object.as_slice())];
        let input = Input {
            objects: &objects,
            manifest: "kiln-policy 1\n",
            embedded: &[],
            stack_size: 1 << 20,
            identifier: "changed",
            resources: &[],
            library: None,
        };
        let executable = link::link(target, &input).unwrap();
        Executable::parse(&executable).unwrap();
        for case in 0..CHANGES / 4 {
            let mut bytes = executable.clone();
            let middle = bytes.len() - ENDS;
            let piece = if case % 2 == 0 { &mut bytes[..ENDS] } else { &mut bytes[middle..] };
            change(piece, &mut random);
            catch_unwind(|| drop(Executable::parse(&bytes)))
                .unwrap_or_else(|_| panic!("panicked on case {case} for {target}"));
        }
    }
}
