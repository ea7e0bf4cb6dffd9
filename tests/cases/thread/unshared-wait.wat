;;! stderr kiln: trap: expected shared memory
;;! stderr in function wait
;;! exit 134
;; Nobody could end a wait for a memory that belongs to one thread.
(module
  (memory 1)
  (func $wait (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0))))
  (func (export "_start") (call $wait)))
