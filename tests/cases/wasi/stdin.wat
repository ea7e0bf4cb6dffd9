;;! stdin first line
;;! stdin second line
;;! stdout first line
;;! stdout second line
;; Copies standard input to standard output.
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\04\00\00\05\00\00\00\00\04\00\00")
  (func (export "_start")
    (block $end
      (loop $more
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 12)))
        (br_if $end (i32.eqz (i32.load (i32.const 12))))
        (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
        (br $more)))))
