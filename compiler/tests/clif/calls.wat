;; Calls through a table that nothing changes: direct for a constant index, compared and direct for
;; a signature that one entry has, checked for others.
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
