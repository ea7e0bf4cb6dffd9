;;! exit 134
;;! stderr indirect call type mismatch
;; An indirect call of a function of another type.
(module
  (memory (export "memory") 1)
  (type $t (func))
  (type $u (func (param i32)))
  (table 2 funcref)
  (elem (i32.const 0) $f $g)
  (func $f)
  (func $g (param i32))
  (func (export "_start")
    (call_indirect (type $t) (i32.add (i32.load (i32.const 0)) (i32.const 1)))))
