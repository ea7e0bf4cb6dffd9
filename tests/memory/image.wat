;; Checks a memory whose contents, from 1 MiB to `$end`, the runner appends as a data segment: the
;; word at address a is a * 0x9e3779b1. Ends with the exit code of what is wrong; or, when all is
;; well, by an access just beyond the memory.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1024)
  (global $begin i32 (i32.const 0x100000))
  ;; 33,000,000 bytes: neither memory nor pages of the host end here.
  (global $end i32 (i32.const 34048576))
  (func $check (param $ok i32) (param $code i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $code)))))
  (func $word (param $at i32) (result i32)
    (i32.mul (local.get $at) (i32.const 0x9e3779b1)))
  ;; Whether all words from one address to another are zero.
  (func $is_zero (param $at i32) (param $to i32) (result i32)
    (local $all i64)
    (loop $next
      (local.set $all (i64.or (local.get $all) (i64.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $to))))
    (i64.eqz (local.get $all)))
  ;; Whether all words of the segment from one address on are what they should be.
  (func $is_whole (param $at i32) (result i32)
    (local $all i32)
    (loop $next
      (local.set $all
        (i32.or (local.get $all) (i32.xor (i32.load (local.get $at)) (call $word (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $at) (global.get $end))))
    (i32.eqz (local.get $all)))
  ;; Waits half a second, in which the runner looks at the process.
  (func $wait
    (i64.store (i32.const 0) (i64.const 0))
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 500000000))
    (drop (call $poll_oneoff (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))
  (func (export "_start")
    (call $check (call $is_zero (i32.const 0) (global.get $begin)) (i32.const 1))
    (call $check (call $is_whole (global.get $begin)) (i32.const 2))
    (call $check (call $is_zero (global.get $end) (i32.const 0x4000000)) (i32.const 3))
    (call $wait)
    ;; What is written is there, and nothing else changes.
    (memory.fill (i32.const 0x200000) (i32.const 0xaa) (i32.const 0x100000))
    (i32.store (i32.const 0x100000) (i32.const 0x11111111))
    (i32.store (i32.sub (global.get $end) (i32.const 4)) (i32.const 0x22222222))
    (call $check
      (i64.eq (i64.load (i32.const 0x2ffff8)) (i64.const 0xaaaaaaaaaaaaaaaa)) (i32.const 4))
    (call $check (i32.eq (i32.load (i32.const 0x100000)) (i32.const 0x11111111)) (i32.const 5))
    (i32.store (i32.sub (global.get $end) (i32.const 4))
      (call $word (i32.sub (global.get $end) (i32.const 4))))
    (call $check (call $is_whole (i32.const 0x300000)) (i32.const 6))
    ;; What is added is zero, and can be written.
    (call $check (i32.eq (memory.grow (i32.const 16)) (i32.const 1024)) (i32.const 7))
    (call $check (call $is_zero (i32.const 0x4000000) (i32.const 0x4100000)) (i32.const 8))
    (memory.copy (i32.const 0x4000000) (i32.const 0x300000) (i32.const 0x100000))
    (call $check
      (i32.eq (i32.load (i32.const 0x40ffffc)) (call $word (i32.const 0x3ffffc))) (i32.const 9))
    (drop (i32.load (i32.const 0x40ffffd)))))
