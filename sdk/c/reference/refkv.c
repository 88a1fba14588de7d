/* The reference parser of the C SDK: lines such as
 *
 *	ref ts=1709294400250 user=ann port=22 tags=vpn,admin msg="say \"hi\""
 *
 * It shows typed fields, values that are unescaped, source spans, lists, several events of one record, and every outcome.
 * The same parser in Go and Rust gives the same bytes. */
#include "vedette.h"

/* The first of the manifest's own names. */
#define LEVEL VEDETTE_LOCAL(0)

/* The longest value that is freed of its backslashes; longer ones keep them. */
enum { MAX_ESCAPED = 4096 };

/* A pair: slices of the record. */
typedef struct {
	vedette_text key, value;
	bool escaped; /* the value holds backslashes that hide a character */
} pair;

/* Cuts a pair off the beginning of *b, or says what is wrong with it. */
static vedette_text cut(vedette_text *b, pair *p)
{
	uint32_t n = vedette_find2(*b, '=', ' ');
	if (n == b->n || b->p[n] == ' ')
		return VEDETTE_TEXT("a word is no pair");
	if (n == 0)
		return VEDETTE_TEXT("a pair has no key");
	*p = (pair){.key = vedette_slice(*b, 0, n)};
	vedette_text t = vedette_skip(*b, n + 1);
	if (!vedette_prefix(t, "\"", &t)) {
		n = vedette_find(t, ' ');
		p->value = vedette_slice(t, 0, n);
		*b = vedette_skip(t, n);
		return VEDETTE_NOWHERE;
	}
	for (uint32_t i = 0; i < t.n; i += 2) { /* over a backslash and what it hides */
		i += vedette_find2(vedette_skip(t, i), '"', '\\');
		if (i == t.n)
			break;
		if (t.p[i] == '"') {
			p->value = vedette_slice(t, 0, i);
			*b = vedette_skip(t, i + 1);
			return VEDETTE_NOWHERE;
		}
		p->escaped = true;
	}
	return VEDETTE_TEXT("a quote is not closed");
}

/* Reads a time since the Unix epoch, in nanoseconds; it ends in the year 2248. */
static bool milliseconds(vedette_text v, int64_t *ns)
{
	uint64_t n;
	if (!vedette_uint(v, &n) || n >> 43)
		return false;
	*ns = (int64_t)n * 1000000;
	return true;
}

static void put_tags(vedette_event *e, vedette_text v, const pair *p)
{
	while (v.n) {
		uint32_t n = vedette_find(v, ',');
		vedette_text tag = vedette_slice(v, 0, n);
		vedette_element_from(e, ECS_TAGS, tag, p->escaped ? p->value : tag);
		v = vedette_skip(v, n < v.n ? n + 1 : n);
	}
}

/* Writes the field of one pair, whose value without backslashes is v, or says what is wrong with it. */
static vedette_text emit_value(vedette_event *e, const pair *p, vedette_text v)
{
	int64_t ns, code;
	uint64_t port;
	if (vedette_is(p->key, "ts")) {
		if (!milliseconds(v, &ns))
			return VEDETTE_TEXT("ts is no time");
		vedette_set_time(e, ns);
	} else if (vedette_is(p->key, "start")) {
		if (!milliseconds(v, &ns))
			return VEDETTE_TEXT("start is no time");
		vedette_put_time(e, ECS_EVENT_START, ns, p->value);
	} else if (vedette_is(p->key, "user")) {
		vedette_put_from(e, ECS_USER_NAME, v, p->value);
	} else if (vedette_is(p->key, "src")) {
		vedette_put_from(e, ECS_SOURCE_IP, v, p->value);
	} else if (vedette_is(p->key, "port")) {
		if (!vedette_uint(v, &port) || port > 65535)
			return VEDETTE_TEXT("port is no port");
		vedette_put_uint(e, ECS_SOURCE_PORT, port, p->value);
	} else if (vedette_is(p->key, "exit")) {
		if (!vedette_int(v, &code) || code > (int64_t)1 << 31 || code < -((int64_t)1 << 31))
			return VEDETTE_TEXT("exit is no exit code");
		vedette_put_int(e, ECS_PROCESS_EXIT_CODE, code, p->value);
	} else if (vedette_is(p->key, "tty")) {
		bool yes = vedette_is(v, "yes");
		if (!yes && !vedette_is(v, "no"))
			return VEDETTE_TEXT("tty is neither yes nor no");
		vedette_put_bool(e, ECS_PROCESS_INTERACTIVE, yes, p->value);
	} else if (vedette_is(p->key, "tags")) {
		put_tags(e, v, p);
	} else if (vedette_is(p->key, "level")) {
		vedette_put_from(e, LEVEL, v, p->value);
	} else {
		vedette_key_from(e, VEDETTE_TEXT("ref."), p->key, v, p->value);
	}
	return VEDETTE_NOWHERE;
}

/* Only a value with backslashes pays for the buffer. */
__attribute__((noinline)) static vedette_text emit_unescaped(vedette_event *e, const pair *p)
{
	uint8_t bytes[MAX_ESCAPED];
	vedette_buffer b = VEDETTE_BUFFER(bytes);
	for (uint32_t i = 0; i < p->value.n; i++) {
		i += p->value.p[i] == '\\' && i + 1 < p->value.n;
		vedette_append_byte(&b, p->value.p[i]);
	}
	return emit_value(e, p, vedette_built(&b));
}

static vedette_outcome parse(const vedette_record *r, vedette_event *e)
{
	vedette_text b;
	if (!vedette_prefix(r->raw, "ref ", &b))
		return VEDETTE_NOT_MINE;
	if (b.n && b.p[0] == '#')
		return VEDETTE_DROP; /* a comment */
	vedette_put(e, ECS_EVENT_DATASET, VEDETTE_TEXT("ref.kv"));
	while (b.n) {
		if (b.p[0] == ' ') {
			b = vedette_skip(b, 1);
		} else if (b.p[0] == ';') {
			vedette_next(e);
			vedette_put(e, ECS_EVENT_DATASET, VEDETTE_TEXT("ref.kv"));
			b = vedette_skip(b, 1);
		} else {
			pair p;
			vedette_text why = cut(&b, &p);
			if (!why.p)
				why = p.escaped && p.value.n <= MAX_ESCAPED ? emit_unescaped(e, &p) : emit_value(e, &p, p.value);
			if (why.p)
				return vedette_fail_text(e, why);
		}
	}
	return VEDETTE_OK;
}

VEDETTE_PARSER(parse, NULL)
