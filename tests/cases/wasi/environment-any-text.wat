;;! build --env "TAB=a	b" --env "BACK=C:\\new\\" 
;;! stdout TAB=a	b
;;! stdout BACK=C:\new\
;; Variables that hold what divides the fields of the manifest, or escapes it.
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 48) "\n")
  (func $write (param $at i32) (param $length i32)
    (i32.store (i32.const 32) (local.get $at))
    (i32.store (i32.const 36) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40))))
  (func $length (param $at i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $at))
    (block $found
      (loop $next
        (br_if $found (i32.eqz (i32.load8_u (local.get $end))))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $end) (local.get $at)))
  (func (export "_start")
    (local $index i32) (local $text i32)
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $get (i32.const 1024) (i32.const 8192)))
    (local.set $index (i32.const 0))
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $index) (i32.load (i32.const 0))))
        (local.set $text (i32.load offset=1024 (i32.shl (local.get $index) (i32.const 2))))
        (call $write (local.get $text) (call $length (local.get $text)))
        (call $write (i32.const 48) (i32.const 1))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $each)))))
