;;! build --stack-size 256K
;;! stderr kiln: trap: call stack exhausted
;;! stderr in function deeper
;;! exit 134
;; A thread has a stack of its own, with a guard of its own.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func $deeper (param i64) (result i64)
    (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))
  (func (export "wasi_thread_start") (param i32 i32) (drop (call $deeper (i64.const 1))))
  (func (export "_start")
    (drop (call $spawn (i32.const 0)))
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))
