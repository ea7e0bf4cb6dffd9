//! A function so large that its local variables lie on the stack: a state machine, as compilers
//! make them, computes the same as its steps do in Rust, an exception in each turn included.

use std::fmt::Write as _;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{expect, kiln, trial};
use libtest_mimic::Failed;
use wast::parser::ParseBuffer;

/// Bytes that the module has at least: its function is nearly all of it.
const LARGE: usize = 400 << 10;

/// States of the machine.
const STATES: u32 = 5_000;

/// Steps that it makes.
const STEPS: u32 = 20_000;

/// A variable of each type.
#[derive(Default)]
struct Variables {
    state: u32,
    integer: u32,
    long: u64,
    float: f32,
    double: f64,
    vector: [u32; 4],
    caught: u32,
}

impl Variables {
    /// What a state does.
    fn step(&mut self) {
        let number = self.state;
        self.integer = self.integer.wrapping_mul(31).wrapping_add(number);
        self.long = self.long.rotate_left(number % 63) ^ u64::from(self.integer);
        self.float = self.float * 0.5 + number as f32;
        self.double = self.double * 0.25 + f64::from(number);
        self.vector = self.vector.map(|lane| lane.wrapping_add(self.integer));
        self.caught = self.caught.wrapping_add(self.integer);
        self.state = self.state.wrapping_add(self.integer) % STATES;
    }

    /// One number of all.
    fn sum(&self) -> u64 {
        let [_, _, lane, _] = self.vector;
        self.long
            ^ u64::from(self.float.to_bits())
            ^ self.double.to_bits()
            ^ (u64::from(lane) << 32)
            ^ u64::from(self.caught).rotate_left(16)
    }
}

/// The same as WebAssembly text.
fn module() -> Result<String, std::fmt::Error> {
    let mut variables = Variables::default();
    (0..STEPS).for_each(|_| variables.step());
    let mut text = String::new();
    write!(
        text,
        r#"(module (memory 1) (tag $tag (param i32))
          (func (export "_start")
            (if (i64.ne (call $large (i32.const {STEPS})) (i64.const {}))
              (then (unreachable))))
          (func $throw (param i32) (throw $tag (local.get 0)))
          (func $large (param $steps i32) (result i64)
            (local $state i32) (local $integer i32) (local $long i64) (local $float f32)
            (local $double f64) (local $vector v128) (local $caught i32)
            (loop $turn
              (block $handler (result i32)
                (try_table (catch $tag $handler)"#,
        variables.sum()
    )?;
    (0..STATES).rev().try_for_each(|number| write!(text, "(block $state{number} "))?;
    text += "(br_table";
    (0..STATES).try_for_each(|number| write!(text, " $state{number}"))?;
    text += " (local.get $state))";
    for number in 0..STATES {
        let rotation = number % 63;
        write!(
            text,
            r"
            )
            (local.set $integer (i32.add (i32.mul (local.get $integer) (i32.const 31))
              (i32.const {number})))
            (local.set $long (i64.xor (i64.rotl (local.get $long) (i64.const {rotation}))
              (i64.extend_i32_u (local.get $integer))))
            (local.set $float (f32.add (f32.mul (local.get $float) (f32.const 0.5))
              (f32.const {number})))
            (local.set $double (f64.add (f64.mul (local.get $double) (f64.const 0.25))
              (f64.const {number})))
            (local.set $vector (i32x4.add (local.get $vector)
              (i32x4.splat (local.get $integer))))
            (call $throw (local.get $integer))"
        )?;
    }
    write!(
        text,
        r"
                )
                (unreachable))
              (local.set $caught (i32.add (local.get $caught)))
              (local.set $state (i32.rem_u (i32.add (local.get $state) (local.get $integer))
                (i32.const {STATES})))
              (br_if $turn (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))
            (local.get $long)
            (i64.xor (i64.extend_i32_u (i32.reinterpret_f32 (local.get $float))))
            (i64.xor (i64.reinterpret_f64 (local.get $double)))
            (i64.xor (i64.shl (i64.extend_i32_u (i32x4.extract_lane 2 (local.get $vector)))
              (i64.const 32)))
            (i64.xor (i64.rotl (i64.extend_i32_u (local.get $caught)) (i64.const 16)))))"
    )?;
    Ok(text)
}

fn compute(target: &'static Target) -> Result<(), Failed> {
    let text = module()?;
    let wasm = wast::parser::parse::<wast::Wat<'_>>(&ParseBuffer::new(&text)?)?.encode()?;
    if wasm.len() < LARGE {
        return Err(format!("the module has {} bytes only", wasm.len()).into());
    }
    let scratch = kiln_tests::scratch()?;
    let folder = scratch.path();
    let module = folder.join("large.wasm");
    std::fs::write(&module, wasm)?;
    let program = kiln::build(folder, &module, target, &[])?;
    let executed = Execution::plain(target, &program, folder).run()?;
    expect::same("standard error", b"", &executed.stderr)?;
    expect::same("exit code", b"0", executed.code.to_string().as_bytes())
}

fn main() {
    let trials =
        target::ALL.map(|target| trial::on_target("compute", target, move || compute(target)));
    trial::conclude(trials.into())
}
