;;! exit 0
;; Returning from `_start` is success.
(module
  (memory (export "memory") 1)
  (func (export "_start")))
