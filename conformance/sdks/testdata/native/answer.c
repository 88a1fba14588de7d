/* Answers batches natively: reads a length and a batch, again and again, and writes the status, a length and what is in
 * OUT. MODULE is the source of a module. Numbers are u32. */
#include "vedette_test.h"

#include MODULE

int main(void)
{
	uint32_t n;
	while (fread(&n, 4, 1, stdin) == 1) {
		uint8_t *in = malloc(n + 1), *end = in + 1; /* shifted, so that nothing lies where it would be aligned */
		assert(in && fread(end, 1, n, stdin) == n);
		uint64_t got = vedette_native((vedette_text){end, n}, vedette_test_out, sizeof vedette_test_out);
		const uint32_t head[] = {(uint32_t)(got >> 32), (uint32_t)got};
		fwrite(head, sizeof head, 1, stdout);
		fwrite(vedette_test_out, 1, (uint32_t)got, stdout);
		free(in);
	}
	return 0;
}
