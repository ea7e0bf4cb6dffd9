;;! also --opt none
;; Float constants of both types wherever an operator takes one: compared on either side, stored,
;; selected, passed on, returned, converted, as either operand of arithmetic, in loops; among them
;; negative zero, infinities, NaN and the smallest number.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  ;; Ends with the exit code `code` unless `ok`.
  (func $check (param $ok i32) (param $code i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $code)))))
  (func $between (param $x f64) (result i32)
    (i32.and
      (f64.lt (f64.const -2.5) (local.get $x))
      (f64.ge (f64.const 7.25) (local.get $x))))
  (func $pick (param $first i32) (result f64)
    (select (f64.const 0x1p-1074) (f64.const -0x1.fffffffffffffp1023) (local.get $first)))
  (func $pick_f32 (param $first i32) (result f32)
    (if (result f32) (local.get $first) (then (f32.const 0.1)) (else (f32.const -inf))))
  (func $same (param $x f64) (param $bits i64) (result i32)
    (i64.eq (i64.reinterpret_f64 (local.get $x)) (local.get $bits)))
  (func $turns (param $x f32) (result i32) (local $turns i32)
    (loop $again
      (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
      (local.set $x (f32.mul (local.get $x) (f32.const 1.5)))
      (br_if $again (f32.lt (local.get $x) (f32.const 40)))
      (local.set $x (f32.sub (f32.const 0.5) (local.get $x)))
      (br_if $again (f32.gt (local.get $x) (f32.const -50))))
    (local.get $turns))
  (func (export "_start") (local $bits i64)
    (call $check (call $between (f64.const 7.25)) (i32.const 1))
    (call $check (i32.eqz (call $between (f64.const nan))) (i32.const 2))
    (call $check (call $same (call $pick (i32.const 1)) (i64.const 1)) (i32.const 3))
    (call $check
      (call $same (call $pick (i32.const 0)) (i64.const 0xffefffffffffffff))
      (i32.const 4))
    (call $check
      (i32.eq (i32.reinterpret_f32 (call $pick_f32 (i32.const 1))) (i32.const 0x3dcccccd))
      (i32.const 5))
    (call $check (f32.eq (call $pick_f32 (i32.const 0)) (f32.const -inf)) (i32.const 6))
    (f64.store (i32.const 8) (f64.const -0))
    (f32.store (i32.const 16) (f32.const nan:0x400001))
    (call $check
      (i64.eq (i64.load (i32.const 8)) (i64.const 0x8000000000000000))
      (i32.const 7))
    (call $check (i32.eq (i32.load (i32.const 16)) (i32.const 0x7fc00001)) (i32.const 8))
    (call $check
      (call $same (f64.copysign (f64.const 4.5) (f64.const -0)) (i64.const 0xc012000000000000))
      (i32.const 9))
    (call $check
      (call $same (f64.min (f64.load (i32.const 8)) (f64.const 0)) (i64.const 0x8000000000000000))
      (i32.const 10))
    (call $check
      (i32.eq (i32.trunc_f64_s (f64.mul (f64.const 1e3) (f64.promote_f32 (f32.const 0.25))))
        (i32.const 250))
      (i32.const 11))
    (call $check (i32.eq (call $turns (f32.const 2)) (i32.const 8)) (i32.const 12))))
