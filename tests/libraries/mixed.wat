;; What the tests of libraries call.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1 4)
  (table (export "table") 1 funcref)
  (global $count (export "count") (mut i32) (i32.const 7))
  (global (export "pi") f64 (f64.const 3.25))
  (global $started (mut i32) (i32.const 0))
  (data (i32.const 16) "written by wasm\nwr/tten")

  (func (export "_initialize") (global.set $started (i32.const 1)))
  (func (export "started") (result i32) (global.get $started))
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "mixed") (param i64 f32 f64 i32) (result f64)
    (f64.add
      (f64.add (f64.convert_i64_s (local.get 0)) (f64.promote_f32 (local.get 1)))
      (f64.add (local.get 2) (f64.convert_i32_u (local.get 3)))))
  ;; More than registers hold.
  (func (export "many") (param i32 i64 i32 i64 i32 i64 i32 i64 i32 f32 f64) (result i64)
    (i64.add
      (i64.add
        (i64.add
          (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1))
          (i64.add (i64.extend_i32_s (local.get 2)) (local.get 3)))
        (i64.add
          (i64.add (i64.extend_i32_s (local.get 4)) (local.get 5))
          (i64.add (i64.extend_i32_s (local.get 6)) (local.get 7))))
      (i64.add
        (i64.extend_i32_s (local.get 8))
        (i64.add
          (i64.trunc_f32_s (local.get 9))
          (i64.trunc_f64_s (local.get 10))))))
  (func (export "divide") (param i32 i32) (result i32 i32)
    (i32.div_u (local.get 0) (local.get 1))
    (i32.rem_u (local.get 0) (local.get 1)))
  (func (export "eight") (param i32) (result i32 i64 i32 i64 i32 i64 i32 f32)
    (local.get 0) (i64.const 2) (i32.const 3) (i64.const 4)
    (i32.const 5) (i64.const 6) (i32.const 7) (f32.const 8.5))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "increment") (global.set $count (i32.add (global.get $count) (i32.const 1))))
  (func (export "fail") (unreachable))
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (i32.const 1) (call $deep (local.get 0))))
  ;; Until the stack is exhausted in a call of WASI, which is told to look for `wr/tten`.
  (func $deep_stat (export "deep_stat") (param i32) (result i32)
    (drop
      (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 32) (i32.const 7)
        (i32.const 128)))
    (i32.add (i32.const 1) (call $deep_stat (local.get 0))))
  ;; Lists the granted directory, which no other call may be using.
  (func (export "list") (result i32)
    (call $fd_readdir (i32.const 3) (i32.const 256) (i32.const 4096) (i64.const 0)
      (i32.const 128)))
  (func (export "fill") (param i32)
    (memory.fill (local.get 0) (i32.const 1) (i32.const 16)))
  (func (export "exit") (param i32) (call $proc_exit (local.get 0)))
  (func (export "null call") (call_indirect (i32.const 0)))
  (func (export "print") (result i32)
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 16))
    (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
  (func (export "vector") (result v128) (v128.const i64x2 1 2)))
