;;! build --dir-from-env DIR
;;! env DIR=nowhere
;;! exit 125
;;! stderr cannot open the directory `nowhere`: it does not exist
;; A variable that names no directory ends the program before it begins.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")))
