;;! exit 134
;;! stderr out of bounds memory access
;; A store behind the end: arm64 and Windows report writes otherwise than reads.
(module
  (memory (export "memory") 1)
  (func (export "_start") (i32.store (i32.const 65536) (i32.const 1))))
