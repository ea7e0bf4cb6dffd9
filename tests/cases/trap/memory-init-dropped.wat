;;! exit 134
;;! stderr out of bounds memory access
;; A passive segment has no bytes once it is dropped.
(module
  (memory (export "memory") 1)
  (data $text "abc")
  (func (export "_start")
    (data.drop $text)
    (memory.init $text (i32.const 0) (i32.const 0) (i32.const 1))))
