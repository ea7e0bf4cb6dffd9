;;! exit 134
;;! stderr unreachable
;; The start function runs before `_start` and may trap too.
(module
  (memory (export "memory") 1)
  (func $begin unreachable)
  (start $begin)
  (func (export "_start")))
