;;! exit 134
;;! stderr invalid conversion to integer
;; NaN is no integer.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\00\c0\7f")
  (func (export "_start")
    (drop (i32.trunc_f32_s (f32.load (i32.const 0))))))
