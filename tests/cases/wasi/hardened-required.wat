;;! build --dir inside::/ --harden landlock=required
;;! only linux-arm64 -- qemu-user lacks the layer
;;! folder inside
;;! file inside/hello.txt hello
;;! file secret.txt secret
;;! exit 125
;;! stderr kiln: this kernel lacks what the program requires: `Landlock`
;; Where the kernel lacks a layer that is required, the program does not run.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "hello.txt")
  (func (export "_start")
    (call $proc_exit
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64)))))
