;;! exit 134
;;! stderr unreachable
;; An `unreachable` operator.
(module
  (memory (export "memory") 1)
  (func (export "_start") unreachable))
