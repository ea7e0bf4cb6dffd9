;;! exit 134
;;! stderr out of bounds memory access
;; A load that begins inside the memory and ends outside.
(module
  (memory (export "memory") 1)
  (func (export "_start") (drop (i64.load (i32.const 65529)))))
