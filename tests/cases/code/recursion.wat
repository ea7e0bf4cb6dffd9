;;! also --opt none
;; Small functions that call themselves: in loops and branches, with several results, floats and
;; vectors, in an order of effects that shows, in each other's place, with traps and exceptions.
(module
  (type $f (func))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "kiln" "catch_trap" (func $catch (param (ref null $f)) (result i32)))
  (memory (export "memory") 1)
  (tag $end (param i32))
  (global $digits (mut i64) (i64.const 0))
  (elem declare func $trapping $outside)
  (func $fibonacci (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (if (i32.ge_u (local.get $n) (i32.const 2))
        (then
          (local.set $sum
            (i32.add (local.get $sum) (call $fibonacci (i32.sub (local.get $n) (i32.const 1)))))
          (local.set $n (i32.sub (local.get $n) (i32.const 2)))
          (br $again))))
    (i32.add (local.get $sum) (local.get $n)))
  (func $ackermann (param $m i32) (param $n i32) (result i32)
    (if (i32.eqz (local.get $m)) (then (return (i32.add (local.get $n) (i32.const 1)))))
    (if (i32.eqz (local.get $n))
      (then (return_call $ackermann (i32.sub (local.get $m) (i32.const 1)) (i32.const 1))))
    (return_call $ackermann
      (i32.sub (local.get $m) (i32.const 1))
      (call $ackermann (local.get $m) (i32.sub (local.get $n) (i32.const 1)))))
  ;; Appends the digits of a number in order, before, between and after its calls.
  (func $walk (param $n i64)
    (if (i64.eqz (local.get $n)) (then (return)))
    (global.set $digits
      (i64.add (i64.mul (global.get $digits) (i64.const 10)) (local.get $n)))
    (call $walk (i64.sub (local.get $n) (i64.const 1)))
    (global.set $digits (i64.mul (global.get $digits) (i64.const 10)))
    (call $walk (i64.shr_u (local.get $n) (i64.const 2))))
  (func $many (param $n i32) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (if (i32.eqz (local.get $n))
      (then
        (return (i64.const 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5)
          (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9))))
    (call $many (i32.sub (local.get $n) (i32.const 1)))
    (drop)
    (i64.add (i64.extend_i32_u (local.get $n)))
    (i64.const 70))
  (func $halves (param $x f64) (param $lanes v128) (result f64)
    (if (result f64) (f64.le (local.get $x) (f64.const 1.5))
      (then (f64x2.extract_lane 1 (local.get $lanes)))
      (else
        (f64.add
          (f64.const 0.25)
          (call $halves
            (f64.mul (local.get $x) (f64.const 0.5))
            (f64x2.add (local.get $lanes) (f64x2.splat (local.get $x))))))))
  (func $trap_at (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then unreachable))
    (i32.add (i32.const 1) (call $trap_at (i32.sub (local.get $n) (i32.const 1)))))
  (func $trapping (drop (call $trap_at (i32.const 5))))
  (func $load_at (param $n i32) (result i32)
    (if (i32.gt_u (local.get $n) (i32.const 65535))
      (then (return (i32.load (local.get $n)))))
    (i32.add (i32.const 1) (call $load_at (i32.add (local.get $n) (i32.const 30000)))))
  (func $outside (drop (call $load_at (i32.const 1))))
  ;; The innermost call throws; the next one catches.
  (func $throwing (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (throw $end (i32.const 100))))
    (block $caught (result i32)
      (try_table (result i32) (catch $end $caught)
        (call $throwing (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (local.get $n)))
  ;; Ends with the exit code `code` unless `ok`.
  (func $check (param $ok i32) (param $code i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $code)))))
  (func (export "_start") (local $sum i64)
    (call $check (i32.eq (call $fibonacci (i32.const 20)) (i32.const 6765)) (i32.const 1))
    (call $check (i32.eq (call $ackermann (i32.const 2) (i32.const 5)) (i32.const 13)) (i32.const 2))
    (call $walk (i64.const 5))
    (call $check (i64.eq (global.get $digits) (i64.const 54321000010010)) (i32.const 3))
    (call $many (i32.const 3))
    (local.set $sum)
    (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 100))))
    (local.set $sum (i64.add (local.get $sum)))
    (drop) (drop) (drop) (drop) (drop) (drop) (drop)
    (call $check (i64.eq (local.get $sum) (i64.const 7021)) (i32.const 4))
    (call $check
      (f64.eq
        (call $halves (f64.const 10) (v128.const f64x2 1 2))
        (f64.const 20.25))
      (i32.const 5))
    (call $check (i32.eq (call $catch (ref.func $trapping)) (i32.const 1)) (i32.const 6))
    (call $check (i32.eq (call $catch (ref.func $outside)) (i32.const 2)) (i32.const 7))
    (call $check (i32.eq (call $throwing (i32.const 4)) (i32.const 110)) (i32.const 8))))
