;;! exit 8
;; A descriptor that was never opened is EBADF (8).
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $proc_exit (call $fd_close (i32.const 99)))))
