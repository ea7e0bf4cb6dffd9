;;! build --dir .::/
;;! shell "$3" <&-; input=$?
;;! shell "$3" >&-; output=$?
;;! shell "$3" 2>&-; errors=$?
;;! shell echo $input $output $errors; "$3"
;;! stdout 1 2 4
;;! only linux-amd64 -- runners open files of their own in place of a closed stream
;; Says in a bit for each standard stream whether it is closed (EBADF), before and after a file was
;; opened, which must not take its place.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $filestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "file")
  (func $is_closed (param $fd i32) (result i32)
    (i32.eq (call $filestat (local.get $fd) (i32.const 64)) (i32.const 8)))
  (func $closed (result i32)
    (i32.or
      (i32.or (call $is_closed (i32.const 0)) (i32.shl (call $is_closed (i32.const 1)) (i32.const 1)))
      (i32.shl (call $is_closed (i32.const 2)) (i32.const 2))))
  (func (export "_start") (local $closed i32)
    (local.set $closed (call $closed))
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 4) (i32.const 1)
        (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 16))
      (then unreachable))
    (if (i32.ne (i32.load (i32.const 16)) (i32.const 4)) (then unreachable))
    (if (i32.ne (call $closed) (local.get $closed)) (then unreachable))
    (call $proc_exit (local.get $closed))))
