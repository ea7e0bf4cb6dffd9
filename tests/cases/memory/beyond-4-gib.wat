;;! exit 0
;; A memory of 5 GiB: accesses, copies and fills beyond what 32 bits can name. Only the pages that
;; are touched take memory.
(module
  (memory i64 1 81920)
  (func $check (param i64 i64)
    (if (i64.ne (i64.load (local.get 0)) (local.get 1)) (then (unreachable))))
  (func (export "_start")
    (if (i64.ne (memory.grow (i64.const 81919)) (i64.const 1)) (then (unreachable)))
    (if (i64.ne (memory.size) (i64.const 81920)) (then (unreachable)))
    (if (i64.ne (memory.grow (i64.const 1)) (i64.const -1)) (then (unreachable)))
    ;; The same place modulo 4 GiB stays as it is.
    (i64.store (i64.const 0x1_0000_1000) (i64.const 0x1122334455667788))
    (call $check (i64.const 0x1000) (i64.const 0))
    (call $check (i64.const 0x1_0000_1000) (i64.const 0x1122334455667788))
    ;; As an offset of the instruction, too.
    (if (i64.ne (i64.load offset=0x100001000 (i64.const 0)) (i64.const 0x1122334455667788))
      (then (unreachable)))
    ;; Across the border, down and up.
    (memory.fill (i64.const 0xffff_fffc) (i32.const 0x5a) (i64.const 8))
    (call $check (i64.const 0xffff_fffc) (i64.const 0x5a5a5a5a5a5a5a5a))
    (memory.copy (i64.const 0x10) (i64.const 0x1_0000_1000) (i64.const 8))
    (call $check (i64.const 0x10) (i64.const 0x1122334455667788))
    (memory.copy (i64.const 0x1_3fff_fff8) (i64.const 0x10) (i64.const 8))
    (call $check (i64.const 0x1_3fff_fff8) (i64.const 0x1122334455667788))))
