/* The golden vectors of sdk/testdata/abi, which were written by hand from ABI.md: the views read what they mean and refuse
 * every prefix, the encoders write the same bytes, and keep to the limits. Run it in sdk/c. */
#include "vedette_test.h"

static vedette_outcome none(const vedette_record *r, vedette_event *e)
{
	(void)r;
	(void)e;
	return VEDETTE_NOT_MINE;
}

VEDETTE_PARSER(none, NULL)

/* The bytes of NAME.hex: hexadecimal text with comments that begin with "#". Its memory is as long as it, so that a
 * sanitizer sees a read behind it. */
static void *kept[16];
static uint32_t kept_n;

static vedette_text golden(const char *name)
{
	char path[256], line[512];
	uint8_t *b = malloc(4096);
	uint32_t n = 0;
	snprintf(path, sizeof path, "../testdata/abi/%s.hex", name);
	FILE *f = fopen(path, "r");
	assert(f && b);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "#\n")] = 0;
		for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
			for (; *word; word += 2)
				b[n++] = (uint8_t)strtoul((char[]){word[0], word[1], 0}, NULL, 16);
	}
	fclose(f);
	b = realloc(b, n);
	assert(b && kept_n < 16);
	kept[kept_n++] = b;
	return (vedette_text){b, n};
}

static bool records_ok(vedette_text in)
{
	vedette_records r;
	vedette_record one;
	bool ok = vedette_decode_records(in, &r);
	for (uint32_t i = 0; ok && i < r.n; i++)
		ok = vedette_get_record(&r, i, &one);
	return ok;
}

static bool rows_ok(vedette_text in)
{
	vedette_rows r;
	return vedette_decode_rows(in, &r);
}

static void refuses_prefixes(vedette_text in, bool (*ok)(vedette_text))
{
	assert(ok(in));
	for (uint32_t n = 0; n < in.n; n++) {
		uint8_t *b = malloc(n + 1);
		memcpy(b, in.p, n);
		assert(!ok((vedette_text){b, n}));
		free(b);
	}
}

static void views(void)
{
	vedette_text in = golden("records");
	vedette_records r;
	vedette_record one;
	refuses_prefixes(in, records_ok);
	assert(vedette_decode_records(in, &r) && r.n == 2 && vedette_get_record(&r, 0, &one));
	assert(vedette_is(one.raw, "a=1 \xff") && vedette_is(one.source, "tcp :1") && one.received == 1 && !one.truncated);
	assert(vedette_get_record(&r, 1, &one) && vedette_is(one.raw, "b=2\0") && one.received == 2 && one.truncated);

	vedette_rows rows;
	in = golden("rows");
	refuses_prefixes(in, rows_ok);
	assert(vedette_decode_rows(in, &rows) && rows.n == 2 && rows.columns == 3);
	assert(!rows.refs.p);
	vedette_row a = {rows.table.p, 3, rows.heap, rows.log_time, VEDETTE_NOWHERE}, b = {rows.table.p + 32, 3, rows.heap, rows.log_time, VEDETTE_NOWHERE};
	assert(a.log_time == 8 && vedette_row_time(&a) == 3 && vedette_is(vedette_cell(&a, 0), "root") && !vedette_cell(&a, 1).p && vedette_is(vedette_cell(&a, 2), "10.0."));
	assert(vedette_row_time(&b) == -1 && !vedette_cell(&b, 0).p && vedette_is(vedette_cell(&b, 2), "root"));
}

/* What a rule with a timer sees and says: the golden batches of clause 20. */
static vedette_text seen_ref;

static void see(const vedette_row *r, vedette_findings *f)
{
	(void)f;
	assert(vedette_is(vedette_cell(r, 0), "x"));
	seen_ref = r->ref;
}

static uint32_t timers_seen;

