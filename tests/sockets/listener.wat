;; Serves one connection; the client is in tests/tests/sockets.rs. Each failed check ends the
;; program with its number.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv"
    (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fdstat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $set_flags (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; Two buffers of a greeting, two to receive into, one of all that came.
  (data (i32.const 0) "\20\00\00\00\02\00\00\00\22\00\00\00\03\00\00\00")
  (data (i32.const 32) "hello")
  (data (i32.const 48) "\80\00\00\00\02\00\00\00\82\00\00\00\06\00\00\00")
  (data (i32.const 64) "\80\00\00\00\08\00\00\00")

  (func $check (param $holds i32) (param $number i32)
    (if (i32.eqz (local.get $holds)) (then (call $proc_exit (local.get $number)))))

  ;; Waits for a descriptor to be ready, for a minute at most.
  (func $ready (param $fd i32) (param $kind i32) (result i32)
    (memory.fill (i32.const 512) (i32.const 0) (i32.const 96))
    (i64.store (i32.const 512) (i64.const 1))
    (i32.store (i32.const 528) (i32.const 1))
    (i64.store (i32.const 536) (i64.const 60000000000))
    (i64.store (i32.const 560) (i64.const 2))
    (i32.store8 (i32.const 568) (local.get $kind))
    (i32.store (i32.const 576) (local.get $fd))
    (drop (call $poll (i32.const 512) (i32.const 640) (i32.const 2) (i32.const 256)))
    (i32.and
      (i32.eq (i32.load (i32.const 256)) (i32.const 1))
      (i64.eq (i64.load (i32.const 640)) (i64.const 2))))

  (func $is_socket (param $fd i32) (param $flags i32) (result i32)
    (drop (call $fdstat (local.get $fd) (i32.const 256)))
    (i32.and
      (i32.eq (i32.load8_u (i32.const 256)) (i32.const 6))
      (i32.eq (i32.load16_u (i32.const 258)) (local.get $flags))))

  (func (export "_start")
    (local $connection i32)
    ;; Directories come first, then listeners, which are no preopened directories.
    (call $check (i32.eqz (call $prestat (i32.const 3) (i32.const 256))) (i32.const 1))
    (call $check (i32.eq (call $prestat (i32.const 4) (i32.const 256)) (i32.const 8)) (i32.const 2))
    (call $check (call $is_socket (i32.const 4) (i32.const 0)) (i32.const 3))
    (call $check
      (i32.eq (call $accept (i32.const 3) (i32.const 0) (i32.const 256)) (i32.const 57))
      (i32.const 4))
    (call $check
      (i32.eq (call $accept (i32.const 9) (i32.const 0) (i32.const 256)) (i32.const 8))
      (i32.const 5))

    ;; A connection that does not block has nothing to be read until the client was greeted.
    (call $check (call $ready (i32.const 4) (i32.const 1)) (i32.const 10))
    ;; A result that cannot be written leaves the connection waiting.
    (call $check
      (i32.eq (call $accept (i32.const 4) (i32.const 4) (i32.const 65534)) (i32.const 21))
      (i32.const 18))
    (call $check (i32.eqz (call $accept (i32.const 4) (i32.const 4) (i32.const 256))) (i32.const 11))
    (local.set $connection (i32.load (i32.const 256)))
    (call $check (i32.eq (local.get $connection) (i32.const 5)) (i32.const 12))
    (call $check (call $is_socket (local.get $connection) (i32.const 4)) (i32.const 13))
    (call $check
      (i32.eq
        (call $recv (local.get $connection) (i32.const 64) (i32.const 1) (i32.const 0)
          (i32.const 256) (i32.const 260))
        (i32.const 6))
      (i32.const 14))
    (call $check (call $ready (local.get $connection) (i32.const 2)) (i32.const 15))
    (call $check
      (i32.eqz (call $send (local.get $connection) (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 256)))
      (i32.const 16))
    (call $check (i32.eq (i32.load (i32.const 256)) (i32.const 5)) (i32.const 17))

    ;; The client sends 4 bytes, and 4 more after a while.
    (call $check (call $ready (local.get $connection) (i32.const 1)) (i32.const 20))
    (call $check
      (i32.eqz
        (call $recv (local.get $connection) (i32.const 64) (i32.const 1) (i32.const 1)
          (i32.const 256) (i32.const 260)))
      (i32.const 21))
    (call $check (i32.eq (i32.load (i32.const 256)) (i32.const 4)) (i32.const 22))
    (call $check (i32.eqz (call $set_flags (local.get $connection) (i32.const 0))) (i32.const 23))
    (call $check (call $is_socket (local.get $connection) (i32.const 0)) (i32.const 24))
    (call $check
      (i32.eq
        (call $recv (local.get $connection) (i32.const 48) (i32.const 2) (i32.const 0)
          (i32.const 65534) (i32.const 260))
        (i32.const 21))
      (i32.const 28))
    (call $check
      (i32.eqz
        (call $recv (local.get $connection) (i32.const 48) (i32.const 2) (i32.const 2)
          (i32.const 256) (i32.const 260)))
      (i32.const 25))
    (call $check (i32.eq (i32.load (i32.const 256)) (i32.const 8)) (i32.const 26))
    (call $check (i32.eqz (i32.load16_u (i32.const 260))) (i32.const 27))

    ;; The client gets them back, then the end.
    (call $check
      (i32.eqz (call $write (local.get $connection) (i32.const 64) (i32.const 1) (i32.const 256)))
      (i32.const 30))
    (call $check (i32.eq (call $shutdown (local.get $connection) (i32.const 0)) (i32.const 28)) (i32.const 31))
    (call $check (i32.eqz (call $shutdown (local.get $connection) (i32.const 2))) (i32.const 32))
    (call $check
      (i32.eq
        (call $send (local.get $connection) (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 256))
        (i32.const 64))
      (i32.const 33))
    (call $check
      (i32.eqz (call $read (local.get $connection) (i32.const 64) (i32.const 1) (i32.const 256)))
      (i32.const 34))
    (call $check (i32.eqz (i32.load (i32.const 256))) (i32.const 35))
    (call $check (i32.eqz (call $close (local.get $connection))) (i32.const 36))
    (call $check (i32.eq (call $shutdown (local.get $connection) (i32.const 2)) (i32.const 8)) (i32.const 37))))
