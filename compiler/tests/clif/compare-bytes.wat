;; The C library's memcmp passes over equal words first.
(module
  (memory 1)
  (func (export "_start")
    (drop (call $wasi_libc (i32.const 0) (i32.const 8) (i32.const 4))))
  (func $wasi_libc (param i32 i32 i32) (result i32)
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
    local.get 3))