static void due(const vedette_timer *t, vedette_findings *f)
{
	assert(t->now == 1000000000 && (timers_seen++ ? t->at == t->now && vedette_is(t->key, "bob") : t->at == 8 && vedette_is(t->key, "ann")));
	if (vedette_is(t->key, "bob"))
		vedette_report(f, VEDETTE_LOW, VEDETTE_TEXT("late"), VEDETTE_TEXT("3s"), VEDETTE_TEXT("a.b=1\nc=x=y"), seen_ref);
}

static bool due_ok(vedette_text in)
{
	vedette_timers d;
	return vedette_decode_due(in, &d);
}

static bool referred_ok(vedette_text in)
{
	vedette_rows r;
	return vedette_decode_rows(in, &r) && r.refs.n == VEDETTE_REF;
}

static void same(const char *what, uint64_t got, const uint8_t *out, vedette_text want)
{
	if (got != want.n || memcmp(out, want.p, want.n) != 0) {
		fprintf(stderr, "%s: the encoder writes other bytes\n", what);
		exit(1);
	}
}

/* Emits what events.hex says about its three records. */
static uint64_t write_events(uint8_t *out, uint32_t cap)
{
	static const char raw[] = "user=ann port=22 x=a\\\"b";
	vedette_text t = {(const uint8_t *)raw, sizeof raw - 1};
	vedette_event e;
	vedette_events_begin(&e, 3, out, cap);
	vedette_record_begin(&e, 0, t);
	vedette_set_time(&e, 5);
	vedette_put(&e, 1, vedette_slice(t, 5, 3));
	vedette_put_uint(&e, 2, 22, vedette_slice(t, 14, 2));
	vedette_element_from(&e, 3, VEDETTE_TEXT("a\"b"), vedette_slice(t, 19, 4));
	vedette_element_from(&e, 3, VEDETTE_TEXT("xy"), VEDETTE_NOWHERE);
	/* C has no names in the arena for numbers: the golden field is written by the parts that the SDK is made of. */
	uint32_t aux = 0;
	if (vedette_name(&e, VEDETTE_TEXT("kv."), VEDETTE_TEXT("trusted!"), &aux) && e.out.pos < e.limit)
		vedette_write_field(&e, VEDETTE_NAME_IN_ARENA | (uint64_t)VEDETTE_TYPE_BOOL << 16 | (uint64_t)aux << 32, 1, UINT32_MAX);
	else
		e.out.full = true;
	vedette_put_float(&e, VEDETTE_LOCAL(0), 1.5, VEDETTE_NOWHERE);
	vedette_put_float(&e, VEDETTE_LOCAL(0), __builtin_inf(), VEDETTE_NOWHERE);
	vedette_put_ipv4(&e, 4, 0xC0000201, VEDETTE_NOWHERE);
	vedette_next(&e);
	vedette_put_int(&e, 5, -1, VEDETTE_TEXT("elsewhere"));
	vedette_put(&e, 6, VEDETTE_TEXT(""));
	vedette_record_end(&e, VEDETTE_OK);
	vedette_record_begin(&e, 1, VEDETTE_TEXT("x"));
	vedette_put(&e, 1, VEDETTE_TEXT("taken back"));
	vedette_record_end(&e, VEDETTE_NOT_MINE);
	vedette_record_begin(&e, 2, VEDETTE_TEXT("y"));
	vedette_record_end(&e, vedette_fail(&e, "bad quote"));
	return vedette_events_finish(&e);
}

static void encoders(void)
{
	static uint8_t out[1024];
	vedette_text want = golden("events");
	((uint8_t *)want.p)[104] = 0; /* by hand, the event is marked as cut */
	same("events", write_events(out, sizeof out), out, want);
	for (uint32_t cap = 0; cap < sizeof out; cap++) { /* whatever the size, the batch is whole or refused */
		uint8_t *b = malloc(cap + 1);
		uint64_t got = write_events(b, cap);
		assert(got == vedette_pack(VEDETTE_OUT_TOO_SHORT, 0) ? cap < 1000 : got == want.n);
		free(b);
	}

	vedette_findings f = {.row = 1};
	vedette_out_begin(&f.out, out, sizeof out, 4, 32);
	vedette_add(&f, VEDETTE_HIGH, VEDETTE_TEXT("guess"), VEDETTE_TEXT("9 time"), VEDETTE_TEXT("ann"));
	f.row = 0;
	vedette_add(&f, VEDETTE_KEEP, VEDETTE_NOWHERE, VEDETTE_NOWHERE, VEDETTE_NOWHERE);
	uint64_t got = vedette_findings_finish(&f);
	for (uint32_t at = 88; at < 112; at += 8)
		vedette_store64(out + at, 0); /* by hand, empty texts stand at 0 */
	same("findings", got, out, golden("findings"));
}

