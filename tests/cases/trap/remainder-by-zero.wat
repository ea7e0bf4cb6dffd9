;;! exit 134
;;! stderr integer divide by zero
;; A remainder has the same trap.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (i32.rem_u (i32.const 7) (i32.load (i32.const 0))))))
