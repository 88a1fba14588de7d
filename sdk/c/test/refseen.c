#include "vedette_test.h"

#include "reference/refseen.c"

static uint32_t found(const char *action, const int64_t *results, uint32_t n)
{
	const char *const cells[] = {action, "ada", "192.0.2.1"};
	vedette_test_state.results = results;
	vedette_test_state.n = n;
	vedette_test_state.asked[0] = 0;
	return vedette_test_eval(3, cells);
}

int main(void)
{
	const int64_t place = 7;
	vedette_test_state.wrote = (vedette_text){(const uint8_t *)&place, sizeof place};
	assert(found("login", (const int64_t[]){0, 1, 0}, 3) == 1);
	assert(strcmp(vedette_test_found(0, VEDETTE_TEST_TITLE), "New place") == 0);
	assert(strcmp(vedette_test_found(0, VEDETTE_TEST_REASON), "192.0.2.1 is place 7") == 0);
	assert(strcmp(vedette_test_state.asked, "window_seq_step ada 192.0.2.1\nwindow_first_seen ada 192.0.2.1\nkv_incr ada\n") == 0);
	assert(found("login", (const int64_t[]){1, 0}, 2) == 1);
	assert(strcmp(vedette_test_found(0, VEDETTE_TEST_TITLE), "Let in after a refusal") == 0);
	assert(found("login_refused", (const int64_t[]){0, 5, 3}, 3) == 2);
	assert(strcmp(vedette_test_found(0, VEDETTE_TEST_REASON), "192.0.2.1 was refused 5") == 0);
	assert(found("login_refused", NULL, 0) == 0); /* every call is over a limit */
	assert(found("logout", NULL, 0) == 0 && vedette_test_state.asked[0] == 0);

	/* The rest of what a rule can call. */
	uint8_t bytes[64];
	vedette_buffer b = VEDETTE_BUFFER(bytes);
	vedette_text row, value;
	vedette_test_state.results = (const int64_t[]){8, 0, 1, 1, 1, 2, 1, 8, VEDETTE_ABSENT};
	vedette_test_state.n = 9;
	vedette_test_state.asked[0] = 0;
	assert(vedette_kv_get(VEDETTE_TEXT("k"), &b) == 8 && b.n == 8 && memcmp(bytes, &place, 8) == 0);
	assert(vedette_kv_put(VEDETTE_TEXT("k"), VEDETTE_TEXT("v"), 0) == 0 && vedette_kv_del(VEDETTE_TEXT("k")) == 1);
	assert(vedette_kv_swap(VEDETTE_TEXT("k"), VEDETTE_NOWHERE, VEDETTE_TEXT("v"), 0) == 1);
	assert(vedette_set_has(VEDETTE_TEXT("t"), VEDETTE_TEXT("x")) == 1);
	assert(vedette_set_match(VEDETTE_TEXT("t"), (const vedette_text[]){VEDETTE_TEXT("x"), VEDETTE_TEXT("y")}, 2, bytes) == 2);
	assert(vedette_window_first_seen(VEDETTE_TEXT("k"), VEDETTE_SECOND) == 1);
	assert(vedette_lookup(VEDETTE_TEXT("t"), VEDETTE_TEXT("x"), &b) == 8 && b.n == 8);
	assert(vedette_lookup(VEDETTE_TEXT("t"), VEDETTE_TEXT("x"), &b) == VEDETTE_ABSENT && b.n == 0);
	assert(vedette_kv_del(VEDETTE_TEXT("k")) == VEDETTE_LIMIT);
	vedette_test_state.results = (const int64_t[]){0, 1};
	vedette_test_state.n = 2;
	assert(vedette_timer_set(VEDETTE_TEXT("k"), VEDETTE_SECOND) == 0 && vedette_timer_cancel(VEDETTE_TEXT("k")) == 1);

	/* A row of two columns (ABI 14.3): user = eva, department = nothing. */
	static const uint8_t golden[] =
		"\x02\0\0\0\0\0\0\0\x28\0\0\0\x04\0\0\0\x2c\0\0\0\x03\0\0\0\x2f\0\0\0\x0a\0\0\0\x39\0\0\0\0\0\0\0userevadepartment";
	row = (vedette_text){golden, sizeof golden - 1};
	assert(vedette_column(row, VEDETTE_TEXT("user"), &value) && vedette_is(value, "eva"));
	assert(vedette_column(row, VEDETTE_TEXT("department"), &value) && value.n == 0);
	assert(!vedette_column(row, VEDETTE_TEXT("boss"), &value) && !vedette_column(VEDETTE_NOWHERE, VEDETTE_TEXT("user"), &value));
	puts("ok");
	return 0;
}
