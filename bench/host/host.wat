;; What host.c does, as calls of WASI: the first argument says what, by its first four letters.
;; Whatever fails traps. As compilers do with C, loops call nothing but the host.
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
  (func $read (param $copies i32)
    (loop $more
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))
      (if (i32.eqz (i32.load (i32.const 8))) (then return))
      (if (local.get $copies) (then (call $write (i32.load (i32.const 8)) (i32.const 1))))
      (br $more)))

  ;; Writes as many bytes, several times.
  (func $write (param $length i32) (param $times i32) (local $from i32) (local $left i32)
    (loop $more
      (local.set $from (i32.const 65536))
      (local.set $left (local.get $length))
      (loop $rest
        (i32.store (i32.const 0) (local.get $from))
        (i32.store (i32.const 4) (local.get $left))
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
          (then unreachable))
        (local.set $from (i32.add (local.get $from) (i32.load (i32.const 8))))
        (br_if $rest
          (local.tee $left (i32.sub (local.get $left) (i32.load (i32.const 8))))))
      (br_if $more (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))

  (func $clock (local $times i32)
    (loop $more
      (if (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 16)) (then unreachable))
      (local.set $times (i32.add (local.get $times) (i32.const 1)))
      (br_if $more (i32.ne (local.get $times) (i32.const 10000000)))))

  (func $random (local $times i32)
    (loop $more
      (if (call $random_get (i32.const 65536) (i32.const 32)) (then unreachable))
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
          (if
            (call $fd_readdir (i32.const 3) (i32.const 65536) (i32.const 4096)
              (local.get $cookie) (i32.const 8))
            (then unreachable))
          (local.set $used (i32.load (i32.const 8)))
          (local.set $next (i32.const 0))
          (br $more))
        (local.set $count (i64.add (local.get $count) (i64.const 1)))
        (local.set $cookie (i64.load offset=65536 (local.get $next)))
        ;; No program may look at `..` of a granted directory.
        (if (i32.and (local.get $stats)
            (i32.ne (i32.load8_u offset=65560 (local.get $next)) (i32.const 46 (; . ;))))
          (then
            (if
              (call $path_filestat_get (i32.const 3) (i32.const 0)
                (i32.add (local.get $next) (i32.const 65560))
                (i32.load offset=65552 (local.get $next)) (i32.const 128))
              (then unreachable))))
        (local.set $next (local.get $end))
        (br $more)))
    (i64.store (i32.const 65536) (local.get $count))
    (call $write (i32.const 8) (i32.const 1)))

  (func $is (param $name i32) (result i32)
    (i32.eq (i32.load (i32.load (i32.const 1028))) (local.get $name)))

  (func (export "_start")
    (if (call $args_get (i32.const 1024) (i32.const 2048)) (then unreachable))
    (if (call $is (i32.const 0x64616572 (; read ;))) (then (call $read (i32.const 0))))
    (if (call $is (i32.const 0x79706f63 (; copy ;))) (then (call $read (i32.const 1))))
    (if (call $is (i32.const 0x74697277 (; writ ;))) (then (call $write (i32.const 8) (i32.const 2000000))))
    (if (call $is (i32.const 0x636f6c63 (; cloc ;))) (then (call $clock)))
    (if (call $is (i32.const 0x646e6172 (; rand ;))) (then (call $random)))
    (if (call $is (i32.const 0x6b6c6177 (; walk ;))) (then (call $walk (i32.const 0))))
    (if (call $is (i32.const 0x74617473 (; stat ;))) (then (call $walk (i32.const 1))))))
