;; A global that nothing sets is a constant; another has an address of its own.
(module
  (global $never i32 (i32.const 41))
  (global $mutable_never (mut i32) (i32.const 42))
  (global $set (mut i32) (i32.const 43))
  (func (export "_start")
    (global.set $set
      (i32.add (global.get $never) (i32.add (global.get $mutable_never) (global.get $set))))))
