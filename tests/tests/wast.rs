//! Programs made of scripts notice what is wrong: assertions that do not hold, traps that are
//! missing or others, and modules that are not refused.

use kiln_targets::Target;
use kiln_tests::execute::Executed;
use kiln_tests::wast;

/// The assertion under test follows on line 12.
const MODULE: &str = r#"(module
  (global (export "global") i32 (i32.const 7))
  (func (export "i32") (result i32) (i32.const 1))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "pair") (result i64 f64) (i64.const -1) (f64.const -0))
  (func (export "v128") (param v128) (result v128) (local.get 0))
  (func (export "null") (param funcref) (result funcref) (local.get 0))
  (func (export "extern") (param externref) (result externref) (local.get 0))
  (func (export "divide") (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))))
  (func $recurse (export "recurse") (call $recurse))
  (tag $tag) (func (export "throw") (throw $tag)))
"#;

/// Executes the script of the module and one assertion.
fn execute(assertion: &str) -> Executed {
    let script = wast::read("script.wast", &format!("{MODULE}{assertion}")).unwrap();
    assert!(script.left_out.is_empty(), "{:?}", script.left_out);
    let [program] = script.programs.as_slice() else { panic!("one program is enough") };
    let target = Target::host().expect("tests run on a target of Kiln");
    program.execute(target).unwrap()
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
        r#"(assert_return (invoke "extern" (ref.extern 7)) (ref.extern 7))"#,
        r#"(assert_trap (invoke "divide" (i32.const 0)) "integer divide by zero")"#,
        r#"(assert_exhaustion (invoke "recurse") "call stack exhausted")"#,
        r#"(assert_exception (invoke "throw"))"#,
    ] {
        let executed = execute(assertion);
        let said = String::from_utf8_lossy(&executed.stderr);
        assert_eq!(executed.code, 0, "{assertion}\n{said}");
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
        r#"(assert_return (invoke "extern" (ref.extern 7)) (ref.extern 8))"#,
        r#"(assert_trap (invoke "i32") "unreachable")"#,
        r#"(assert_trap (invoke "divide" (i32.const 0)) "unreachable")"#,
        r#"(assert_trap (invoke "throw") "unreachable")"#,
        r#"(assert_exhaustion (invoke "i32") "call stack exhausted")"#,
        r#"(assert_exception (invoke "divide" (i32.const 0)))"#,
        r#"(assert_trap (module) "unreachable")"#,
    ] {
        let executed = execute(assertion);
        assert_ne!(executed.code, 0, "{assertion}");
        let said = String::from_utf8_lossy(&executed.stderr);
        assert!(said.contains("script.wast:12"), "{assertion}\n{said}");
    }
}

#[test]
fn modules_that_must_be_refused_are_compiled() {
    let script = |text: &str| wast::read("script.wast", &format!("{MODULE}{text}")).unwrap();
    let refused = script(
        r#"(assert_invalid (module (func (result i32))) "type mismatch")
           (assert_malformed (module quote "(func") "")
           (assert_unlinkable (module (import "spectest" "none" (func))) "unknown import")
           (assert_unlinkable (module (import "spectest" "memory" (memory 3)))
             "incompatible import type")"#,
    );
    assert!(refused.refusals.iter().all(|refusal| refusal.error.is_some()), "{refused:?}");
    let admitted = script(
        r#"(assert_invalid (module (func)) "type mismatch")
           (assert_unlinkable (module (import "spectest" "print" (func))) "unknown import")
           (assert_unlinkable (module (import "spectest" "none" (func)))
             "incompatible import type")"#,
    );
    assert!(admitted.refusals.iter().all(|refusal| refusal.error.is_none()), "{admitted:?}");
    assert_eq!((refused.refusals.len(), admitted.refusals.len()), (4, 3));
}
