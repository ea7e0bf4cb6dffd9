;;! exit 0
;; Traps of every origin are caught where the host's function was called, and the program goes on:
;; a fault in compiled code, a check of the runtime, an exhausted stack (twice), an exception.
(module
  (type $f (func))
  (import "kiln" "catch_trap" (func $catch (param (ref null $f)) (result i32)))
  (memory 1)
  (table 1 funcref)
  (tag $tag (param i32))
  (global $depth (mut i32) (i32.const 0))
  (elem declare func $returns $unreachable $load $divide $copy $null $recurse $throw $nested $call)

  (func $returns)
  (func $unreachable (unreachable))
  (func $load (drop (i32.load (i32.const 65536))))
  (func $divide (drop (i32.div_u (i32.const 1) (global.get $depth))))
  (func $copy (memory.copy (i32.const 65535) (i32.const 0) (i32.const 2)))
  (func $null (call_indirect (type $f) (i32.const 0)))
  (func $recurse
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (call $recurse)
    (global.set $depth (i32.const -1)))
  (func $throw (throw $tag (i32.const 1)))
  ;; Catches one trap itself and ends with another.
  (func $nested
    (call $expect (ref.func $load) (i32.const 2))
    (drop (i32.div_u (i32.const 1) (i32.const 0))))
  (func $call (call $deep (i32.const 100)))
  (func $deep (param i32)
    (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))))
    (if (i32.eqz (local.get 0)) (then (unreachable))))

  (func $expect (param $f (ref null $f)) (param $number i32)
    (if (i32.ne (call $catch (local.get $f)) (local.get $number)) (then (unreachable))))

  (func (export "_start")
    (local $before i64)
    (local.set $before (i64.const 0x123456789abcdef0))
    (call $expect (ref.func $returns) (i32.const 0))
    (call $expect (ref.func $unreachable) (i32.const 1))
    (call $expect (ref.func $load) (i32.const 2))
    (call $expect (ref.func $divide) (i32.const 7))
    (call $expect (ref.func $copy) (i32.const 2))
    (call $expect (ref.func $null) (i32.const 5))
    (call $expect (ref.func $recurse) (i32.const 10))
    (if (i32.lt_s (global.get $depth) (i32.const 1000)) (then (unreachable)))
    (call $expect (ref.func $recurse) (i32.const 10))
    (call $expect (ref.func $throw) (i32.const 14))
    (call $expect (ref.func $nested) (i32.const 7))
    (call $expect (ref.func $call) (i32.const 1))
    (if (i64.ne (local.get $before) (i64.const 0x123456789abcdef0)) (then (unreachable)))))
