/* The reference parser as a plugin of Extism: the same functions, called with one record batch of one record, whose answer
 * is the same event batch. What stands here is what the plugin kits of Extism do: the input is loaded from the kernel's
 * memory eight bytes at a time, and the output stored into a block of it. */
#include "refkv.c"

#define KERNEL(name) __attribute__((import_module("extism:host/env"), import_name(name)))

KERNEL("input_length") extern uint64_t input_length(void);
KERNEL("input_load_u8") extern uint32_t input_load_u8(uint64_t at);
KERNEL("input_load_u64") extern uint64_t input_load_u64(uint64_t at);
KERNEL("alloc") extern uint64_t kernel_alloc(uint64_t n);
KERNEL("store_u8") extern void store_u8(uint64_t at, uint32_t v);
KERNEL("store_u64") extern void store_u64(uint64_t at, uint64_t v);
KERNEL("output_set") extern void output_set(uint64_t at, uint64_t n);

static _Alignas(8) uint8_t plugin_in[16 << 10];
static _Alignas(8) uint8_t plugin_out[64 << 10];

__attribute__((export_name("parse"))) int32_t plugin_parse(void)
{
	uint64_t n = input_length(), i = 0;
	if (n > sizeof plugin_in)
		return 1;
	for (; i + 8 <= n; i += 8)
		vedette_store64(plugin_in + i, input_load_u64(i));
	for (; i < n; i++)
		plugin_in[i] = (uint8_t)input_load_u8(i);
	uint64_t r = vedette_run_parser(parse, (vedette_text){plugin_in, (uint32_t)n}, plugin_out, sizeof plugin_out);
	if (r >> 32)
		return 2;
	uint64_t at = kernel_alloc(r);
	for (i = 0; i + 8 <= r; i += 8)
		store_u64(at + i, vedette_load64(plugin_out + i));
	for (; i < r; i++)
		store_u8(at + i, plugin_out[i]);
	output_set(at, r);
	return 0;
}
