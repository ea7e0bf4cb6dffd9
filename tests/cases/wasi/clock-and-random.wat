;; Clocks go forward, and random bytes are not all zero.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_res_get" (func $resolution (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  ;; Ends with the exit code `code` unless `ok`.
  (func $check (param $ok i32) (param $code i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $code)))))
  (func (export "_start")
    (call $check (i32.eqz (call $clock (i32.const 0) (i64.const 1) (i32.const 0))) (i32.const 1))
    ;; Later than 2020 and earlier than 2100, in nanoseconds.
    (call $check (i64.gt_u (i64.load (i32.const 0)) (i64.const 1577836800000000000)) (i32.const 2))
    (call $check (i64.lt_u (i64.load (i32.const 0)) (i64.const 4102444800000000000)) (i32.const 3))
    (call $check (i32.eqz (call $clock (i32.const 1) (i64.const 1) (i32.const 0))) (i32.const 4))
    (call $check (i32.eqz (call $yield)) (i32.const 5))
    (call $check (i32.eqz (call $clock (i32.const 1) (i64.const 1) (i32.const 8))) (i32.const 6))
    (call $check (i64.ge_u (i64.load (i32.const 8)) (i64.load (i32.const 0))) (i32.const 7))
    (call $check (i32.eqz (call $resolution (i32.const 1) (i32.const 0))) (i32.const 8))
    (call $check (i64.gt_u (i64.load (i32.const 0)) (i64.const 0)) (i32.const 9))
    (call $check (i32.eqz (call $random (i32.const 16) (i32.const 32))) (i32.const 10))
    (call $check
      (i64.ne (i64.or (i64.load (i32.const 16)) (i64.load (i32.const 24)))
        (i64.or (i64.load (i32.const 32)) (i64.load (i32.const 40))))
      (i32.const 11))))
