;;! only linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 windows-amd64 -- arm64 wine in qemu-user crashes now and then when a process ends with other threads
;;! exit 7
;; `proc_exit` in any thread ends the program with that code.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func (export "wasi_thread_start") (param i32 i32) (call $proc_exit (local.get 1)))
  (func (export "_start")
    (drop (call $spawn (i32.const 7)))
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))
