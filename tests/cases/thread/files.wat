;;! build --dir .
;;! leaves a 100
;;! leaves b 100
;; Two threads open, write and close files at the same time, each its own, and find no descriptor
;; of the other; both ask for the same folder.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (export "memory" (memory 0))
  (func $check (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable))))
  ;; Writes "100\n" a hundred times anew into the file whose name is one character, at `room`.
  (func $work (param $room i32) (param $name i32)
    (local $left i32)
    (i32.store8 (local.get $room) (local.get $name))
    (i32.store offset=4 (local.get $room) (i32.const 0x0a303031))
    (i32.store offset=8 (local.get $room) (i32.add (local.get $room) (i32.const 4)))
    (i32.store offset=12 (local.get $room) (i32.const 4))
    (local.set $left (i32.const 100))
    (loop $again
      ;; creat, trunc; fd_write and fd_filestat_get
      (call $check (i32.eqz (call $open (i32.const 3) (i32.const 0)
        (local.get $room) (i32.const 1) (i32.const 9) (i64.const 0x200040) (i64.const 0)
        (i32.const 0) (i32.add (local.get $room) (i32.const 16)))))
      (call $check (i32.eqz (call $write (i32.load offset=16 (local.get $room))
        (i32.add (local.get $room) (i32.const 8)) (i32.const 1)
        (i32.add (local.get $room) (i32.const 20)))))
      (call $check (i32.eqz (call $stat (i32.load offset=16 (local.get $room))
        (i32.add (local.get $room) (i32.const 64)))))
      (call $check (i64.eq (i64.load offset=96 (local.get $room)) (i64.const 4)))
      (call $check (i32.eqz (call $stat (i32.const 3)
        (i32.add (local.get $room) (i32.const 64)))))
      (call $check (i32.eqz (call $close (i32.load offset=16 (local.get $room)))))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
  (func (export "wasi_thread_start") (param i32 i32)
    (call $work (i32.const 2048) (i32.const 97))
    (i32.atomic.store (i32.const 0) (i32.const 1))
    (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))
  (func (export "_start")
    (call $check (i32.gt_s (call $spawn (i32.const 0)) (i32.const 0)))
    (call $work (i32.const 1024) (i32.const 98))
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
    ;; Time for the thread to end by itself.
    (drop (memory.atomic.wait32 (i32.const 60000) (i32.const 0) (i64.const 200000000)))))
