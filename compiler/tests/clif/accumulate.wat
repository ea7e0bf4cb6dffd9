;; A sum that replaces a variable begins with it, scalar or vector, whichever operand it was.
(module
  (memory 1)
  (func (export "_start")
    (drop (call $scalar (i32.const 8)))
    (drop (call $vector (i32.const 8))))
  (func $scalar (param $at i32) (result f64)
    (local $sum f64)
    (local.set $sum (f64.add (f64.load (local.get $at)) (local.get $sum)))
    (local.tee $sum (f64.mul (local.get $sum) (f64.load (local.get $at)))))
  (func $vector (param $at i32) (result i32)
    (local $sum v128)
    (local.set $sum (f32x4.add (v128.load (local.get $at)) (local.get $sum)))
    (i32x4.extract_lane 0 (local.get $sum))))