static void timers(void)
{
	static uint8_t out[1024];
	vedette_text in = golden("referred"), batch = golden("due");
	refuses_prefixes(in, referred_ok);
	refuses_prefixes(batch, due_ok);
	assert(vedette_run_rule(see, in, out, sizeof out) >> 32 == VEDETTE_DONE && seen_ref.n == VEDETTE_REF);
	same("timed", vedette_run_due(due, batch, out, sizeof out), out, golden("timed"));
	assert(timers_seen == 2 && vedette_run_due(due, in, out, sizeof out) == vedette_pack(VEDETTE_BAD_INPUT, 0));
}

static bool polled(vedette_poll *p)
{
	assert(p->at == 10 && vedette_is(p->cursor, "abc"));
	vedette_put_record(p, VEDETTE_TEXT("one"));
	vedette_put_record(p, VEDETTE_TEXT("no"));
	p->next = VEDETTE_TEXT("\xc0\xde");
	return true;
}

static bool named(vedette_poll *p) { return vedette_is(p->name, "ab"); }

static void polls(void)
{
	static uint8_t out[1024];
	vedette_text in = golden("poll");
	same("polled", vedette_run_monitor(polled, in, out, sizeof out), out, golden("polled"));
	for (uint32_t n = 0; n < in.n; n++)
		assert(vedette_run_monitor(polled, (vedette_text){in.p, n}, out, sizeof out) == vedette_pack(VEDETTE_BAD_INPUT, 0));
	uint8_t *ask = (uint8_t *)in.p;
	ask[32] = ask[24]; /* the name where the cursor is */
	ask[36] = 2;
	assert(vedette_run_monitor(named, in, out, sizeof out) >> 32 == VEDETTE_DONE);
	ask[36] = 4;
	assert(vedette_run_monitor(named, in, out, sizeof out) == vedette_pack(VEDETTE_BAD_INPUT, 0));
}

static void numbers(void)
{
	uint64_t u;
	int64_t i;
	assert(vedette_uint(VEDETTE_TEXT("18446744073709551615"), &u) && u == UINT64_MAX);
	assert(!vedette_uint(VEDETTE_TEXT("18446744073709551616"), &u) && !vedette_uint(VEDETTE_TEXT(""), &u) && !vedette_uint(VEDETTE_TEXT("-1"), &u));
	assert(vedette_int(VEDETTE_TEXT("-9223372036854775808"), &i) && i == INT64_MIN && !vedette_int(VEDETTE_TEXT("9223372036854775808"), &i));
	assert(!vedette_int(VEDETTE_TEXT("-"), &i) && !vedette_int(VEDETTE_TEXT("--1"), &i));
	for (uint32_t n = 0; n < 40; n++) /* finding eight at a time is finding */
		for (uint32_t at = 0; at <= n; at++) {
			char b[41];
			memset(b, 'x', n);
			b[n] = 0;
			if (at < n) {
				b[n - 1] = (char)0x80; /* of which arithmetic on words may think too much */
				b[at] = '=';
			}
			assert(vedette_find(vedette_test_text(b), '=') == at && vedette_find2(vedette_test_text(b), ' ', '=') == at);
		}
}

int main(void)
{
	views();
	encoders();
	timers();
	polls();
	numbers();
	while (kept_n)
		free(kept[--kept_n]);
	puts("ok");
	return 0;
}
