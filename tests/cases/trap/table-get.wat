;;! exit 134
;;! stderr out of bounds table access
;; A table read behind its end.
(module
  (memory (export "memory") 1)
  (table $t 2 externref)
  (func (export "_start")
    (drop (table.get $t (i32.const 2)))))
