;;! exit 134
;;! stderr out of bounds memory access
;; The farthest address that an access can form: index and offset both near 4 GiB.
(module
  (memory (export "memory") 1)
  (func (export "_start") (drop (i64.load offset=0xffffffff (i32.const -1)))))
