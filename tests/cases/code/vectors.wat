;; 128-bit vectors: lanes, shuffles, saturation, comparison.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\00\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f")
  ;; Ends with the exit code `code` unless `ok`.
  (func $check (param $ok i32) (param $code i32)
    (if (i32.eqz (local.get $ok)) (then (call $proc_exit (local.get $code)))))
  (func (export "_start")
    (local $v v128)
    (local.set $v (v128.load (i32.const 16)))
    (call $check (i32.eq (i8x16.extract_lane_u 15 (local.get $v)) (i32.const 15)) (i32.const 1))
    (call $check
      (i32.eq (i32x4.extract_lane 0
        (i8x16.shuffle 3 2 1 0 16 17 18 19 0 0 0 0 0 0 0 0 (local.get $v) (local.get $v)))
        (i32.const 0x00010203)) (i32.const 2))
    (call $check
      (i32.eq (i8x16.extract_lane_u 0
        (i8x16.add_sat_u (i8x16.splat (i32.const 250)) (i8x16.splat (i32.const 10))))
        (i32.const 255)) (i32.const 3))
    (call $check
      (i8x16.all_true (i8x16.eq (local.get $v) (i8x16.swizzle (local.get $v) (local.get $v))))
      (i32.const 4))
    (call $check
      (i32.eq (i32x4.extract_lane 2
        (i32x4.dot_i16x8_s (local.get $v) (i16x8.splat (i32.const 2))))
        (i32.const 0x2824)) (i32.const 5))
    (call $check
      (f32.eq (f32x4.extract_lane 3
        (f32x4.mul (f32x4.splat (f32.const 1.5)) (f32x4.splat (f32.const 4)))) (f32.const 6))
      (i32.const 6))
    (call $check (i32.eq (i8x16.bitmask (i8x16.shl (local.get $v) (i32.const 4))) (i32.const 0xff00)) (i32.const 7))
    (v128.store (i32.const 64) (i64x2.neg (v128.const i64x2 5 -7)))
    (call $check (i64.eq (i64.load (i32.const 72)) (i64.const 7)) (i32.const 8))))
