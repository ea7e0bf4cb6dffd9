;;! exit 134
;;! stderr unreachable
;;! stderr innermost
;;! stderr in_between
;; The report names the wasm functions that led to the trap.
(module
  (memory (export "memory") 1)
  (func $innermost (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then unreachable))
    (i32.add (call $innermost (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $in_between (result i32)
    (i32.add (call $innermost (i32.const 3)) (i32.const 1)))
  (func (export "_start") (drop (call $in_between))))
