#include "vedette_test.h"

#include "module.c"

int main(void)
{
	assert(vedette_test_parse("door=north badge=ada result=open") == VEDETTE_OK);
	assert(strcmp(vedette_test_field(0, ECS_USER_NAME), "ada") == 0);
	assert(vedette_test_parse("window=north") == VEDETTE_NOT_MINE);
	puts("ok");
	return 0;
}
