;;! stdout 2001000
;; What clang makes of `condition.c`: a mutex, a condition variable and thread-local variables.
(module $condition.wasm
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;3;) (func))
  (type (;4;) (func (param i32 i32)))
  (import "env" "memory" (memory (;0;) 2 64 shared))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (type 0)))
  (import "wasi" "thread-spawn" (func $spawn (type 1)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (type 2)))
  (func $__wasm_init_tls (type 0) (param i32)
    local.get 0  global.set $__tls_base  local.get 0  i32.const 0  i32.const 4
    memory.init $.tdata)
  (func $__wasm_init_memory (type 3)
    block  ;; label = @1
      block  ;; label = @2
        block  ;; label = @3
          i32.const 78112  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg
          br_table 0 (;@3;) 1 (;@2;) 2 (;@1;)
        end
        i32.const 65536  i32.const 65536  global.set $__tls_base  i32.const 0  i32.const 4
        memory.init $.tdata  i32.const 65552  i32.const 0  i32.const 12560  memory.fill
        i32.const 78112  i32.const 2  i32.atomic.store  i32.const 78112  i32.const -1
        memory.atomic.notify  drop
        br 1 (;@1;)
      end
      i32.const 78112  i32.const 1  i64.const -1  memory.atomic.wait32  drop
    end)
  (func $wasi_thread_start (type 4) (param i32 i32)
    local.get 1  i32.load  global.set $__stack_pointer  local.get 1
    call $run)
  (func $run (type 0) (param i32)
    (local i32 i32)
    local.get 0  i32.load offset=4  call $__wasm_init_tls  global.get $__tls_base  i32.const 0
    i32.add  local.set 1  i32.const 0  local.set 2
    loop  ;; label = @1
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        loop  ;; label = @3
          i32.const 0  i32.load offset=78080  local.tee 0
          br_if 1 (;@2;)
          i32.const 0  i32.atomic.load offset=65560  local.set 0
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
            br_if 0 (;@4;)
            i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
          end
          i32.const 0  local.get 0  i64.const -1  memory.atomic.wait32 offset=65560  drop
          i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
          br_if 0 (;@3;)
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
          br_if 0 (;@3;)
          loop  ;; label = @4
            i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
            i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
        end
      end
      i32.const 0  local.get 0  i32.const -1  i32.add  local.tee 0  i32.store offset=78080
      block  ;; label = @2
        local.get 0  i32.const 2  i32.shl  i32.const 78096  i32.add  i32.load  local.tee 0
        i32.const 1  i32.lt_s
        br_if 0 (;@2;)
        i32.const 0  i32.const 0  i32.load offset=78084  local.get 0  i32.add
        i32.store offset=78084  local.get 1  local.get 1  i32.load  i32.const 1  i32.add  i32.store
        local.get 2  i32.const 1  i32.add  local.set 2
      end
      i32.const 0  i32.const 1  i32.atomic.rmw.add offset=65560  drop  i32.const 0  i32.const -1
      memory.atomic.notify offset=65560  drop
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
        br_if 0 (;@2;)
        i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
      end
      local.get 0  i32.const -1  i32.gt_s
      br_if 0 (;@1;)
    end
    block  ;; label = @1
      local.get 1  i32.load  local.get 2  i32.const 1000  i32.add  i32.ne
      br_if 0 (;@1;)
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
          br_if 0 (;@3;)
        end
      end
      i32.const 0  i32.const 0  i32.load offset=65556  i32.const -1  i32.add  i32.store offset=65556
      i32.const 0  i32.const 1  i32.atomic.rmw.add offset=65560  drop  i32.const 0  i32.const -1
      memory.atomic.notify offset=65560  drop
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
        br_if 0 (;@2;)
        i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
      end
      return
    end
    i32.const 1  call $proc_exit
    unreachable)
  (func $start (type 3)
    (local i32 i32 i32 i32 i32)
    global.get $__stack_pointer  i32.const 32  i32.sub  local.tee 0  global.set $__stack_pointer
    i32.const 0  i32.const 78016  i32.store offset=65588  i32.const 0  i32.const 77888
    i32.store offset=65584  i32.const 0  i32.const 77952  i32.store offset=65580  i32.const 0
    i32.const 73792  i32.store offset=65576  i32.const 0  i32.const 77888  i32.store offset=65572
    i32.const 0  i32.const 69696  i32.store offset=65568  i32.const 0  i32.const 3
    i32.store offset=65556
    block  ;; label = @1
      i32.const 65568  call $spawn  i32.const 1  i32.lt_s
      br_if 0 (;@1;)
      i32.const 65576  call $spawn  i32.const 1  i32.lt_s
      br_if 0 (;@1;)
      i32.const 65584  call $spawn  i32.const 1  i32.lt_s
      br_if 0 (;@1;)
      i32.const 1  local.set 1
      loop  ;; label = @2
        block  ;; label = @3
          i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
          br_if 0 (;@3;)
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
          br_if 0 (;@3;)
          loop  ;; label = @4
            i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
            i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
            br_if 0 (;@4;)
          end
        end
        block  ;; label = @3
          i32.const 0  i32.load offset=78080  local.tee 2  i32.const 4  i32.ne
          br_if 0 (;@3;)
          loop  ;; label = @4
            i32.const 0  i32.atomic.load offset=65560  local.set 2
            block  ;; label = @5
              i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
              br_if 0 (;@5;)
              i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
            end
            i32.const 0  local.get 2  i64.const -1  memory.atomic.wait32 offset=65560  drop
            block  ;; label = @5
              i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
              br_if 0 (;@5;)
              i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
              br_if 0 (;@5;)
              loop  ;; label = @6
                i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
                i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
                br_if 0 (;@6;)
              end
            end
            i32.const 0  i32.load offset=78080  local.tee 2  i32.const 4  i32.eq
            br_if 0 (;@4;)
          end
        end
        i32.const 0  local.get 2  i32.const 1  i32.add  i32.store offset=78080  local.get 2
        i32.const 2  i32.shl  i32.const 78096  i32.add  local.get 1  i32.store  i32.const 0
        i32.const 1  i32.atomic.rmw.add offset=65560  drop  i32.const 0  i32.const -1
        memory.atomic.notify offset=65560  drop
        block  ;; label = @3
          i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
          br_if 0 (;@3;)
          i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
        end
        local.get 1  i32.const 1  i32.add  local.tee 1  i32.const 2001  i32.ne
        br_if 0 (;@2;)
      end
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0  i32.load offset=78080  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.atomic.load offset=65560  local.set 2
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
            br_if 0 (;@4;)
            i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
          end
          i32.const 0  local.get 2  i64.const -1  memory.atomic.wait32 offset=65560  drop
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            loop  ;; label = @5
              i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
              i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
              br_if 0 (;@5;)
            end
          end
          i32.const 0  i32.load offset=78080
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
        br_if 0 (;@2;)
        i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
      end
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0  i32.load offset=78080  local.tee 2  i32.const 4  i32.ne
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.atomic.load offset=65560  local.set 2
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
            br_if 0 (;@4;)
            i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
          end
          i32.const 0  local.get 2  i64.const -1  memory.atomic.wait32 offset=65560  drop
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            loop  ;; label = @5
              i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
              i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
              br_if 0 (;@5;)
            end
          end
          i32.const 0  i32.load offset=78080  local.tee 2  i32.const 4  i32.eq
          br_if 0 (;@3;)
        end
      end
      i32.const 0  local.get 2  i32.const 1  i32.add  i32.store offset=78080  local.get 2
      i32.const 2  i32.shl  i32.const 78096  i32.add  i32.const -1  i32.store  i32.const 0
      i32.const 1  i32.atomic.rmw.add offset=65560  drop  i32.const 0  i32.const -1
      memory.atomic.notify offset=65560  drop
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
        br_if 0 (;@2;)
        i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
      end
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0  i32.load offset=78080  local.tee 2  i32.const 4  i32.ne
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.atomic.load offset=65560  local.set 2
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
            br_if 0 (;@4;)
            i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
          end
          i32.const 0  local.get 2  i64.const -1  memory.atomic.wait32 offset=65560  drop
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            loop  ;; label = @5
              i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
              i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
              br_if 0 (;@5;)
            end
          end
          i32.const 0  i32.load offset=78080  local.tee 2  i32.const 4  i32.eq
          br_if 0 (;@3;)
        end
      end
      i32.const 0  local.get 2  i32.const 1  i32.add  i32.store offset=78080  local.get 2
      i32.const 2  i32.shl  i32.const 78096  i32.add  i32.const -1  i32.store  i32.const 0
      i32.const 1  i32.atomic.rmw.add offset=65560  drop  i32.const 0  i32.const -1
      memory.atomic.notify offset=65560  drop
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
        br_if 0 (;@2;)
        i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
      end
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0  i32.load offset=78080  local.tee 2  i32.const 4  i32.ne
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.atomic.load offset=65560  local.set 2
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
            br_if 0 (;@4;)
            i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
          end
          i32.const 0  local.get 2  i64.const -1  memory.atomic.wait32 offset=65560  drop
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            loop  ;; label = @5
              i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
              i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
              br_if 0 (;@5;)
            end
          end
          i32.const 0  i32.load offset=78080  local.tee 2  i32.const 4  i32.eq
          br_if 0 (;@3;)
        end
      end
      i32.const 0  local.get 2  i32.const 1  i32.add  i32.store offset=78080  local.get 2
      i32.const 2  i32.shl  i32.const 78096  i32.add  i32.const -1  i32.store  i32.const 0
      i32.const 1  i32.atomic.rmw.add offset=65560  drop  i32.const 0  i32.const -1
      memory.atomic.notify offset=65560  drop
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
        br_if 0 (;@2;)
        i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
      end
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
          i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0  i32.load offset=65556  i32.eqz
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0  i32.atomic.load offset=65560  local.set 2
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
            br_if 0 (;@4;)
            i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
          end
          i32.const 0  local.get 2  i64.const -1  memory.atomic.wait32 offset=65560  drop
          block  ;; label = @4
            i32.const 0  i32.const 0  i32.const 1  i32.atomic.rmw.cmpxchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552  i32.eqz
            br_if 0 (;@4;)
            loop  ;; label = @5
              i32.const 0  i32.const 2  i64.const -1  memory.atomic.wait32 offset=65552  drop
              i32.const 0  i32.const 2  i32.atomic.rmw.xchg offset=65552
              br_if 0 (;@5;)
            end
          end
          i32.const 0  i32.load offset=65556
          br_if 0 (;@3;)
        end
      end
      i32.const 0  local.set 1
      block  ;; label = @2
        i32.const 0  i32.const 0  i32.atomic.rmw.xchg offset=65552  i32.const 2  i32.ne
        br_if 0 (;@2;)
        i32.const 0  i32.const 1  memory.atomic.notify offset=65552  drop
      end
      i32.const 0  i32.load offset=78084  local.set 2  local.get 0  i32.const 10
      i32.store8 offset=31
      loop  ;; label = @2
        local.get 0  i32.const 16  i32.add  local.get 1  i32.add  i32.const 14  i32.add  local.get 2
        local.get 2  i32.const 10  i32.div_u  local.tee 3  i32.const 10  i32.mul  i32.sub
        i32.const 48  i32.or  i32.store8  local.get 1  i32.const -1  i32.add  local.set 1
        local.get 2  i32.const 9  i32.gt_u  local.set 4  local.get 3  local.set 2  local.get 4
        br_if 0 (;@2;)
      end
      local.get 0  i32.const 1  local.get 1  i32.sub  i32.store offset=12  local.get 0  local.get 0
      i32.const 16  i32.add  local.get 1  i32.add  i32.const 15  i32.add  i32.store offset=8
      i32.const 1  local.get 0  i32.const 8  i32.add  i32.const 1  local.get 0  i32.const 4  i32.add
      call $fd_write  drop  i32.const 0  i32.const 0  i64.const 200000000
      memory.atomic.wait32 offset=65556  drop  local.get 0  i32.const 32  i32.add
      global.set $__stack_pointer  return
    end
    i32.const 2  call $proc_exit
    unreachable)
  (table (;0;) 1 1 funcref)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (global $__tls_base (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "wasi_thread_start" (func $wasi_thread_start))
  (export "_start" (func $start))
  (start $__wasm_init_memory)
  (data $.tdata "\e8\03\00\00"))
