;;! exit 134
;;! stderr integer overflow
;; A number too large for its integer type.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\00\00\4f")
  (func (export "_start")
    (drop (i32.trunc_f32_s (f32.load (i32.const 0))))))
