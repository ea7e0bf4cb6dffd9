;;! build --memory checked
;;! exit 134
;;! stderr out of bounds memory access
;; With explicit checks instead of a guard region, the same trap.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 65532) (i32.const 1))
    (drop (i32.load offset=0xfffffff0 (i32.const 65532)))))
