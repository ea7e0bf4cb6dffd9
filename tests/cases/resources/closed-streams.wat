;;! build --dir .::/
;;! shell "$@" <&- >&- 2>&-
;;! exit 8
;;! leaves file in the file
;;! only linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 -- wine opens streams of its own
;; With all streams closed, a file that is opened does not take their place: writing to standard
;; output gives EBADF (8), and the file holds only what was written to it.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00\0c\00\00\00")
  (data (i32.const 32) "file")
  (data (i32.const 64) "in the file\n")
  (func $write (param $fd i32) (result i32)
    (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 20)))
  (func (export "_start") (local $errno i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 4) (i32.const 1)
        (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 16))
      (then unreachable))
    (if (call $write (i32.load (i32.const 16))) (then unreachable))
    (local.set $errno (call $write (i32.const 1)))
    (if (i32.ne (local.get $errno) (call $write (i32.const 2))) (then unreachable))
    (if (i32.ne (local.get $errno)
        (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 20)))
      (then unreachable))
    (call $proc_exit (local.get $errno))))
