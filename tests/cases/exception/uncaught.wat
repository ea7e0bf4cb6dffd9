;;! exit 134
;;! stderr unhandled exception
;;! stderr thrower
;; An exception that nothing catches ends the program, whatever handlers for others there are.
(module
  (memory (export "memory") 1)
  (tag $one)
  (tag $other)
  (func $thrower (throw $one))
  (func (export "_start")
    (block $caught
      (try_table (catch $other $caught) (call $thrower)))))
