;;! build --memory checked
;; With explicit checks, what is inside is still reached, also after growing.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1 4)
  ;; Ends with the exit code `code` unless `ok`.
  (func $check (param $ok i32) (param $code i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $code)))))
  (func (export "_start")
    (i64.store (i32.const 65528) (i64.const 5))
    (call $check (i64.eq (i64.load (i32.const 65528)) (i64.const 5)) (i32.const 1))
    (drop (memory.grow (i32.const 3)))
    (i64.store offset=131072 (i32.const 131064) (i64.const 6))
    (call $check (i64.eq (i64.load (i32.const 262136)) (i64.const 6)) (i32.const 2))))
