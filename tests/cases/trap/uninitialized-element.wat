;;! exit 134
;;! stderr uninitialized element
;; An indirect call of an entry that nothing set.
(module
  (memory (export "memory") 1)
  (type $t (func))
  (table 3 funcref)
  (elem (i32.const 0) $f $f)
  (func $f)
  (func (export "_start")
    (call_indirect (type $t) (i32.add (i32.load (i32.const 0)) (i32.const 2)))))
