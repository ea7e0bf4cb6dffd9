;;! exit 134
;;! stderr integer divide by zero
;; A division by zero that the compiler cannot see.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (i32.div_s (i32.const 7) (i32.load (i32.const 0))))))
