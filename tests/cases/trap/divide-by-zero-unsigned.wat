;;! exit 134
;;! stderr integer divide by zero
;; The unsigned and 64-bit variant.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (i64.div_u (i64.const 7) (i64.load (i32.const 0))))))
