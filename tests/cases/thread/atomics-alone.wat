;;! build --memory checked
;; Atomic operators of a program with one thread, on a memory that is shared and one of 64 bits
;; that is not: what they store, and how waits end that nobody ends.
(module
  (memory $shared 1 2 shared)
  (memory $wide i64 1)
  (func $check (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable))))
  (func (export "_start")
    (i32.store $shared (i32.const 8) (i32.const 0x11223344))
    (call $check (i32.eq (i32.const 0x33)
      (i32.atomic.rmw8.add_u $shared offset=1 (i32.const 8) (i32.const 0x1ff))))
    (call $check (i32.eq (i32.const 0x11223244) (i32.atomic.load $shared (i32.const 8))))
    ;; Both sides of the comparison are cut to the access's width.
    (call $check (i32.eq (i32.const 0x1122)
      (i32.atomic.rmw16.cmpxchg_u $shared (i32.const 10) (i32.const 0xff1122) (i32.const -1))))
    (call $check (i64.eq (i64.const 0xffff3244) (i64.atomic.load32_u $shared (i32.const 8))))
    (i64.atomic.store $wide offset=16 (i64.const 0x8000) (i64.const -2))
    (call $check (i64.eq (i64.const -2)
      (i64.atomic.rmw.xchg $wide (i64.const 0x8010) (i64.const 5))))
    (atomic.fence)
    (call $check (i64.eq (i64.const 5) (i64.load $wide (i64.const 0x8010))))
    ;; Another value, then a time that is over at once, then one that takes a millisecond.
    (call $check (i32.eq (i32.const 1)
      (memory.atomic.wait32 $shared (i32.const 8) (i32.const 0) (i64.const -1))))
    (call $check (i32.eq (i32.const 2)
      (memory.atomic.wait32 $shared (i32.const 8) (i32.const 0xffff3244) (i64.const 0))))
    (call $check (i32.eq (i32.const 2)
      (memory.atomic.wait64 $shared (i32.const 16) (i64.const 0) (i64.const 1000000))))
    (call $check (i32.eqz (memory.atomic.notify $shared (i32.const 8) (i32.const -1))))
    (call $check (i32.eqz (memory.atomic.notify $wide (i64.const 8) (i32.const 1))))
    (call $check (i32.eq (i32.const 1) (memory.grow $shared (i32.const 1))))
    (call $check (i32.eq (i32.const 2) (memory.size $shared)))
    (call $check (i32.eq (i32.const -1) (memory.grow $shared (i32.const 1))))))
