#include "vedette_test.h"

#include "reference/refkv.c"

static void is(uint32_t event, uint32_t name, const char *want)
{
	const char *got = vedette_test_field(event, name);
	if (!got || strcmp(got, want) != 0) {
		fprintf(stderr, "field %u of event %u: %s, want %s\n", name, event, got ? got : "none", want);
		exit(1);
	}
}

int main(void)
{
	assert(vedette_test_init("") == NULL);
	assert(vedette_test_parse("ref user=\"a \\\"b\\\"\" port=22 exit=-1 tty=yes ; user=bob") == VEDETTE_OK);
	is(0, ECS_EVENT_DATASET, "ref.kv");
	is(0, ECS_USER_NAME, "a \"b\"");
	is(0, ECS_SOURCE_PORT, "22");
	is(0, ECS_PROCESS_EXIT_CODE, "-1");
	is(0, ECS_PROCESS_INTERACTIVE, "1");
	is(1, ECS_USER_NAME, "bob");
	assert(!vedette_test_field(1, ECS_SOURCE_PORT));

	assert(vedette_test_parse("other") == VEDETTE_NOT_MINE);
	assert(vedette_test_parse("ref # a comment") == VEDETTE_DROP);
	assert(vedette_test_parse("ref port=65536") == VEDETTE_FAILED);
	assert(strcmp(vedette_test_why(), "port is no port") == 0);
	puts("ok");
	return 0;
}
