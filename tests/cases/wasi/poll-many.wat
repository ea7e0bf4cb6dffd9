;; Waits for 4,000 things at once, which is more than a process may have files open: a clock that
;; is due, a clock that is not, a descriptor that is none, and standard output, in turn. All but the
;; second kind come true, in their order. Each failed check ends the program with its number.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 8)
  (func $check (param $number i32) (param $holds i32)
    (if (i32.eqz (local.get $holds)) (then (call $proc_exit (local.get $number)))))
  ;; Subscriptions lie from 64 on, 48 bytes each, events from 196608 on, 32 bytes each.
  (func (export "_start") (local $at i32) (local $index i32) (local $kind i32)
    (loop $more
      (local.set $at (i32.add (i32.const 64) (i32.mul (local.get $index) (i32.const 48))))
      (local.set $kind (i32.and (local.get $index) (i32.const 3)))
      (i32.store (local.get $at) (local.get $index))
      (if (i32.ge_u (local.get $kind) (i32.const 2))
        (then
          (i32.store8 offset=8 (local.get $at) (i32.const 2))
          (i32.store offset=16 (local.get $at)
            (select (i32.const 1) (i32.const 4000000000)
              (i32.eq (local.get $kind) (i32.const 3)))))
        (else
          (i32.store offset=16 (local.get $at) (i32.const 1))
          (if (local.get $kind)
            (then (i64.store offset=24 (local.get $at) (i64.const 3600000000000))))))
      (br_if $more
        (i32.ne (local.tee $index (i32.add (local.get $index) (i32.const 1))) (i32.const 4000))))
    (call $check (i32.const 1)
      (i32.eqz
        (call $poll_oneoff (i32.const 64) (i32.const 196608) (i32.const 4000) (i32.const 8))))
    (call $check (i32.const 2) (i32.eq (i32.load (i32.const 8)) (i32.const 3000)))
    (local.set $index (i32.const 0))
    (loop $more
      (local.set $at (i32.add (i32.const 196608) (i32.mul (local.get $index) (i32.const 32))))
      (local.set $kind (i32.rem_u (local.get $index) (i32.const 3)))
      (call $check (i32.const 3)
        (i32.eq (i32.load (local.get $at))
          (i32.add (i32.mul (i32.div_u (local.get $index) (i32.const 3)) (i32.const 4))
            (select (i32.add (local.get $kind) (i32.const 1)) (i32.const 0) (local.get $kind)))))
      (call $check (i32.const 4)
        (i32.eq (i32.load16_u offset=8 (local.get $at))
          (select (i32.const 8) (i32.const 0) (i32.eq (local.get $kind) (i32.const 1)))))
      (br_if $more
        (i32.ne (local.tee $index (i32.add (local.get $index) (i32.const 1)))
          (i32.const 3000))))))
