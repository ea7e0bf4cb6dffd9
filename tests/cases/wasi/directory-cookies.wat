;;! build --dir many::/
;;! folder many
;; A directory of 300 files is read with buffers of several sizes, again from each of its entries in
;; turn, and once more while every entry is removed as it comes. Each failed check ends the program
;; with its number.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file"
    (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 16) "file-000")

  ;; A result lies at 8, the buffer at 65536, and at 131072 what was seen of each entry, 16 bytes:
  ;; its cookie, and its name as a number.
  (func $check (param $holds i32) (param $number i32)
    (if (i32.eqz (local.get $holds)) (then (call $proc_exit (local.get $number)))))

  (func $digit (param $place i32) (param $number i32)
    (i32.store8 (local.get $place)
      (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10)))))

  (func $create (param $number i32)
    (call $digit (i32.const 23) (local.get $number))
    (call $digit (i32.const 22) (i32.div_u (local.get $number) (i32.const 10)))
    (call $digit (i32.const 21) (i32.div_u (local.get $number) (i32.const 100)))
    (call $check
      (i32.eqz
        (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 8) (i32.const 1)
          (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)))
      (i32.const 1))
    (call $check (i32.eqz (call $close (i32.load (i32.const 8)))) (i32.const 2)))

  ;; The name of an entry: 8 bytes, or fewer than 3 of `.` and `..`.
  (func $name (param $entry i32) (result i64)
    (if (result i64) (i32.eq (i32.load offset=16 (local.get $entry)) (i32.const 8))
      (then (i64.load offset=24 (local.get $entry)))
      (else (i64.load32_u offset=16 (local.get $entry)))))

  (func $fill (param $size i32) (param $cookie i64) (result i32)
    (call $check
      (i32.eqz
        (call $readdir (i32.const 3) (i32.const 65536) (local.get $size) (local.get $cookie)
          (i32.const 8)))
      (i32.const 3))
    (i32.load (i32.const 8)))

  ;; Reads all entries and gives their number.
  (func $walk (param $size i32) (param $removes i32) (result i32)
    (local $cookie i64) (local $used i32) (local $next i32) (local $end i32) (local $count i32)
    (block $done
      (loop $again
        (local.set $used (call $fill (local.get $size) (local.get $cookie)))
        (local.set $next (i32.const 0))
        (block $cut
          (loop $more
            (br_if $cut
              (i32.lt_u (local.get $used) (i32.add (local.get $next) (i32.const 24))))
            (local.set $end
              (i32.add (i32.add (local.get $next) (i32.const 24))
                (i32.load offset=65552 (local.get $next))))
            (br_if $cut (i32.lt_u (local.get $used) (local.get $end)))
            (local.set $cookie (i64.load offset=65536 (local.get $next)))
            (call $check (i64.ne (local.get $cookie) (i64.const 0)) (i32.const 4))
            (i64.store offset=131072 (i32.shl (local.get $count) (i32.const 4))
              (local.get $cookie))
            (i64.store offset=131080 (i32.shl (local.get $count) (i32.const 4))
              (call $name (i32.add (local.get $next) (i32.const 65536))))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (if (i32.and (local.get $removes)
                (i32.eq (i32.load offset=65552 (local.get $next)) (i32.const 8)))
              (then
                (call $check
                  (i32.eqz
                    (call $unlink (i32.const 3) (i32.add (local.get $next) (i32.const 65560))
                      (i32.const 8)))
                  (i32.const 5))))
            (local.set $next (local.get $end))
            (br $more)))
        (br_if $done (i32.lt_u (local.get $used) (local.get $size)))
        (br $again)))
    (local.get $count))

  (func (export "_start") (local $number i32)
    (loop $more
      (call $create (local.get $number))
      (local.set $number (i32.add (local.get $number) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $number) (i32.const 300))))
    (call $check (i32.eq (call $walk (i32.const 32) (i32.const 0)) (i32.const 302)) (i32.const 10))
    (call $check (i32.eq (call $walk (i32.const 33) (i32.const 0)) (i32.const 302)) (i32.const 11))
    (call $check (i32.eq (call $walk (i32.const 4096) (i32.const 0)) (i32.const 302)) (i32.const 12))
    (call $check (i32.eq (call $walk (i32.const 65536) (i32.const 0)) (i32.const 302)) (i32.const 13))

    ;; Backwards: behind each entry comes the next one, behind the last none.
    (local.set $number (i32.const 301))
    (call $check
      (i32.eqz (call $fill (i32.const 100) (i64.load (i32.const 135888 (; entry 301 ;)))))
      (i32.const 14))
    (loop $more
      (local.set $number (i32.sub (local.get $number) (i32.const 1)))
      (drop
        (call $fill (i32.const 100)
          (i64.load offset=131072 (i32.shl (local.get $number) (i32.const 4)))))
      (call $check
        (i64.eq (call $name (i32.const 65536))
          (i64.load offset=131096 (i32.shl (local.get $number) (i32.const 4))))
        (i32.const 15))
      (br_if $more (local.get $number)))

    ;; From the start the directory is seen as it is now.
    (call $check
      (i32.eqz (call $unlink (i32.const 3) (i32.const 16) (i32.const 8)))
      (i32.const 16))
    (call $check (i32.eq (call $walk (i32.const 512) (i32.const 0)) (i32.const 301)) (i32.const 17))
    (call $check (i32.eq (call $walk (i32.const 512) (i32.const 1)) (i32.const 301)) (i32.const 18))
    (call $check (i32.eq (call $walk (i32.const 512) (i32.const 0)) (i32.const 2)) (i32.const 19))))
