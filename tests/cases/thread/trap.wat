;;! stderr kiln: trap: integer divide by zero
;;! stderr in function divide (wasm offset 0x
;;! stderr called from wasi_thread_start
;;! exit 134
;; A trap in any thread ends the program, whatever the others wait for.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "wasi_thread_start") (param i32 i32)
    (drop (call $divide (local.get 1))))
  (func (export "_start")
    (drop (call $spawn (i32.const 0)))
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))
