;; A memory that starts with nothing.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 0)
  ;; Ends with the exit code `code` unless `ok`.
  (func $check (param $ok i32) (param $code i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $code)))))
  (func (export "_start")
    (call $check (i32.eqz (memory.grow (i32.const 17))) (i32.const 1))
    (i32.store (i32.const 1114108) (i32.const 7))
    (call $check (i32.eq (i32.load (i32.const 1114108)) (i32.const 7)) (i32.const 2))))
