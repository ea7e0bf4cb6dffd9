;;! exit 134
;;! stderr out of bounds memory access
;; Behind the new end is still outside.
(module
  (memory (export "memory") 1 3)
  (func (export "_start")
    (drop (memory.grow (i32.const 1)))
    (i32.store8 (i32.const 131071) (i32.const 1))
    (i32.store8 (i32.const 131072) (i32.const 1))))
