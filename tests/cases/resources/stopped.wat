;;! shell set -m
;;! shell { for part in {1..20}; do head -c 30001 /dev/zero; sleep 0.02; done } | "$@" | wc -c &
;;! shell for round in {1..20}; do sleep 0.02; kill -STOP -- -$!; kill -CONT -- -$!; done
;;! shell set +m; wait $!
;;! stdout 600020
;; Stopped and continued again and again while it waits for input and copies it; nothing is lost.
;; A wait of 0.3 seconds that is interrupted lasts no less.
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\00\04\00\00\00\00\01\00")
  (data (i32.const 8) "\00\04\00\00")
  ;; The monotonic clock, 0.3 s.
  (data (i32.const 144) "\01\00\00\00\00\00\00\00\00\a3\e1\11")
  (func $time (result i64)
    (if (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 256)) (then unreachable))
    (i64.load (i32.const 256)))
  (func $wait (local $start i64)
    (local.set $start (call $time))
    (if (call $poll_oneoff (i32.const 128) (i32.const 192) (i32.const 1) (i32.const 248))
      (then unreachable))
    (if (i64.lt_u (i64.sub (call $time) (local.get $start)) (i64.const 300000000))
      (then unreachable)))
  (func (export "_start") (local $left i32)
    (call $wait)
    (block $end
      (loop $more
        (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 12))
          (then unreachable))
        (local.set $left (i32.load (i32.const 12)))
        (br_if $end (i32.eqz (local.get $left)))
        (i32.store (i32.const 8) (i32.const 1024))
        (loop $rest
          (i32.store (i32.const 12) (local.get $left))
          (if (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16))
            (then unreachable))
          (i32.store (i32.const 8)
            (i32.add (i32.load (i32.const 8)) (i32.load (i32.const 16))))
          (local.set $left (i32.sub (local.get $left) (i32.load (i32.const 16))))
          (br_if $rest (local.get $left)))
        (br $more)))))
