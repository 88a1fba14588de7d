/* vedette_test.h: running a module natively, with libc. A test includes it and the module's source in one file:
 *
 *	#include "vedette_test.h"
 *	#include "door.c"
 *
 *	int main(void)
 *	{
 *		assert(vedette_test_parse("badge=ada") == VEDETTE_OK);
 *		assert(strcmp(vedette_test_field(0, ECS_USER_NAME), "ada") == 0);
 *	}
 *
 *	cc -std=c11 -g -fsanitize=address,undefined -I sdk/c -o door_test door_test.c && ./door_test */
#ifndef VEDETTE_TEST_H
#define VEDETTE_TEST_H

#undef NDEBUG
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vedette.h"

#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter" /* of calls that a script answers */
#endif

/* What the host does for a module. */
void vedette_core_log(uint32_t level, const uint8_t *p, uint32_t n) { fprintf(stderr, "%" PRIu32 ": %.*s\n", level, (int)n, (const char *)p); }

/* What a target answers: a status and a body, or status 0 and a reason such as "E_HOST_IO: no route to host". */
static struct {
	uint32_t status;
	const char *text;
	char target[64], path[4096]; /* what was asked for */
} vedette_test_http = {.text = "E_DENIED: no HTTP in a native run"};

uint64_t vedette_http_fetch(const uint8_t *target, uint32_t target_n, const uint8_t *path, uint32_t path_n, uint8_t *out, uint32_t cap)
{
	uint32_t n = (uint32_t)strlen(vedette_test_http.text), head = vedette_test_http.status ? 24 : 0;
	snprintf(vedette_test_http.target, sizeof vedette_test_http.target, "%.*s", (int)target_n, (const char *)target);
	snprintf(vedette_test_http.path, sizeof vedette_test_http.path, "%.*s", (int)path_n, (const char *)path);
	assert(n + head <= cap);
	memset(out, 0, head);
	if (head)
		vedette_store32(out, vedette_test_http.status);
	memcpy(out + head, vedette_test_http.text, n);
	return (head ? 0 : (uint64_t)UINT32_MAX << 32) | (n + head);
}

/* What a monitor's targets answer: it is given the function, such as "snmp_get", the target and the request, and appends the
 * answer, or why there is none. */
static bool (*vedette_test_answer)(const char *function, vedette_text target, vedette_text request, vedette_buffer *answer);

static uint64_t vedette_test_ask(const char *function, const uint8_t *target, uint32_t target_n, const uint8_t *request, uint32_t request_n, uint8_t *out, uint32_t cap)
{
	vedette_buffer b = {out, 0, cap};
	bool answered = false;
	if (vedette_test_answer)
		answered = vedette_test_answer(function, (vedette_text){target, target_n}, (vedette_text){request, request_n}, &b);
	else
		vedette_append(&b, VEDETTE_TEXT("E_DENIED: nothing outside in a native run"));
	return (answered ? 0 : (uint64_t)UINT32_MAX << 32) | b.n;
}

