;;! build --dir disk::/
;;! folder disk
;;! shell unshare --map-root-user --mount bash -c 'mount -t tmpfs -o size=1m none disk && "$@"
;;! shell     code=$?; stat --format %s disk/file; exit $code' bash "$@"
;;! stdout 1048576
;;! exit 51
;;! only linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 -- wine sees no other mount
;; A disk of 1 MiB fills up: ENOSPC (51), and all that fitted is there.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\00\04\00\00\00\10\00\00")
  (data (i32.const 32) "file")
  (func (export "_start") (local $errno i32)
    (local.set $errno
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 4) (i32.const 1)
        (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
    (if (local.get $errno) (then unreachable))
    (loop $more
      (local.set $errno
        (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 20)))
      (br_if $more (i32.eqz (local.get $errno))))
    (call $proc_exit (local.get $errno))))
