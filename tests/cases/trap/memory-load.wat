;;! exit 134
;;! stderr out of bounds memory access
;; A load just behind the end of the memory.
(module
  (memory (export "memory") 1)
  (func (export "_start") (drop (i32.load8_u (i32.const 65536)))))
