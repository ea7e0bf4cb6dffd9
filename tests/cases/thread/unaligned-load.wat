;;! stderr kiln: trap: unaligned atomic
;;! stderr in function load (wasm offset 0x
;;! exit 134
;; The address that counts is the one with the offset added.
(module
  (memory 1)
  (func $load (drop (i64.atomic.load offset=4 (i32.const 8))))
  (func (export "_start")
    (drop (i64.atomic.load offset=4 (i32.const 4)))
    (call $load)))
