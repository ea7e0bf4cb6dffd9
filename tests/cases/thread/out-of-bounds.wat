;;! stderr kiln: trap: out of bounds memory access
;;! stderr in function load (wasm offset 0x
;;! exit 134
;; A fault in a thread is reported like one in the main thread.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func $load (param i32) (result i32) (i32.load offset=65536 (local.get 0)))
  (func (export "wasi_thread_start") (param i32 i32) (drop (call $load (local.get 1))))
  (func (export "_start")
    (drop (call $spawn (i32.const 0)))
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))
