;; A wait ends with its time, though another thread runs, and a notification in time ends it
;; earlier; as many are woken as wait.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func $check (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable))))
  (func (export "wasi_thread_start") (param i32 i32)
    ;; Until the main thread waits, there is nobody to wake.
    (loop $again
      (br_if $again (i32.eqz (memory.atomic.notify (i32.const 8) (i32.const 5)))))
    (call $check (i32.eqz (memory.atomic.notify (i32.const 8) (i32.const 5))))
    (i32.atomic.store (i32.const 16) (i32.const 1))
    (drop (memory.atomic.notify (i32.const 16) (i32.const 1))))
  (func (export "_start")
    (call $check (i32.gt_s (call $spawn (i32.const 0)) (i32.const 0)))
    (call $check (i32.eq (i32.const 2)
      (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 3000000))))
    (call $check (i32.eqz
      (memory.atomic.wait64 (i32.const 8) (i64.const 0) (i64.const 60000000000))))
    (drop (memory.atomic.wait32 (i32.const 16) (i32.const 0) (i64.const -1)))
    ;; Time for the thread to end by itself.
    (drop (memory.atomic.wait32 (i32.const 60000) (i32.const 0) (i64.const 200000000)))))