#define VEDETTE_TEST_REACH(function) \
	uint64_t vedette_import_##function(const uint8_t *target, uint32_t target_n, const uint8_t *request, uint32_t request_n, uint8_t *out, uint32_t cap) \
	{ \
		return vedette_test_ask(#function, target, target_n, request, request_n, out, cap); \
	}

VEDETTE_TEST_REACH(snmp_get)
VEDETTE_TEST_REACH(snmp_walk)
VEDETTE_TEST_REACH(ssh_run)
VEDETTE_TEST_REACH(probe_tcp)
VEDETTE_TEST_REACH(probe_tls)
VEDETTE_TEST_REACH(probe_dns)
VEDETTE_TEST_REACH(probe_ping)
VEDETTE_TEST_REACH(config_compare)

/* What the functions of state and tables return, one call after the other, and what they write; VEDETTE_LIMIT when nothing
 * is left. asked has the functions and keys that were called with, a line for each. */
static struct {
	const int64_t *results;
	uint32_t n;
	vedette_text wrote; /* by the calls that write: a value, a sum, a row */
	char asked[4096];
} vedette_test_state;

static int64_t vedette_test_call(const char *function, const uint8_t *key, uint32_t key_n)
{
	size_t at = strlen(vedette_test_state.asked);
	snprintf(vedette_test_state.asked + at, sizeof vedette_test_state.asked - at, "%s %.*s\n", function, (int)key_n, (const char *)key);
	if (vedette_test_state.n == 0)
		return VEDETTE_LIMIT;
	vedette_test_state.n--;
	return *vedette_test_state.results++;
}

static int32_t vedette_test_write(int64_t result, void *out, uint32_t cap)
{
	uint32_t n = vedette_test_state.wrote.n;
	if (result >= 0 && n)
		memcpy(out, vedette_test_state.wrote.p, n < cap ? n : cap);
	return (int32_t)result;
}

int32_t vedette_import_kv_get(const uint8_t *key, uint32_t n, uint8_t *out, uint32_t cap) { return vedette_test_write(vedette_test_call("kv_get", key, n), out, cap); }
int32_t vedette_import_kv_put(const uint8_t *key, uint32_t n, const uint8_t *value, uint32_t value_n, int64_t ttl)
{
	return (int32_t)vedette_test_call("kv_put", key, n);
}
int32_t vedette_import_kv_del(const uint8_t *key, uint32_t n) { return (int32_t)vedette_test_call("kv_del", key, n); }
int32_t vedette_import_kv_incr(const uint8_t *key, uint32_t n, int64_t delta, int64_t ttl, int64_t *sum)
{
	return vedette_test_write(vedette_test_call("kv_incr", key, n), sum, sizeof *sum);
}
int32_t vedette_import_kv_cas(const uint8_t *key, uint32_t n, const uint8_t *old, uint32_t old_n, const uint8_t *value, uint32_t value_n, int64_t ttl)
{
	return (int32_t)vedette_test_call("kv_cas", key, n);
}
int64_t vedette_import_window_count(const uint8_t *key, uint32_t n, int64_t window, int64_t bucket, int64_t delta)
{
	return vedette_test_call("window_count", key, n);
}
int64_t vedette_import_window_distinct(const uint8_t *key, uint32_t n, const uint8_t *value, uint32_t value_n, int64_t window)
{
	return vedette_test_call("window_distinct", key, n);
}
int32_t vedette_import_window_first_seen(const uint8_t *key, uint32_t n, int64_t ttl)
{
	return (int32_t)vedette_test_call("window_first_seen", key, n);
}
int32_t vedette_import_timer_set(const uint8_t *key, uint32_t n, int64_t at)
{
	(void)at;
	return (int32_t)vedette_test_call("timer_set", key, n);
}
int32_t vedette_import_timer_cancel(const uint8_t *key, uint32_t n) { return (int32_t)vedette_test_call("timer_cancel", key, n); }
int32_t vedette_import_window_seq_step(const uint8_t *key, uint32_t n, uint32_t state, int64_t ttl)
{
	return (int32_t)vedette_test_call("window_seq_step", key, n);
}
int32_t vedette_import_set_match(const uint8_t *table, uint32_t n, const vedette_text *keys, uint32_t keys_n, uint8_t *out)
{
	return vedette_test_write(vedette_test_call("set_match", table, n), out, (keys_n + 7) / 8);
}
int32_t vedette_import_lookup_get(const uint8_t *table, uint32_t n, const uint8_t *key, uint32_t key_n, uint8_t *out, uint32_t cap)
{
	return vedette_test_write(vedette_test_call("lookup_get", table, n), out, cap);
}

/* The last answer. */
static uint8_t vedette_test_out[4 << 20];
static uint8_t vedette_test_in[1 << 20];

static inline uint64_t vedette_native(vedette_text in, uint8_t *out, uint32_t cap);
static inline uint64_t vedette_native_init(vedette_text settings, uint8_t *out, uint32_t cap);

static vedette_text vedette_test_text(const char *s) { return (vedette_text){(const uint8_t *)s, (uint32_t)strlen(s)}; }

/* Gives the module its settings; NULL, or why they are refused. */
static const char *vedette_test_init(const char *settings)
{
	uint64_t got = vedette_native_init(vedette_test_text(settings), vedette_test_out, sizeof vedette_test_out);
	vedette_test_out[(uint32_t)got] = 0;
	return got >> 32 ? (const char *)vedette_test_out : NULL;
}

/* Has the parser read one record. */
static vedette_outcome vedette_test_parse(const char *raw)
{
	uint8_t *in = vedette_test_in;
	uint32_t n = (uint32_t)strlen(raw);
	const uint32_t head[] = {0x31425256, 0, 1, 48, 80, n};
	assert(n < sizeof vedette_test_in - 80);
	memset(in, 0, 80);
	memcpy(in, head, sizeof head);
	vedette_store32(in + 52, n);
	memcpy(in + 80, raw, n);
	uint64_t got = vedette_native((vedette_text){in, 80 + n}, vedette_test_out, sizeof vedette_test_out);
	assert(got >> 32 == VEDETTE_DONE);
	return (vedette_outcome)vedette_test_out[48];
}

/* The message of a record that failed. */
static const char *vedette_test_why(void)
{
	static char why[VEDETTE_MAX_MESSAGE + 1];
	const uint8_t *out = vedette_test_out;
	snprintf(why, sizeof why, "%.*s", (int)vedette_load32(out + 56), (const char *)out + vedette_load32(out + 28) + vedette_load32(out + 52));
	return why;
}

/* The value of the first field with that number in an event, numbers in decimal; NULL when there is none. */
static const char *vedette_test_field(uint32_t event, uint32_t name)
{
	static char text[64 << 10];
	const uint8_t *out = vedette_test_out, *at = out + vedette_load32(out + 20), *arena = out + vedette_load32(out + 28);
	assert(event < vedette_load32(out + 12));
	while (event--)
		at += 32 + 24 * vedette_load32(at + 4);
	for (const uint8_t *f = at + 32, *end = f + 24 * vedette_load32(at + 4); f < end; f += 24) {
		uint32_t off = vedette_load32(f + 8), n = vedette_load32(f + 12);
		if ((vedette_load32(f) & 0xFFFF) != name)
			continue;
		if (f[2] <= VEDETTE_IN_ARENA)
			snprintf(text, sizeof text, "%.*s", (int)n, (const char *)(f[2] == VEDETTE_IN_RECORD ? vedette_test_in + 80 : arena) + off);
		else
			snprintf(text, sizeof text, "%" PRId64, (int64_t)vedette_load64(f + 8));
		return text;
	}
	return NULL;
}

/* Has the rule look at one event, its cells in the order of the manifest's reads, NULL for none. Returns the number of
 * findings. */
static uint32_t vedette_test_eval(uint32_t columns, const char *const *cells)
{
	uint8_t *in = vedette_test_in;
	uint32_t heap = 48 + 8 + columns * 8, used = 0;
	memset(in, 0, heap);
	for (uint32_t i = 0; i < columns; i++) {
		uint32_t n = cells[i] ? (uint32_t)strlen(cells[i]) : UINT32_MAX;
		vedette_store32(in + 56 + i * 8, used);
		vedette_store32(in + 60 + i * 8, n);
		if (cells[i])
			memcpy(in + heap + used, cells[i], n);
		used += cells[i] ? n : 0;
	}
	const uint32_t head[] = {0x31504556, 0, 1, columns, 48, heap, used};
	memcpy(in, head, sizeof head);
	uint64_t got = vedette_native((vedette_text){in, heap + used}, vedette_test_out, sizeof vedette_test_out);
	assert(got >> 32 == VEDETTE_DONE);
	return vedette_load32(vedette_test_out + 8);
}

enum vedette_test_text_of { VEDETTE_TEST_TITLE, VEDETTE_TEST_REASON, VEDETTE_TEST_KEY };

/* A text of a finding. */
static const char *vedette_test_found(uint32_t finding, enum vedette_test_text_of which)
{
	static char text[VEDETTE_MAX_TEXT + 1];
	const uint8_t *out = vedette_test_out, *at = out + 32 + finding * 48 + 8 + 8 * which;
	snprintf(text, sizeof text, "%.*s", (int)vedette_load32(at + 4), (const char *)out + vedette_load32(out + 16) + vedette_load32(at));
	return text;
}

/* Has the monitor poll once. NULL when it hands over one record, which is then in *record and the cursor in *cursor;
 * otherwise why it failed. */
static const char *vedette_test_poll(int64_t at, const char *cursor, const char **record, const char **next)
{
	static char text[2][64 << 10];
	uint8_t *in = vedette_test_in, *out = vedette_test_out;
	uint32_t n = (uint32_t)strlen(cursor);
	memset(in, 0, 40);
	memcpy(in, "VPI1", 4);
	vedette_store64(in + 16, (uint64_t)at);
	vedette_store32(in + 24, 40);
	vedette_store32(in + 28, n);
	memcpy(in + 40, cursor, n);
	uint64_t got = vedette_native((vedette_text){in, 40 + n}, out, sizeof vedette_test_out);
	if (got >> 32) {
		out[(uint32_t)got] = 0;
		return (const char *)out;
	}
	assert(vedette_load32(out + 8) == 1);
	snprintf(text[0], sizeof text[0], "%.*s", (int)vedette_load32(out + 36), (const char *)out + vedette_load32(out + 12) + vedette_load32(out + 32));
	snprintf(text[1], sizeof text[1], "%.*s", (int)vedette_load32(out + 24), (const char *)out + vedette_load32(out + 20));
	*record = text[0];
	*next = text[1];
	return NULL;
}

#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif
