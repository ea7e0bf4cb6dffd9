;;! build --cpu v3,v8.1
;;! stdout 2
;; Levels beyond the baseline, each for the targets of its architecture.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\02\00\00\00\00\0a")
  (func (export "_start")
    ;; LZCNT, BMI1 and BMI2 have instructions of their own for these.
    (i32.store8 (i32.const 8)
      (i32.add
        (i32.const 48)
        (i32.sub
          (i32.clz (i32.shl (i32.load (i32.const 4)) (i32.load (i32.const 0))))
          (i32.add
            (i32.const 19)
            (i32.ctz (i32.load (i32.const 4)))))))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))
