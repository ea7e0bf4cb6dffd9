//! Programs made of scripts notice what is wrong: assertions that do not hold, and traps that are
//! missing.

use std::fs;

use kiln_targets::Target;
use kiln_tests::execute::{Executed, Execution};
use kiln_tests::kiln;
use kiln_tests::wast::{self, Expected};

/// The assertion under test follows on line 8.
const MODULE: &str = r#"(module
  (global (export "global") i32 (i32.const 7))
  (func (export "i32") (result i32) (i32.const 1))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "pair") (result i64 f64) (i64.const -1) (f64.const -0))
  (func (export "v128") (param v128) (result v128) (local.get 0))
  (func (export "null") (param funcref) (result funcref) (local.get 0)))
"#;

/// Executes the script of the module and one assertion; its last program decides.
fn execute(assertion: &str) -> (Expected, Executed) {
    let script = wast::read("script.wast", &format!("{MODULE}{assertion}")).unwrap();
    assert!(script.left_out.is_empty(), "{:?}", script.left_out);
    let program = script.programs.into_iter().next_back().unwrap();
    let scratch = kiln_tests::scratch().unwrap();
    let module = scratch.path().join("module.wasm");
    fs::write(&module, &program.wasm).unwrap();
    let target = Target::host().expect("tests run on a target of Kiln");
    let execution = Execution {
        target,
        program: &kiln::build(scratch.path(), &module, target, &[]).unwrap(),
        args: &[],
        folder: scratch.path(),
        environment: &[],
        stdin: &[],
    };
    (program.expected, execution.run().unwrap())
}

#[test]
fn what_holds_succeeds() {
    for assertion in [
        r#"(assert_return (invoke "i32") (i32.const 1))"#,
        r#"(assert_return (get "global") (i32.const 7))"#,
        r#"(assert_return (invoke "f32" (f32.const -nan)) (f32.const nan:canonical))"#,
        r#"(assert_return (invoke "f32" (f32.const nan:0x600000)) (f32.const nan:arithmetic))"#,
        r#"(assert_return (invoke "pair") (i64.const -1) (f64.const -0))"#,
        r#"(assert_return (invoke "v128" (v128.const f32x4 0 nan -1 1))
                          (v128.const f32x4 0 nan:canonical -1 1))"#,
        r#"(assert_return (invoke "i32") (either (i32.const 0) (i32.const 1)))"#,
        r#"(assert_return (invoke "null" (ref.null func)) (ref.null func))"#,
    ] {
        let (expected, executed) = execute(assertion);
        assert_eq!(expected, Expected::Success);
        expected.compare(&executed).unwrap_or_else(|error| panic!("{assertion}: {error}"));
    }
}

#[test]
fn what_does_not_hold_fails_and_names_its_line() {
    for assertion in [
        r#"(assert_return (invoke "i32") (i32.const 2))"#,
        r#"(assert_return (get "global") (i32.const 8))"#,
        r#"(assert_return (invoke "f32" (f32.const nan:0x600000)) (f32.const nan:canonical))"#,
        r#"(assert_return (invoke "f32" (f32.const nan:0x200000)) (f32.const nan:arithmetic))"#,
        r#"(assert_return (invoke "f32" (f32.const -0)) (f32.const 0))"#,
        r#"(assert_return (invoke "pair") (i64.const -1) (f64.const 0))"#,
        r#"(assert_return (invoke "pair") (i64.const 1) (f64.const -0))"#,
        r#"(assert_return (invoke "v128" (v128.const i64x2 1 2)) (v128.const i64x2 0 2))"#,
        r#"(assert_return (invoke "v128" (v128.const i64x2 1 2)) (v128.const i64x2 1 0))"#,
        r#"(assert_return (invoke "i32") (either (i32.const 0) (i32.const 2)))"#,
        r#"(assert_return (invoke "null" (ref.null func)) (ref.func))"#,
    ] {
        let (expected, executed) = execute(assertion);
        assert!(expected.compare(&executed).is_err(), "{assertion}");
        let said = String::from_utf8_lossy(&executed.stderr);
        assert!(said.contains("script.wast:8"), "{assertion}\n{said}");
    }
}

#[test]
fn a_missing_trap_does_not_look_like_one() {
    let (expected, executed) = execute(r#"(assert_trap (invoke "i32") "unreachable")"#);
    assert_eq!(expected, Expected::Trap("unreachable".to_owned()));
    assert!(expected.compare(&executed).is_err());
}
