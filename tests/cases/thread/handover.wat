;;! stdout 500500
;; A producer hands the numbers up to 1000 over, one at a time, and the main thread adds them up:
;; each waits for the other.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (export "memory" (memory 0))
  ;; The place where a number is handed over; 0 while it is empty.
  (global $place i32 (i32.const 1024))
  (func $give (param $number i32)
    (loop $again
      (if (i32.atomic.rmw.cmpxchg (global.get $place) (i32.const 0) (local.get $number))
        (then
          (drop (memory.atomic.wait32 (global.get $place)
            (i32.atomic.load (global.get $place)) (i64.const 1000000)))
          (br $again))))
    (drop (memory.atomic.notify (global.get $place) (i32.const 1))))
  (func $take (result i32)
    (local $number i32)
    (loop $again
      (local.set $number (i32.atomic.rmw.xchg (global.get $place) (i32.const 0)))
      (if (i32.eqz (local.get $number))
        (then
          (drop (memory.atomic.wait32 (global.get $place) (i32.const 0) (i64.const -1)))
          (br $again))))
    (drop (memory.atomic.notify (global.get $place) (i32.const 1)))
    (local.get $number))
  ;; Writes a number and a newline.
  (func $print (param $number i32)
    (local $at i32)
    (local.set $at (i32.const 63))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (br_if $digit
        (local.tee $number (i32.div_u (local.get $number) (i32.const 10)))))
    (i32.store (i32.const 64) (local.get $at))
    (i32.store (i32.const 68) (i32.sub (i32.const 64) (local.get $at)))
    (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 72))))
  (func (export "wasi_thread_start") (param $number i32) (param $last i32)
    (local $next i32)
    (loop $again
      (call $give (local.tee $next (i32.add (local.get $next) (i32.const 1))))
      (br_if $again (i32.lt_u (local.get $next) (local.get $last)))))
  (func (export "_start")
    (local $count i32)
    (local $sum i32)
    (local.set $count (i32.const 1000))
    (if (i32.le_s (call $spawn (local.get $count)) (i32.const 0)) (then (unreachable)))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $take)))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (call $print (local.get $sum))
    ;; Time for the thread to end by itself.
    (drop (memory.atomic.wait32 (i32.const 60000) (i32.const 0) (i64.const 200000000)))))
