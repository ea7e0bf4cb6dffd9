;;! stderr kiln: trap: unaligned atomic
;;! stderr in function notify (wasm offset 0x
;;! exit 134
(module
  (memory 1)
  (func $notify (drop (memory.atomic.notify offset=2 (i32.const 0) (i32.const 0))))
  (func (export "_start") (call $notify)))
