;; Growing returns the former size, makes zeros, keeps the contents and has a limit.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1 3)
  ;; Ends with the exit code `code` unless `ok`.
  (func $check (param $ok i32) (param $code i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $code)))))
  (func (export "_start")
    (i32.store (i32.const 65532) (i32.const 0x12345678))
    (call $check (i32.eq (memory.size) (i32.const 1)) (i32.const 1))
    (call $check (i32.eq (memory.grow (i32.const 2)) (i32.const 1)) (i32.const 2))
    (call $check (i32.eq (memory.size) (i32.const 3)) (i32.const 3))
    (call $check (i32.eq (i32.load (i32.const 65532)) (i32.const 0x12345678)) (i32.const 4))
    (call $check (i32.eqz (i32.load (i32.const 196604))) (i32.const 5))
    (i32.store (i32.const 196604) (i32.const 1))
    (call $check (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (i32.const 6))
    (call $check (i32.eq (memory.grow (i32.const 0)) (i32.const 3)) (i32.const 7))
    (call $check (i32.eq (memory.grow (i32.const -1)) (i32.const -1)) (i32.const 8))))
