;; optimized
;; A small function becomes part of itself once; not one that calls in another's place.
(module
  (memory 1)
  (func $depth (param $node i32) (result i32)
    (if (result i32) (local.get $node)
      (then (i32.add (i32.const 1) (call $depth (i32.load (local.get $node)))))
      (else (i32.const 0))))
  (func $last (param $node i32) (result i32)
    (if (result i32) (local.get $node)
      (then
        (drop (call $last (i32.const 0)))
        (return_call $last (i32.load (local.get $node))))
      (else (local.get $node))))
  (func (export "_start")
    (i32.store (call $depth (i32.const 8)) (call $last (i32.const 8)))))
