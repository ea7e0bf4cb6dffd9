;;! exit 7
;; The legacy encoding: a delegate skips a handler, a handler rethrows, catch_all gets the rest.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (tag $number (param i32))
  (tag $other)
  (func $thrower (throw $number (i32.const 4)))
  (func (export "_start") (local $sum i32)
    try $outer
      try
        try
          try
            call $thrower
          delegate 1
        catch $number
          unreachable
        end
      catch $other
        unreachable
      catch $number
        local.set $sum
        rethrow 0
      end
    catch_all
      local.get $sum
      i32.const 3
      i32.add
      call $exit
    end))
