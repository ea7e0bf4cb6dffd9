;; Lanes that can be floats are loaded into vector registers, whatever they are.
(module
  (memory 1)
  (func (export "_start")
    (drop (call $lanes (i32.const 8))))
  (func $lanes (param $at i32) (result i32)
    (i32x4.extract_lane 0
      (i32x4.add
        (v128.load32_splat (local.get $at))
        (i64x2.add (v128.load64_splat (local.get $at)) (v128.load16_splat (local.get $at)))))))
