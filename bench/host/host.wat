;; What host.c does, as calls of WASI: the first argument says what, by its first four letters.
;; Whatever fails traps.
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)

  ;; An array of one buffer lies at 0, a call's result at 8, arguments from 1024 on, data from
  ;; 65536 on.
  (func $must (param $errno i32) (if (local.get $errno) (then unreachable)))
  (func $buffer (param $length i32)
    (i32.store (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 4) (local.get $length)))
  (func $result (result i32) (i32.load (i32.const 8)))

  (func $read (param $copies i32)
    (loop $more
      (call $buffer (i32.const 65536))
      (call $must (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.eqz (call $result)) (then return))
      (if (local.get $copies) (then (call $write (call $result))))
      (br $more)))

  (func $write (param $length i32)
    (call $buffer (local.get $length))
    (loop $rest
      (call $must (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (call $result)))
      (i32.store (i32.const 4) (i32.sub (i32.load (i32.const 4)) (call $result)))
      (br_if $rest (i32.load (i32.const 4)))))

  (func $small_writes (local $times i32)
    (loop $more
      (call $write (i32.const 8))
      (local.set $times (i32.add (local.get $times) (i32.const 1)))
      (br_if $more (i32.ne (local.get $times) (i32.const 2000000)))))

  (func $clock (local $times i32)
    (loop $more
      (call $must (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 16)))
      (local.set $times (i32.add (local.get $times) (i32.const 1)))
      (br_if $more (i32.ne (local.get $times) (i32.const 10000000)))))

  (func $random (local $times i32)
    (loop $more
      (call $must (call $random_get (i32.const 65536) (i32.const 32)))
      (local.set $times (i32.add (local.get $times) (i32.const 1)))
      (br_if $more (i32.ne (local.get $times) (i32.const 1000000)))))

  ;; As C libraries do it: 4 KiB at a time, and an entry that was cut is asked for again.
  (func $walk (param $stats i32)
    (local $cookie i64) (local $used i32) (local $next i32) (local $end i32) (local $count i64)
    (local.set $used (i32.const 4096))
    (local.set $next (i32.const 4096))
    (block $done
      (loop $more
        (block $whole
          (local.set $end (i32.add (local.get $next) (i32.const 24)))
          (if (i32.le_u (local.get $end) (local.get $used))
            (then
              (local.set $end
                (i32.add (local.get $end) (i32.load offset=65552 (local.get $next))))
              (br_if $whole (i32.le_u (local.get $end) (local.get $used)))))
          (br_if $done (i32.lt_u (local.get $used) (i32.const 4096)))
          (call $must
            (call $fd_readdir (i32.const 3) (i32.const 65536) (i32.const 4096)
              (local.get $cookie) (i32.const 8)))
          (local.set $used (call $result))
          (local.set $next (i32.const 0))
          (br $more))
        (local.set $count (i64.add (local.get $count) (i64.const 1)))
        (local.set $cookie (i64.load offset=65536 (local.get $next)))
        ;; No program may look at `..` of a granted directory.
        (if (i32.and (local.get $stats)
            (i32.ne (i32.load8_u offset=65560 (local.get $next)) (i32.const 46 (; . ;))))
          (then
            (call $must
              (call $path_filestat_get (i32.const 3) (i32.const 0)
                (i32.add (local.get $next) (i32.const 65560))
                (i32.load offset=65552 (local.get $next)) (i32.const 128)))))
        (local.set $next (local.get $end))
        (br $more)))
    (i64.store (i32.const 65536) (local.get $count))
    (call $write (i32.const 8)))

  (func $is (param $name i32) (result i32)
    (i32.eq (i32.load (i32.load (i32.const 1028))) (local.get $name)))

  (func (export "_start")
    (call $must (call $args_get (i32.const 1024) (i32.const 2048)))
    (if (call $is (i32.const 0x64616572 (; read ;))) (then (call $read (i32.const 0))))
    (if (call $is (i32.const 0x79706f63 (; copy ;))) (then (call $read (i32.const 1))))
    (if (call $is (i32.const 0x74697277 (; writ ;))) (then (call $small_writes)))
    (if (call $is (i32.const 0x636f6c63 (; cloc ;))) (then (call $clock)))
    (if (call $is (i32.const 0x646e6172 (; rand ;))) (then (call $random)))
    (if (call $is (i32.const 0x6b6c6177 (; walk ;))) (then (call $walk (i32.const 0))))
    (if (call $is (i32.const 0x74617473 (; stat ;))) (then (call $walk (i32.const 1))))))
