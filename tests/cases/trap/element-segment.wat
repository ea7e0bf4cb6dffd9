;;! exit 134
;;! stderr out of bounds table access
;; An active element segment that does not fit traps before `_start`.
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (elem (i32.const 1) $f)
  (func $f)
  (func (export "_start")))
