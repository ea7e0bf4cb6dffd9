;;! exit 134
;;! stderr out of bounds table access
;; A copy of elements behind the end of the table.
(module
  (memory (export "memory") 1)
  (table $t 2 funcref)
  (elem $e func $f $f $f)
  (func $f)
  (func (export "_start")
    (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 3))))
