;;! stdout done
;; Eight threads increment one counter by compare-and-exchange and another under a lock, all at
;; once, and the main thread waits for the last of them. Twice as many more come and go after that,
;; one at a time, each with a number of its own.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 1 2 shared))
  (export "memory" (memory 0))
  (global $lock i32 (i32.const 0))
  (global $locked i32 (i32.const 4))
  (global $free i32 (i32.const 8))
  (global $running i32 (i32.const 12))
  (data (i32.const 128) "done\n")
  (func $check (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable))))
  (func $acquire
    (loop $again
      (if (i32.atomic.rmw.xchg (global.get $lock) (i32.const 1))
        (then
          (drop (memory.atomic.wait32 (global.get $lock) (i32.const 1) (i64.const 1000000)))
          (br $again)))))
  (func $release
    (i32.atomic.store (global.get $lock) (i32.const 0))
    (drop (memory.atomic.notify (global.get $lock) (i32.const 1))))
  (func $increment_freely
    (local $former i32)
    (loop $again
      (local.set $former (i32.atomic.load (global.get $free)))
      (br_if $again (i32.ne (local.get $former)
        (i32.atomic.rmw.cmpxchg (global.get $free) (local.get $former)
          (i32.add (local.get $former) (i32.const 1)))))))
  (func (export "wasi_thread_start") (param $number i32) (param $rounds i32)
    (call $check (i32.gt_s (local.get $number) (i32.const 0)))
    (call $check (i32.lt_s (local.get $number) (i32.const 0x20000000)))
    (loop $round
      (call $increment_freely)
      (call $acquire)
      (i32.store (global.get $locked) (i32.add (i32.load (global.get $locked)) (i32.const 1)))
      (call $release)
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (if (i32.eq (i32.const 1) (i32.atomic.rmw.sub (global.get $running) (i32.const 1)))
      (then (drop (memory.atomic.notify (global.get $running) (i32.const -1))))))
  ;; Starts threads and waits for all of them.
  (func $run (param $threads i32) (param $rounds i32)
    (local $left i32)
    (i32.atomic.store (global.get $running) (local.get $threads))
    (loop $next
      (call $check (i32.gt_s (call $spawn (local.get $rounds)) (i32.const 0)))
      (br_if $next (local.tee $threads (i32.sub (local.get $threads) (i32.const 1)))))
    (loop $again
      (if (local.tee $left (i32.atomic.load (global.get $running)))
        (then
          (drop (memory.atomic.wait32 (global.get $running) (local.get $left) (i64.const -1)))
          (br $again)))))
  (func (export "_start")
    (local $more i32)
    (call $run (i32.const 8) (i32.const 500))
    (local.set $more (i32.const 16))
    (loop $next
      (call $run (i32.const 1) (i32.const 1))
      (br_if $next (local.tee $more (i32.sub (local.get $more) (i32.const 1)))))
    (call $check (i32.eq (i32.atomic.load (global.get $free)) (i32.const 4016)))
    (call $check (i32.eq (i32.load (global.get $locked)) (i32.const 4016)))
    (i32.store (i32.const 64) (i32.const 128))
    (i32.store (i32.const 68) (i32.const 5))
    (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 72)))
    ;; Time for the thread to end by itself.
    (drop (memory.atomic.wait32 (i32.const 60000) (i32.const 0) (i64.const 200000000)))))
