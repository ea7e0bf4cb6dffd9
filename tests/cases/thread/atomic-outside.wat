;;! stderr kiln: trap: out of bounds memory access
;;! stderr in function add (wasm offset 0x
;;! exit 134
(module
  (memory 1 1 shared)
  (func $add (drop (i64.atomic.rmw.add (i32.const 0x10000) (i64.const 1))))
  (func (export "_start")
    (drop (i64.atomic.rmw.add (i32.const 0xfff8) (i64.const 1)))
    (call $add)))
