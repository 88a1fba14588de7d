;; Fills memory again and again: few instructions, much work.
(module
  (memory (export "memory") 2)
  (global $in (mut i32) (i32.const 65536))
  (global $out (mut i32) (i32.const 0))
  (func (export "vedette_abi_1"))
  (func $buffers (export "vedette_buffers") (param $n i32) (param $m i32) (result i64)
    (global.set $out (i32.add (global.get $in) (local.get $n)))
    (drop (memory.grow (i32.add (i32.shr_u (i32.add (local.get $n) (local.get $m)) (i32.const 16)) (i32.const 1))))
    (i64.or (i64.shl (i64.extend_i32_u (global.get $in)) (i64.const 32)) (i64.extend_i32_u (global.get $out))))
  (func $init (export "vedette_init") (param i32) (result i64) (i64.const 0))
  (func $parse (export "vedette_parse") (param $len i32) (result i64)
    (loop $l (memory.fill (global.get $out) (i32.const 7) (i32.const 262144)) (br $l)) (i64.const 0))
)
