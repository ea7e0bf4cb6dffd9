;;! shell "$@" | true; exit ${PIPESTATUS[0]}
;;! exit 64
;; EPIPE (64) when nobody reads standard output any more, and no signal.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\00\04\00\00\00\00\01\00")
  (func (export "_start") (local $errno i32)
    (loop $more
      (local.set $errno (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
      (br_if $more (i32.eqz (local.get $errno))))
    (call $proc_exit (local.get $errno))))
