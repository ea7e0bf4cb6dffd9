;; optimized
;; Constants that comparisons and calls use are loaded; those that arithmetic takes second, and
;; zeros, stay.
(module
  (memory 1)
  (func $count (param $x f64) (result i32) (local $turns i32)
    (loop $again
      (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
      (local.set $x (f64.mul (local.get $x) (f64.const 1.5)))
      (br_if $again (f64.le (local.get $x) (f64.const 4)))
      (br_if $again (f64.lt (local.get $x) (f64.const 0))))
    (local.get $turns))
  (func (export "_start")
    (i32.store (i32.const 0) (call $count (f64.const 0.5)))))
