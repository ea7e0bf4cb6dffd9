;; Products by 3, 5 and 9 are sums with a shift; others are products.
(module
  (func (export "_start")
    (drop (call $products (i32.const 8) (i64.const 8))))
  (func $products (param $small i32) (param $large i64) (result i64)
    (i64.add
      (i64.extend_i32_u (i32.mul (i32.mul (local.get $small) (i32.const 3)) (i32.const 7)))
      (i64.mul (i64.mul (local.get $large) (i64.const 5)) (i64.const 9)))))
