#include "vedette_test.h"

#include "module.c"

int main(void)
{
	assert(vedette_test_eval(2, (const char *[]){"north", "ada"}) == 0);
	assert(vedette_test_eval(2, (const char *[]){"vault-2", "mallory"}) == 1);
	assert(strcmp(vedette_test_found(0, VEDETTE_TEST_REASON), "mallory was refused at vault-2") == 0);
	puts("ok");
	return 0;
}
