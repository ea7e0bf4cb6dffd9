;;! exit 134
;;! stderr trap: out of bounds memory access
;; The last byte of 5 GiB can be read, the one after it cannot.
(module
  (memory i64 81920 81920)
  (func (export "_start")
    (drop (i32.load8_u (i64.const 0x1_3fff_ffff)))
    (drop (i32.load8_u (i64.const 0x1_4000_0000)))))
