;; Says that its buffers stand at the end of the address space.
(module
  (memory (export "memory") 2)
  (global $in (mut i32) (i32.const 65536))
  (global $out (mut i32) (i32.const 0))
  (func (export "vedette_abi_1"))
  (func $buffers (export "vedette_buffers") (param i32 i32) (result i64) (i64.const 0xfffffff0fffffff0))
  (func $init (export "vedette_init") (param i32) (result i64) (i64.const 0))
  (func $parse (export "vedette_parse") (param $len i32) (result i64)
    (i64.const 0))
)
