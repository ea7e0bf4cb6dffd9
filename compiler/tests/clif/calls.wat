;; A table that nothing changes: a constant index and a signature with one function are direct
;; calls; others are checked.
(module
  (type $one (func (param i32) (result i32)))
  (type $two (func (param i64) (result i64)))
  (table 3 3 funcref)
  (elem (i32.const 0) $a $b $c)
  (func $a (type $one) (i32.add (local.get 0) (i32.const 1)))
  (func $b (type $one) (i32.add (local.get 0) (i32.const 2)))
  (func $c (type $two) (local.get 0))
  (func (export "_start")
    (drop (call_indirect (type $one) (i32.const 7) (i32.const 1)))
    (drop (call $varying (i32.const 0))))
  (func $varying (param $index i32) (result i64)
    (drop (call_indirect (type $one) (i32.const 7) (local.get $index)))
    (call_indirect (type $two) (i64.const 7) (local.get $index))))
