;;! build --dir .::/
;;! shell ulimit -n 20000 && "$@"
;;! file file x
;;! exit 0
;;! only linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 windows-amd64 -- slow in emulated wine
;; 10,000 files are open at once, and the last can be read.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00\02\00\00\00")
  (data (i32.const 32) "file")
  (func $open (result i32)
    (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 4) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
  (func (export "_start") (local $errno i32) (local $count i32)
    (loop $more
      (local.set $errno (call $open))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (br_if $more
        (i32.and (i32.eqz (local.get $errno)) (i32.lt_u (local.get $count) (i32.const 10000)))))
    (if (call $fd_read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 20))
      (then unreachable))
    (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 120)) (then unreachable))
    (if (call $fd_close (i32.const 50)) (then unreachable))
    (if (call $open) (then unreachable))
    (if (i32.ne (i32.load (i32.const 16)) (i32.const 50)) (then unreachable))
    (call $proc_exit (local.get $errno))))
