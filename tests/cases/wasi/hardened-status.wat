;;! build --dir /proc/self::/ --harden landlock=required,seccomp=required
;;! only linux-amd64 -- it asks the kernel of Linux, and qemu-user has no layer
;;! stdout Seccomp:	2
;; The kernel confirms that a filter of system calls is in force.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "status")
  (data (i32.const 16) "\00\04\00\00\00\20\00\00")
  (data (i32.const 64) "\nSeccomp:\t")
  (func $matches (param $at i32) (result i32)
    (local $index i32)
    (block $differs
      (loop $next
        (br_if $differs
          (i32.ne
            (i32.load8_u (i32.add (local.get $at) (local.get $index)))
            (i32.load8_u offset=64 (local.get $index))))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $index) (i32.const 10))))
      (return (i32.const 1)))
    (i32.const 0))
  (func (export "_start")
    (local $at i32)
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
    (drop (call $read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 40)))
    (local.set $at (i32.const 1024))
    (block $found
      (loop $next
        (br_if $found (call $matches (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 9216))))
      unreachable)
    ;; The line without the newline before it: the name, a tab, the mode, a newline.
    (i32.store (i32.const 16) (i32.add (local.get $at) (i32.const 1)))
    (i32.store (i32.const 20) (i32.const 11))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 40)))))
