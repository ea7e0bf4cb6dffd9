;;! build --dir .
;;! file data 0123456789
;;! exit 0
;; `wasi_unstable`: seeking, attributes and waiting have other layouts than in preview 1. Each
;; failed check ends the program with its number.
(module
  (import "wasi_unstable" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_unstable" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
  (import "wasi_unstable" "path_filestat_get"
    (func $path_stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "data")
  (func $check (param $holds i32) (param $number i32)
    (if (i32.eqz (local.get $holds)) (then (call $proc_exit (local.get $number)))))
  (func $seeks (param $fd i32) (param $by i64) (param $whence i32) (param $to i64) (result i32)
    (i32.and
      (i32.eqz (call $seek (local.get $fd) (local.get $by) (local.get $whence) (i32.const 64)))
      (i64.eq (i64.load (i32.const 64)) (local.get $to))))
  (func (export "_start")
    (local $fd i32)
    ;; Open for reading, seeking, telling and asking for attributes.
    (call $check
      (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
        (i64.const 0x200026) (i64.const 0) (i32.const 0) (i32.const 16)))
      (i32.const 1))
    (local.set $fd (i32.load (i32.const 16)))
    ;; Whence: 2 is the start, 0 the position, 1 the end of the 11 bytes.
    (call $check (call $seeks (local.get $fd) (i64.const 4) (i32.const 2) (i64.const 4)) (i32.const 2))
    (call $check (call $seeks (local.get $fd) (i64.const 3) (i32.const 0) (i64.const 7)) (i32.const 3))
    (call $check (call $seeks (local.get $fd) (i64.const -1) (i32.const 1) (i64.const 10)) (i32.const 4))
    (call $check
      (i32.eq (call $seek (local.get $fd) (i64.const 0) (i32.const 3) (i32.const 64)) (i32.const 28))
      (i32.const 5))
    ;; Attributes: the kind at 16, a 32-bit count of links at 20, the size at 24; 56 bytes in all.
    (i64.store (i32.const 184) (i64.const -1))
    (call $check (i32.eqz (call $stat (local.get $fd) (i32.const 128))) (i32.const 6))
    (call $check (i32.eq (i32.load8_u (i32.const 144)) (i32.const 4)) (i32.const 7))
    (call $check (i32.eq (i32.load (i32.const 148)) (i32.const 1)) (i32.const 8))
    (call $check (i64.eq (i64.load (i32.const 152)) (i64.const 11)) (i32.const 9))
    (call $check (i64.ne (i64.load (i32.const 168)) (i64.const 0)) (i32.const 10))
    (call $check (i64.eq (i64.load (i32.const 184)) (i64.const -1)) (i32.const 11))
    (call $check
      (i32.eqz (call $path_stat (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 256)))
      (i32.const 12))
    (call $check (i64.eq (i64.load (i32.const 280)) (i64.const 11)) (i32.const 13))
    ;; Two subscriptions of 56 bytes each: a clock of 1 ms, whose number comes second, and the file.
    (i64.store (i32.const 512) (i64.const 77))
    (i64.store (i32.const 528) (i64.const 99))
    (i32.store (i32.const 536) (i32.const 1))
    (i64.store (i32.const 544) (i64.const 1000000))
    (call $check
      (i32.eqz (call $poll (i32.const 512) (i32.const 1024) (i32.const 1) (i32.const 64)))
      (i32.const 14))
    (call $check (i32.eq (i32.load (i32.const 64)) (i32.const 1)) (i32.const 15))
    (call $check (i64.eq (i64.load (i32.const 1024)) (i64.const 77)) (i32.const 16))
    (i64.store (i32.const 568) (i64.const 78))
    (i32.store8 (i32.const 576) (i32.const 1))
    (i32.store (i32.const 584) (local.get $fd))
    ;; The clock is an hour away, so the file is the one that is ready.
    (i64.store (i32.const 544) (i64.const 3600000000000))
    (call $check
      (i32.eqz (call $poll (i32.const 512) (i32.const 1024) (i32.const 2) (i32.const 64)))
      (i32.const 17))
    (call $check (i32.eq (i32.load (i32.const 64)) (i32.const 1)) (i32.const 18))
    (call $check (i64.eq (i64.load (i32.const 1024)) (i64.const 78)) (i32.const 19))))
