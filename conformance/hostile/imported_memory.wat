;; Imports its memory.
(module
  (import "vedette_core_v1" "memory" (memory 1))
  (func $init (export "vedette_init") (param i32) (result i64) (i64.const 0))
  (func (export "vedette_abi_1"))
  (func $parse (export "vedette_parse") (param $len i32) (result i64)
    (i64.const 0))
)
