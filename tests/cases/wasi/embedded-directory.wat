;;! folder tree/sub
;;! file tree/b second
;;! file tree/a first
;;! build --embed tree::/tree
;;! stdout .
;;! stdout ..
;;! stdout a
;;! stdout b
;;! stdout sub
;; An embedded directory tells its name, lists its entries one by one by cookies, each with the
;; inode that its attributes have; its files carry a fixed time, and are ready when polled.
(module
  (import "wasi_snapshot_preview1" "fd_prestat_get"
    (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
    (func $dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread"
    (func $pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_advise"
    (func $advise (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "b")
  (func $must (param $holds i32) (if (i32.eqz (local.get $holds)) (then (unreachable))))
  (func $do (param $errno i32) (call $must (i32.eqz (local.get $errno))))
  ;; Writes the name of the entry in the buffer at 1024 and a newline.
  (func $print (param $length i32)
    (i32.store8 (i32.add (i32.const 1048) (local.get $length)) (i32.const 10))
    (i32.store (i32.const 32) (i32.const 1048))
    (i32.store (i32.const 36) (i32.add (local.get $length) (i32.const 1)))
    (call $do (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40))))
  (func $list (local $cookie i64)
    (block $end
      (loop $next
        ;; Room for one entry and its name, so that each call gives one whole entry.
        (call $do (call $readdir (i32.const 3) (i32.const 1024) (i32.const 27)
          (local.get $cookie) (i32.const 48)))
        (br_if $end (i32.eqz (i32.load (i32.const 48))))
        (if (i32.eq (i32.load8_u (i32.const 1048)) (i32.const 98))
          (then
            (call $do (call $stat (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
              (i32.const 2048)))
            (call $must (i64.eq (i64.load (i32.const 1032)) (i64.load (i32.const 2056))))
            (call $must (i32.eq (i32.load8_u (i32.const 1044)) (i32.load8_u (i32.const 2064))))))
        (local.set $cookie (i64.load (i32.const 1024)))
        (call $print (i32.load (i32.const 1040)))
        (br $next))))
  (func (export "_start")
    (call $do (call $prestat (i32.const 3) (i32.const 64)))
    (call $must (i32.eq (i32.load (i32.const 68)) (i32.const 5)))
    (call $do (call $dir_name (i32.const 3) (i32.const 64) (i32.const 5)))
    (call $must (i32.eq (i32.load (i32.const 64)) (i32.const 0x6572742f)))
    (call $list)
    ;; Size and time: 1980-01-01.
    (call $must (i64.eq (i64.load (i32.const 2080)) (i64.const 7)))
    (call $must (i64.eq (i64.load (i32.const 2096)) (i64.const 315532800000000000)))
    (call $do (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0)
      (i64.const 0x82000ae) (i64.const 0) (i32.const 0) (i32.const 72)))
    (i32.store (i32.const 32) (i32.const 4096))
    (i32.store (i32.const 36) (i32.const 100))
    (call $do (call $pread (i32.load (i32.const 72)) (i32.const 32) (i32.const 1) (i64.const 2)
      (i32.const 48)))
    (call $must (i32.eq (i32.load (i32.const 48)) (i32.const 5)))
    (call $must (i32.eq (i32.load (i32.const 4096)) (i32.const 0x646e6f63)))
    (call $do (call $advise (i32.load (i32.const 72)) (i64.const 0) (i64.const 0) (i32.const 3)))
    (call $do (call $seek (i32.load (i32.const 72)) (i64.const -3) (i32.const 2) (i32.const 80)))
    (call $must (i64.eq (i64.load (i32.const 80)) (i64.const 4)))
    (call $must (i32.eq
      (call $seek (i32.load (i32.const 72)) (i64.const -5) (i32.const 1) (i32.const 80))
      (i32.const 28)))
    ;; A file is ready at once, with the bytes that are left.
    (i32.store8 (i32.const 264) (i32.const 1))
    (i32.store (i32.const 272) (i32.load (i32.const 72)))
    (call $do (call $poll (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 48)))
    (call $must (i32.eq (i32.load (i32.const 48)) (i32.const 1)))
    (call $must (i64.eq (i64.load (i32.const 528)) (i64.const 3)))))
