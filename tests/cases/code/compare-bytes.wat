;;! also --memory checked
;;! also --opt none
;; The C library's memcmp, in both forms that toolchains emit: differences at every place of every
;; short length, at the end of memory, and traps only where bytes outside would be read.
(module
  (type $compare (func (param i32 i32 i32) (result i32)))
  (type $f (func))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "kiln" "catch_trap" (func $catch (param (ref null $f)) (result i32)))
  (memory (export "memory") 1)
  (table 2 funcref)
  (elem (i32.const 0) $wasi_libc $rust)
  (global $which (mut i32) (i32.const 0))
  (func $wasi_libc (type $compare)
    (local i32)
    block
      block
        local.get 2
        i32.eqz
        br_if 0
        loop
          local.get 0
          i32.load8_u
          local.get 1
          i32.load8_u
          i32.sub
          local.tee 3
          br_if 2
          local.get 0
          i32.const 1
          i32.add
          local.set 0
          local.get 1
          i32.const 1
          i32.add
          local.set 1
          local.get 2
          i32.const -1
          i32.add
          local.tee 2
          br_if 0
        end
      end
      i32.const 0
      local.set 3
    end
    local.get 3)
  (func $rust (type $compare)
    (local i32 i32 i32)
    i32.const 0
    local.set 3
    block
      local.get 2
      i32.eqz
      br_if 0
      block
        loop
          local.get 0
          i32.load8_u
          local.tee 4
          local.get 1
          i32.load8_u
          local.tee 5
          i32.ne
          br_if 1
          local.get 1
          i32.const 1
          i32.add
          local.set 1
          local.get 0
          i32.const 1
          i32.add
          local.set 0
          local.get 2
          i32.const -1
          i32.add
          local.tee 2
          br_if 0
          br 2
        end
      end
      local.get 4
      local.get 5
      i32.sub
      local.set 3
    end
    local.get 3)

  (func $compare (type $compare)
    (call_indirect (type $compare) (local.get 0) (local.get 1) (local.get 2) (global.get $which)))
  (func $expect (param $found i32) (param $wanted i32) (param $code i32)
    (if (i32.ne (local.get $found) (local.get $wanted)) (then (call $proc_exit (local.get $code)))))

  ;; Equal bytes outside the memory's end are read, at the left or at the right.
  (func $left_outside (export "left") (drop (call $compare (i32.const 65500) (i32.const 1000) (i32.const 37))))
  (func $right_outside (export "right") (drop (call $compare (i32.const 1000) (i32.const 65500) (i32.const 37))))
  ;; The count leads beyond 4 GiB; all bytes up to the end are equal.
  (func $all_outside (export "all") (drop (call $compare (i32.const 1000) (i32.const 1000) (i32.const -1))))
  (func $traps (param $f (ref null $f))
    (call $expect (call $catch (local.get $f)) (i32.const 2) (i32.const 9)))

  (func $all_lengths
    (local $length i32)
    (local $at i32)
    (loop $longer
      (memory.fill (i32.const 1000) (i32.const 7) (i32.const 64))
      (memory.fill (i32.const 2001) (i32.const 7) (i32.const 64))
      (call $expect (call $compare (i32.const 1000) (i32.const 2001) (local.get $length)) (i32.const 0) (i32.const 1))
      (local.set $at (i32.const 0))
      (if (local.get $length) (then
        (loop $next
          ;; What comes after the first difference does not count.
          (i32.store8 (i32.add (i32.const 2002) (local.get $at)) (i32.const 1))
          (i32.store8 (i32.add (i32.const 2001) (local.get $at)) (i32.const 255))
          (call $expect (call $compare (i32.const 1000) (i32.const 2001) (local.get $length)) (i32.const -248) (i32.const 2))
          (call $expect (call $compare (i32.const 2001) (i32.const 1000) (local.get $length)) (i32.const 248) (i32.const 3))
          (i32.store16 (i32.add (i32.const 2001) (local.get $at)) (i32.const 0x0707))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $at) (local.get $length))))))
      (local.set $length (i32.add (local.get $length) (i32.const 1)))
      (br_if $longer (i32.lt_u (local.get $length) (i32.const 50)))))

  (func $run
    (call $all_lengths)
    (memory.fill (i32.const 1000) (i32.const 3) (i32.const 64))
    (memory.fill (i32.const 65500) (i32.const 3) (i32.const 36))
    (call $expect (call $compare (i32.const 65500) (i32.const 1000) (i32.const 36)) (i32.const 0) (i32.const 4))
    (call $traps (ref.func $left_outside))
    (call $traps (ref.func $right_outside))
    (call $traps (ref.func $all_outside))
    ;; A difference before the end keeps what lies outside from being read.
    (i32.store8 (i32.const 65530) (i32.const 4))
    (call $expect (call $compare (i32.const 65500) (i32.const 1000) (i32.const 1000)) (i32.const 1) (i32.const 5))
    (call $expect (call $compare (i32.const 1000) (i32.const 65500) (i32.const -1)) (i32.const -1) (i32.const 6)))
  (func (export "_start")
    (call $run)
    (global.set $which (i32.const 1))
    (call $run)))
