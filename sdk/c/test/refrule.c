#include "vedette_test.h"

#include "reference/refrule.c"

int main(void)
{
	assert(vedette_test_eval(3, (const char *[]){"login_refused", "ann", "192.0.2.1"}) == 0);
	assert(vedette_test_eval(3, (const char *[]){"login", NULL, NULL}) == 1);
	assert(vedette_test_eval(3, (const char *[]){"login_refused", "root", "192.0.2.1"}) == 1);
	assert(strcmp(vedette_test_found(0, VEDETTE_TEST_REASON), "root was refused from 192.0.2.1") == 0);
	assert(strcmp(vedette_test_found(0, VEDETTE_TEST_KEY), "192.0.2.1") == 0);
	puts("ok");
	return 0;
}
