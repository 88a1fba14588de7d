/* vedette.h: what a Vedette module in C is written against. C11, freestanding: no libc and no allocator are needed.
 *
 *	#include "vedette.h"
 *
 *	static vedette_outcome parse(const vedette_record *r, vedette_event *e)
 *	{
 *		vedette_text badge;
 *		if (!vedette_prefix(r->raw, "badge=", &badge))
 *			return VEDETTE_NOT_MINE;
 *		vedette_put(e, ECS_EVENT_DATASET, VEDETTE_TEXT("door.log"));
 *		vedette_put(e, ECS_USER_NAME, badge);
 *		return VEDETTE_OK;
 *	}
 *
 *	VEDETTE_PARSER(parse, NULL)
 *
 *	clang --target=wasm32 -std=c11 -O3 -ffreestanding -nostdlib -mbulk-memory \
 *		-Wl,--no-entry,--stack-first,-zstack-size=65536 -I sdk/c -o door.wasm door.c
 *
 * A module defines one of VEDETTE_PARSER, VEDETTE_RULE and VEDETTE_MONITOR, in one file. The host restores the module's
 * memory before every call: nothing that a call leaves behind is ever seen again. Fields go straight into the memory that
 * the host reads. A value that is a part of the record is not copied and is its own source span, so that a person can be
 * shown where a field comes from; for others the caller names the bytes of the record that they were made from.
 *
 * Clause numbers are those of the module ABI, sdk/ABI.md. sdk/c/README.md tells how to test a module natively. */
#ifndef VEDETTE_H
#define VEDETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read and written as they lie in memory");

#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function" /* a module uses what it needs */
#endif

/* --- texts ------------------------------------------------------------------------------------------------------- */

/* Bytes that belong to somebody else. p is NULL when there are none, not even empty ones. */
typedef struct {
	const uint8_t *p;
	uint32_t n;
} vedette_text;

/* A string literal as a text. */
#define VEDETTE_TEXT(literal) ((vedette_text){(const uint8_t *)(literal), sizeof(literal) - 1})

/* No bytes: the span of what stands nowhere in the record. */
#define VEDETTE_NOWHERE ((vedette_text){NULL, 0})

/* n bytes of t from the byte at on, both within t. */
static inline vedette_text vedette_slice(vedette_text t, uint32_t at, uint32_t n)
{
	return (vedette_text){t.p + at, n};
}

/* t without its first n bytes, which are there. */
static inline vedette_text vedette_skip(vedette_text t, uint32_t n)
{
	return vedette_slice(t, n, t.n - n);
}

static inline uint64_t vedette_load64(const uint8_t *p)
{
	uint64_t v;
	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t vedette_load32(const uint8_t *p)
{
	uint32_t v;
	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

static inline void vedette_store64(uint8_t *p, uint64_t v) { __builtin_memcpy(p, &v, sizeof v); }

static inline void vedette_store32(uint8_t *p, uint32_t v) { __builtin_memcpy(p, &v, sizeof v); }

/* A bulk operation makes the function around it save every register on each call, so it stands alone. */
__attribute__((noinline)) static void vedette_copy_long(uint8_t *to, const uint8_t *from, uint32_t n) { __builtin_memcpy(to, from, n); }

/* The first and the last half bytes of n, which may overlap. */
#define VEDETTE_HALVES(half) \
	do { \
		uint8_t a[half], b[half]; \
		__builtin_memcpy(a, from, half); \
		__builtin_memcpy(b, from + n - half, half); \
		__builtin_memcpy(to, a, half); \
		__builtin_memcpy(to + n - half, b, half); \
	} while (0)

/* Copies n bytes, which do not overlap. Most texts are shorter than what it costs a sandbox to begin a bulk copy, so those
 * of at most 64 bytes are copied as two halves. */
static inline void vedette_copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	if (n > 64)
		vedette_copy_long(to, from, n);
	else if (n > 32)
		VEDETTE_HALVES(32);
	else if (n > 16)
		VEDETTE_HALVES(16);
	else if (n > 8)
		VEDETTE_HALVES(8);
	else if (n >= 4)
		VEDETTE_HALVES(4);
	else if (n >= 2)
		VEDETTE_HALVES(2);
	else if (n)
		*to = *from;
}

static inline bool vedette_equal(vedette_text a, vedette_text b)
{
	const uint32_t n = b.n; /* of a literal: what follows is then a comparison or two */
	if (a.n != n)
		return false;
	if (n >= 8) {
		for (uint32_t i = 0; i < n - 8; i += 8)
			if (vedette_load64(a.p + i) != vedette_load64(b.p + i))
				return false;
		return vedette_load64(a.p + n - 8) == vedette_load64(b.p + n - 8);
	}
	if (n >= 4)
		return vedette_load32(a.p) == vedette_load32(b.p) && vedette_load32(a.p + n - 4) == vedette_load32(b.p + n - 4);
	return n == 0 || (a.p[0] == b.p[0] && a.p[n / 2] == b.p[n / 2] && a.p[n - 1] == b.p[n - 1]);
}

/* Whether t is that literal. */
#define vedette_is(t, literal) vedette_equal(t, VEDETTE_TEXT(literal))

static inline bool vedette_begins(vedette_text t, vedette_text with, vedette_text *rest)
{
	if (t.n < with.n || !vedette_equal(vedette_slice(t, 0, with.n), with))
		return false;
	*rest = vedette_skip(t, with.n);
	return true;
}

/* Whether t begins with that literal; *rest is then what is behind it. */
#define vedette_prefix(t, literal, rest) vedette_begins(t, VEDETTE_TEXT(literal), rest)

/* The top bit of the lowest zero byte of x, and none below it; bits above it may be set as well. */
static inline uint64_t vedette_zeros(uint64_t x) { return (x - 0x0101010101010101u) & ~x & 0x8080808080808080u; }

/* The index of the first c or d in t, t.n when there is none: eight bytes at a time, which is several times as fast as
 * one by one. */
static inline uint32_t vedette_find2(vedette_text t, uint8_t c, uint8_t d)
{
	const uint64_t each_c = 0x0101010101010101u * c, each_d = 0x0101010101010101u * d;
	uint32_t i = 0;
	for (; t.n - i >= 8; i += 8) {
		uint64_t x = vedette_load64(t.p + i);
		uint64_t found = vedette_zeros(x ^ each_c) | vedette_zeros(x ^ each_d);
		if (found)
			return i + (uint32_t)__builtin_ctzll(found) / 8;
	}
	while (i < t.n && t.p[i] != c && t.p[i] != d)
		i++;
	return i;
}

/* The index of the first c in t, t.n when there is none. */
static inline uint32_t vedette_find(vedette_text t, uint8_t c) { return vedette_find2(t, c, c); }

/* Reads a whole number of nothing but digits. */
static inline bool vedette_uint(vedette_text t, uint64_t *v)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < t.n; i++) {
		uint8_t digit = (uint8_t)(t.p[i] - '0');
		if (digit > 9 || n > UINT64_MAX / 10 || 10 * n > UINT64_MAX - digit)
			return false;
		n = 10 * n + digit;
	}
	*v = n;
	return t.n > 0;
}

/* Reads a whole number that may have a minus in front of it. */
static inline bool vedette_int(vedette_text t, int64_t *v)
{
	uint64_t n;
	vedette_text digits = t;
	bool minus = vedette_prefix(t, "-", &digits);
	if (!vedette_uint(digits, &n) || n > (uint64_t)INT64_MAX + minus)
		return false;
	*v = (int64_t)(minus ? 0 - n : n);
	return true;
}

/* --- building texts ---------------------------------------------------------------------------------------------- */

/* A text that grows up to cap bytes; what is beyond is left out. */
typedef struct {
	uint8_t *p;
	uint32_t n, cap;
} vedette_buffer;

/* A buffer of an array. */
#define VEDETTE_BUFFER(array) ((vedette_buffer){array, 0, sizeof(array)})

static inline vedette_text vedette_built(const vedette_buffer *b) { return (vedette_text){b->p, b->n}; }

static inline void vedette_append_byte(vedette_buffer *b, uint8_t c)
{
	if (b->n < b->cap)
		b->p[b->n++] = c;
}

static inline void vedette_append(vedette_buffer *b, vedette_text t)
{
	uint32_t n = t.n < b->cap - b->n ? t.n : b->cap - b->n;
	vedette_copy(b->p + b->n, t.p, n);
	b->n += n;
}

static inline void vedette_append_uint(vedette_buffer *b, uint64_t v)
{
	uint8_t digits[20];
	uint32_t n = 0;
	do
		digits[n++] = (uint8_t)('0' + v % 10);
	while (v /= 10);
	while (n)
		vedette_append_byte(b, digits[--n]);
}

static inline void vedette_append_int(vedette_buffer *b, int64_t v)
{
	if (v < 0)
		vedette_append_byte(b, '-');
	vedette_append_uint(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Appends the inside of a JSON string: quotes, backslashes and control characters are escaped. */
static inline void vedette_append_json(vedette_buffer *b, vedette_text t)
{
	static const uint8_t digits[] = "0123456789abcdef";
	for (uint32_t i = 0; i < t.n; i++) {
		uint8_t c = t.p[i];
		if (c == '"' || c == '\\')
			vedette_append_byte(b, '\\');
		if (c >= ' ') {
			vedette_append_byte(b, c);
			continue;
		}
		vedette_append(b, VEDETTE_TEXT("\\u00"));
		vedette_append_byte(b, digits[c >> 4]);
		vedette_append_byte(b, digits[c & 15]);
	}
}

/* --- the log ----------------------------------------------------------------------------------------------------- */

enum vedette_level { VEDETTE_DEBUG, VEDETTE_INFO, VEDETTE_WARNING, VEDETTE_ERROR };

#ifdef __wasm__
__attribute__((import_module("vedette_core_v1"), import_name("log"))) void vedette_core_log(uint32_t level, const uint8_t *p, uint32_t n);
#else
void vedette_core_log(uint32_t level, const uint8_t *p, uint32_t n); /* a native test brings its own */
#endif

/* Writes a line to the module's log (`vedette module logs`). The host cuts and counts what exceeds its budget. */
static inline void vedette_log(enum vedette_level level, vedette_text line) { vedette_core_log(level, line.p, line.n); }

#define VEDETTE_STRING_(x) #x
#define VEDETTE_STRING(x) VEDETTE_STRING_(x)

/* Fails the record, and says in the log at which line of the source, unless the condition holds. */
#define VEDETTE_ASSERT(condition) \
	((condition) ? (void)0 : (vedette_log(VEDETTE_ERROR, VEDETTE_TEXT(__FILE__ ":" VEDETTE_STRING(__LINE__) ": " #condition)), __builtin_trap()))

/* --- what the host writes into IN (ABI 4, 6.1, 7.1) -------------------------------------------------------------- */

/* Statuses of ABI 2.4. */
enum vedette_status { VEDETTE_DONE = 0, VEDETTE_OUT_TOO_SHORT = -1, VEDETTE_BAD_INPUT = -2, VEDETTE_SETTINGS = -3, VEDETTE_BROKEN = -4 };

static inline uint64_t vedette_pack(enum vedette_status s, uint32_t n) { return (uint64_t)(uint32_t)s << 32 | n; }

/* The bytes that an offset and a length at p select in t. Offsets are added as 64-bit numbers, so no sum wraps around. */
static inline bool vedette_range(vedette_text t, const uint8_t *p, vedette_text *part)
{
	uint64_t off = vedette_load32(p), n = vedette_load32(p + 4);
	if (off + n > t.n)
		return false;
	*part = vedette_slice(t, (uint32_t)off, (uint32_t)n);
	return true;
}

static inline bool vedette_table(vedette_text t, uint32_t off, uint64_t size, vedette_text *part)
{
	if (off + size > t.n)
		return false;
	*part = vedette_slice(t, off, (uint32_t)size);
	return true;
}

/* One record as received. */
typedef struct {
	vedette_text raw;    /* the bytes that the sender sent */
	vedette_text source; /* who sent it, "listener peer" */
	int64_t received;    /* receive time, ns since the Unix epoch */
	bool truncated;      /* it was longer than the listener's limit; the rest was cut */
} vedette_record;

typedef struct {
	uint32_t n;
	vedette_text table, heap;
} vedette_records;

static inline bool vedette_decode_records(vedette_text in, vedette_records *r)
{
	if (in.n < 48 || vedette_load32(in.p) != 0x31425256 /* "VRB1" */)
		return false;
	r->n = vedette_load32(in.p + 8);
	return r->n <= 1024 && vedette_table(in, vedette_load32(in.p + 12), (uint64_t)r->n * 32, &r->table) && vedette_range(in, in.p + 16, &r->heap);
}

static inline bool vedette_get_record(const vedette_records *r, uint32_t i, vedette_record *record)
{
	const uint8_t *row = r->table.p + i * 32;
	record->received = (int64_t)vedette_load64(row + 16);
	record->truncated = vedette_load32(row + 24) & 1;
	return vedette_range(r->heap, row, &record->raw) && vedette_range(r->heap, row + 8, &record->source);
}

/* One projected event. */
typedef struct {
	const uint8_t *at;
	uint32_t columns;
	vedette_text heap;
	int64_t log_time; /* of the batch, ns since the Unix epoch; it never goes back from one batch to the next */
	vedette_text ref; /* the event's reference (ABI 20.4), to be kept and named as evidence; p is NULL when there is none */
} vedette_row;

/* The event's time, ns since the Unix epoch. */
static inline int64_t vedette_row_time(const vedette_row *r) { return (int64_t)vedette_load64(r->at); }

/* Column `column` of the manifest's reads; p is NULL when the event does not have the field. */
static inline vedette_text vedette_cell(const vedette_row *r, uint32_t column)
{
	vedette_text cell = VEDETTE_NOWHERE;
	VEDETTE_ASSERT(column < r->columns);
	vedette_range(r->heap, r->at + 8 + column * 8, &cell); /* a length of 2^32-1 lies outside any heap */
	return cell;
}

typedef struct {
	uint32_t n, columns;
	vedette_text table, heap, refs;
	int64_t log_time;
} vedette_rows;

enum { VEDETTE_REF = 32 }; /* bytes of a reference */

static inline bool vedette_decode_rows(vedette_text in, vedette_rows *r)
{
	if (in.n < 48 || vedette_load32(in.p) != 0x31504556 /* "VEP1" */)
		return false;
	r->n = vedette_load32(in.p + 8);
	r->columns = vedette_load32(in.p + 12);
	r->log_time = (int64_t)vedette_load64(in.p + 40);
	r->refs = VEDETTE_NOWHERE;
	if (r->n <= 1024 && vedette_load32(in.p + 28) && !vedette_table(in, vedette_load32(in.p + 28), (uint64_t)r->n * VEDETTE_REF, &r->refs))
		return false;
	return r->n <= 1024 && r->columns <= 64 && vedette_table(in, vedette_load32(in.p + 16), (uint64_t)r->n * (8 + r->columns * 8), &r->table) &&
	       vedette_range(in, in.p + 20, &r->heap);
}

/* --- OUT --------------------------------------------------------------------------------------------------------- */

/* Tables grow from OUT's beginning, texts in the arena behind `split`; at the end the arena moves down to where the tables
 * end. What does not fit sets `full`, and the host tries again with a larger OUT or fewer records. */
typedef struct {
	uint8_t *p;
	uint32_t cap, split, pos, heap;
	bool full;
} vedette_out;

static inline void vedette_zero(uint8_t *p, uint32_t n) { __builtin_memset(p, 0, n); }

static inline void vedette_out_begin(vedette_out *o, uint8_t *p, uint32_t cap, uint32_t eighths, uint32_t header)
{
	*o = (vedette_out){p, cap, cap / 8 * eighths & ~7u, header, 0, false};
	o->full = header > o->split;
	if (!o->full)
		vedette_zero(p, header);
}

/* Takes n bytes of the arena, NULL when it is full; *off is where they begin in it. */
static inline uint8_t *vedette_reserve(vedette_out *o, uint32_t n, uint32_t *off)
{
	uint32_t start = o->split + o->heap;
	if (o->full || o->cap - start < n) {
		o->full = true;
		return NULL;
	}
	*off = o->heap;
	o->heap += n;
	return o->p + start;
}

/* Appends a zeroed entry to the tables, NULL when they are full. */
static inline uint8_t *vedette_entry(vedette_out *o, uint32_t size)
{
	uint8_t *at = o->p + o->pos;
	if (o->full || o->split - o->pos < size) {
		o->full = true;
		return NULL;
	}
	vedette_zero(at, size);
	o->pos += size;
	return at;
}

/* Moves the arena behind the tables. */
static inline bool vedette_join(vedette_out *o)
{
	if (!o->full)
		__builtin_memmove(o->p + o->pos, o->p + o->split, o->heap);
	return !o->full;
}

/* --- parsers: events (ABI 5) ------------------------------------------------------------------------------------- */

/* What became of a record. One that is recognised but broken is answered with vedette_fail. */
typedef enum {
	VEDETTE_OK = 0,       /* it has the events that were emitted */
	VEDETTE_NOT_MINE = 1, /* another parser should be asked */
	VEDETTE_DROP = 2,     /* recognised, and known to be of no value */
	VEDETTE_FAILED = 3,
} vedette_outcome;

/* The number of the manifest's own name `index`, in the order of its `names`. */
#define VEDETTE_LOCAL(index) (0x8000u + (index))

enum { VEDETTE_NAME_IN_ARENA = 0xFFFF };

enum {
	VEDETTE_MAX_EVENTS = 256, /* of one record */
	VEDETTE_MAX_FIELDS = 500, /* of one event */
	VEDETTE_MAX_NAME = 128,
	VEDETTE_MAX_VALUE = 128 << 10,
	VEDETTE_MAX_EVENT_BYTES = 1 << 20,
	VEDETTE_MAX_MESSAGE = 1024,
	VEDETTE_MAX_FINDINGS = 4096,
	VEDETTE_MAX_TEXT = 512, /* of a finding, and of its evidence: 16 references */
	VEDETTE_MAX_POLLED = 1024,
	VEDETTE_MAX_RECORD = 1 << 20,
};

/* The emitter: what a parser calls for each field. */
typedef struct {
	vedette_out out;
	vedette_text raw; /* of the record */
	vedette_text why; /* it failed */
	uint32_t records, record, events;
	uint32_t event; /* where the current event begins, 0 for none */
	uint32_t limit; /* the next field must begin before this; 0 without an event */
	uint64_t bytes; /* names and values of the current event */
	bool open;      /* fields go to the current event rather than a new one */
	uint32_t mark_pos, mark_heap, mark_events; /* before the current record, to take it back */
} vedette_event;

enum vedette_type { VEDETTE_IN_RECORD = 1, VEDETTE_IN_ARENA, VEDETTE_TYPE_INT, VEDETTE_TYPE_UINT, VEDETTE_TYPE_FLOAT, VEDETTE_TYPE_BOOL, VEDETTE_TYPE_TIME, VEDETTE_TYPE_IPV4 };

static inline void vedette_close_event(vedette_event *e)
{
	if (e->event)
		vedette_store32(e->out.p + e->event + 4, (e->out.pos - e->event - 32) / 24);
}

__attribute__((noinline)) static void vedette_begin_event(vedette_event *e)
{
	vedette_close_event(e);
	e->open = true;
	e->limit = 0;
	uint8_t *head = vedette_entry(&e->out, 32);
	if (!head)
		return;
	vedette_store32(head, e->record);
	vedette_store64(head + 16, (uint64_t)INT64_MIN); /* no time of its own */
	e->event = (uint32_t)(head - e->out.p);
	e->bytes = 0;
	e->events++;
	uint32_t most = e->out.pos + (VEDETTE_MAX_FIELDS - 1) * 24, last = e->out.split - 24;
	e->limit = (most < last ? most : last) + 1;
}

/* Marks the current event as incomplete. */
__attribute__((noinline, cold)) static void vedette_cut(vedette_event *e) { e->out.p[e->event + 8] |= 1; }

/* Leaves a field out: the event has as many as it may have, or the batch does not fit. */
__attribute__((noinline, cold)) static void vedette_no_room(vedette_event *e)
{
	if (e->out.full || !e->event)
		return;
	if ((e->out.pos - e->event - 32) / 24 == VEDETTE_MAX_FIELDS) {
		vedette_cut(e);
	} else {
		e->out.full = true;
		e->limit = 0;
	}
}

/* The place of v in the record as offset and length << 32, or no place. */
static inline uint64_t vedette_span(const vedette_event *e, vedette_text v)
{
	uintptr_t off = (uintptr_t)v.p - (uintptr_t)e->raw.p; /* what lies before the record wraps around */
	if (v.n == 0 || off >= e->raw.n || v.n > e->raw.n - off)
		return UINT32_MAX;
	return off | (uint64_t)v.n << 32;
}

static inline void vedette_write_field(vedette_event *e, uint64_t head, uint64_t value, uint64_t span)
{
	uint8_t *field = e->out.p + e->out.pos;
	vedette_store64(field + 16, span);
	vedette_store64(field + 8, value);
	vedette_store64(field, head);
	e->out.pos += 24;
}

/* A name that is made of a prefix and a key stands in the arena behind its length; 0 when there is no room. */
static inline bool vedette_name(vedette_event *e, vedette_text prefix, vedette_text key, uint32_t *off)
{
	uint32_t n = prefix.n + key.n < VEDETTE_MAX_NAME ? prefix.n + key.n : VEDETTE_MAX_NAME;
	uint8_t *p = n ? vedette_reserve(&e->out, n + 1, off) : NULL;
	if (!p) {
		e->limit = e->out.full ? 0 : e->limit;
		return false;
	}
	vedette_buffer b = {p + 1, 0, n};
	p[0] = (uint8_t)n;
	vedette_append(&b, prefix);
	vedette_append(&b, key);
	return true;
}

static inline void vedette_put_text(vedette_event *e, uint32_t name, uint32_t aux, uint8_t flags, vedette_text v, uint64_t span, uint64_t range)
{
	if (!e->open)
		vedette_begin_event(e);
	enum vedette_type type = VEDETTE_IN_RECORD;
	if ((uint32_t)range == UINT32_MAX) {
		uint32_t off;
		uint8_t *p = vedette_reserve(&e->out, v.n, &off);
		if (!p) {
			e->limit = 0;
			return;
		}
		vedette_copy(p, v.p, v.n);
		type = VEDETTE_IN_ARENA;
		range = off | (uint64_t)v.n << 32;
	}
	if (e->out.pos >= e->limit) {
		vedette_no_room(e);
		return;
	}
	if (range >> 32 > VEDETTE_MAX_VALUE) {
		range = (uint32_t)range | (uint64_t)VEDETTE_MAX_VALUE << 32;
		vedette_cut(e);
	}
	e->bytes += range >> 32;
	if (name == VEDETTE_NAME_IN_ARENA)
		e->bytes += e->out.p[e->out.split + aux];
	if (e->bytes > VEDETTE_MAX_EVENT_BYTES) {
		vedette_cut(e);
		return;
	}
	vedette_write_field(e, name | (uint64_t)type << 16 | (uint64_t)flags << 24 | (uint64_t)aux << 32, range, span);
}

/* Emits bytes, which the host makes valid UTF-8; nothing when there are none. */
static inline void vedette_put(vedette_event *e, uint32_t name, vedette_text v)
{
	uint64_t range = vedette_span(e, v);
	if (v.n)
		vedette_put_text(e, name, 0, 0, v, range, range);
}

/* Emits bytes that were made from the bytes `from` of the record. */
static inline void vedette_put_from(vedette_event *e, uint32_t name, vedette_text v, vedette_text from)
{
	if (v.n)
		vedette_put_text(e, name, 0, 0, v, vedette_span(e, from), vedette_span(e, v));
}

/* Appends an element to a list-valued field. */
static inline void vedette_element_from(vedette_event *e, uint32_t name, vedette_text v, vedette_text from)
{
	if (v.n)
		vedette_put_text(e, name, 0, 1, v, vedette_span(e, from), vedette_span(e, v));
}

/* Emits a field whose name is prefix and key together, both in lower-case dotted form; names over 128 bytes are cut. */
static inline void vedette_key_from(vedette_event *e, vedette_text prefix, vedette_text key, vedette_text v, vedette_text from)
{
	uint32_t aux;
	if (v.n && vedette_name(e, prefix, key, &aux))
		vedette_put_text(e, VEDETTE_NAME_IN_ARENA, aux, 0, v, vedette_span(e, from), vedette_span(e, v));
}

static inline void vedette_put_number(vedette_event *e, uint32_t name, enum vedette_type type, uint64_t v, vedette_text from)
{
	if (!e->open)
		vedette_begin_event(e);
	if (e->out.pos >= e->limit)
		vedette_no_room(e);
	else
		vedette_write_field(e, name | (uint64_t)type << 16, v, vedette_span(e, from));
}

/* Emits a signed number. */
static inline void vedette_put_int(vedette_event *e, uint32_t name, int64_t v, vedette_text from) { vedette_put_number(e, name, VEDETTE_TYPE_INT, (uint64_t)v, from); }

/* Emits an unsigned number. */
static inline void vedette_put_uint(vedette_event *e, uint32_t name, uint64_t v, vedette_text from) { vedette_put_number(e, name, VEDETTE_TYPE_UINT, v, from); }

/* Emits true or false. */
static inline void vedette_put_bool(vedette_event *e, uint32_t name, bool v, vedette_text from) { vedette_put_number(e, name, VEDETTE_TYPE_BOOL, v, from); }

/* Emits a point in time, ns since the Unix epoch. */
static inline void vedette_put_time(vedette_event *e, uint32_t name, int64_t ns, vedette_text from) { vedette_put_number(e, name, VEDETTE_TYPE_TIME, (uint64_t)ns, from); }

/* Emits an IPv4 address that is there as a number: 192.0.2.1 = 0xC0000201. */
static inline void vedette_put_ipv4(vedette_event *e, uint32_t name, uint32_t address, vedette_text from) { vedette_put_number(e, name, VEDETTE_TYPE_IPV4, address, from); }

/* Emits a number with a fraction. Infinities and NaN are left out: the host refuses them. */
static inline void vedette_put_float(vedette_event *e, uint32_t name, double v, vedette_text from)
{
	uint64_t bits;
	__builtin_memcpy(&bits, &v, sizeof bits);
	if ((bits >> 52 & 0x7FF) != 0x7FF)
		vedette_put_number(e, name, VEDETTE_TYPE_FLOAT, bits, from);
}

/* Says when the event happened, ns since the Unix epoch. Without it the host uses the receive time. */
static inline void vedette_set_time(vedette_event *e, int64_t ns)
{
	if (!e->open)
		vedette_begin_event(e);
	if (e->event)
		vedette_store64(e->out.p + e->event + 16, (uint64_t)ns);
}

/* Ends this event; what is emitted next belongs to another one of the same record. */
static inline void vedette_next(vedette_event *e) { e->open = false; }

static inline vedette_outcome vedette_fail_text(vedette_event *e, vedette_text why)
{
	e->why = why;
	return VEDETTE_FAILED;
}

/* Keeps the record as unparsed, with a reason of at most 1,024 bytes. */
#define vedette_fail(e, literal) vedette_fail_text(e, VEDETTE_TEXT(literal))

static inline void vedette_events_begin(vedette_event *e, uint32_t records, uint8_t *out, uint32_t cap)
{
	*e = (vedette_event){.records = records};
	vedette_out_begin(&e->out, out, cap, 6, 48 + records * 16);
}

static inline void vedette_record_begin(vedette_event *e, uint32_t i, vedette_text raw)
{
	e->raw = raw;
	e->record = i;
	e->why = VEDETTE_NOWHERE;
	e->open = false;
	e->event = e->limit = 0;
	e->mark_pos = e->out.pos;
	e->mark_heap = e->out.heap;
	e->mark_events = e->events;
}

/* Closes the current record. Any outcome but VEDETTE_OK takes back what was emitted. */
static inline void vedette_record_end(vedette_event *e, vedette_outcome o)
{
	if (e->out.full)
		return;
	vedette_close_event(e);
	e->event = e->limit = 0;
	if (o == VEDETTE_OK && e->events - e->mark_events > VEDETTE_MAX_EVENTS)
		o = vedette_fail(e, "the record holds more events than a parser may emit");
	else if (o == VEDETTE_OK && e->events == e->mark_events)
		o = VEDETTE_NOT_MINE;
	if (o == VEDETTE_OK)
		return;
	e->out.pos = e->mark_pos;
	e->out.heap = e->mark_heap;
	e->events = e->mark_events;
	uint8_t *outcome = e->out.p + 48 + e->record * 16;
	outcome[0] = (uint8_t)o;
	if (o == VEDETTE_FAILED && e->why.n) {
		uint32_t off, n = e->why.n < VEDETTE_MAX_MESSAGE ? e->why.n : VEDETTE_MAX_MESSAGE;
		uint8_t *p = vedette_reserve(&e->out, n, &off);
		if (!p)
			return;
		vedette_copy(p, e->why.p, n);
		vedette_store32(outcome + 4, off);
		vedette_store32(outcome + 8, n);
	}
}

static inline uint64_t vedette_events_finish(vedette_event *e)
{
	vedette_out *o = &e->out;
	if (!vedette_join(o))
		return vedette_pack(VEDETTE_OUT_TOO_SHORT, 0);
	uint32_t body = 48 + e->records * 16;
	const uint32_t head[] = {0x31424556 /* "VEB1" */, 0, e->records, e->events, 48, body, o->pos - body, o->pos, o->heap};
	__builtin_memcpy(o->p, head, sizeof head);
	return vedette_pack(VEDETTE_DONE, o->pos + o->heap);
}

typedef vedette_outcome vedette_parse_fn(const vedette_record *, vedette_event *);

/* Answers a record batch, as vedette_parse of a module does. */
static inline uint64_t vedette_run_parser(vedette_parse_fn *parse, vedette_text in, uint8_t *out, uint32_t cap)
{
	vedette_records records;
	vedette_record record;
	vedette_event e;
	if (!vedette_decode_records(in, &records))
		return vedette_pack(VEDETTE_BAD_INPUT, 0);
	vedette_events_begin(&e, records.n, out, cap);
	for (uint32_t i = 0; i < records.n; i++) {
		if (!vedette_get_record(&records, i, &record))
			return vedette_pack(VEDETTE_BAD_INPUT, 0);
		vedette_record_begin(&e, i, record.raw);
		vedette_record_end(&e, parse(&record, &e));
		if (e.out.full)
			return vedette_pack(VEDETTE_OUT_TOO_SHORT, 0);
	}
	return vedette_events_finish(&e);
}

/* --- rules: findings (ABI 6.3) ----------------------------------------------------------------------------------- */

typedef enum { VEDETTE_KEEP, VEDETTE_INFORMATIONAL, VEDETTE_LOW, VEDETTE_MEDIUM, VEDETTE_HIGH, VEDETTE_CRITICAL } vedette_severity;

/* Takes what a rule has found in a row. */
typedef struct {
	vedette_out out;
	uint32_t row;
} vedette_findings;

/* Reports a finding. VEDETTE_KEEP and empty texts keep what the rule document says; texts are cut to 512 bytes. title is
 * what was found, reason why, and key is added to the incident's key to keep apart what the rule's key fields do not. evidence
 * is references of events that led to it, at most 16. A finding of a timer needs severity, title, evidence, and a key of lines
 * field=value: it stands for an event with these fields (ABI 20.6). */
static inline void vedette_report(vedette_findings *f, vedette_severity severity, vedette_text title, vedette_text reason, vedette_text key, vedette_text evidence)
{
	const vedette_text texts[] = {title, reason, key, {evidence.p, evidence.n / VEDETTE_REF * VEDETTE_REF}};
	if (f->out.pos >= 32 + VEDETTE_MAX_FINDINGS * 48)
		f->out.full = true;
	uint8_t *at = vedette_entry(&f->out, 48);
	if (!at)
		return;
	vedette_store32(at, f->row);
	at[4] = (uint8_t)severity;
	for (uint32_t i = 0; i < 3 + (texts[3].n > 0); i++) {
		uint32_t off, n = texts[i].n < VEDETTE_MAX_TEXT ? texts[i].n : VEDETTE_MAX_TEXT;
		uint8_t *p = vedette_reserve(&f->out, n, &off);
		if (!p)
			return;
		vedette_copy(p, texts[i].p, n);
		vedette_store32(at + 8 + 8 * i, off);
		vedette_store32(at + 12 + 8 * i, n);
	}
}

/* vedette_report with the row alone as evidence. */
static inline void vedette_add(vedette_findings *f, vedette_severity severity, vedette_text title, vedette_text reason, vedette_text key)
{
	vedette_report(f, severity, title, reason, key, VEDETTE_NOWHERE);
}

static inline uint64_t vedette_findings_finish(vedette_findings *f)
{
	vedette_out *o = &f->out;
	if (!vedette_join(o))
		return vedette_pack(VEDETTE_OUT_TOO_SHORT, 0);
	const uint32_t head[] = {0x31424656 /* "VFB1" */, 0, (o->pos - 32) / 48, 32, o->pos, o->heap};
	__builtin_memcpy(o->p, head, sizeof head);
	return vedette_pack(VEDETTE_DONE, o->pos + o->heap);
}

typedef void vedette_eval_fn(const vedette_row *, vedette_findings *);

/* Answers a batch of rows, as vedette_eval of a module does. */
static inline uint64_t vedette_run_rule(vedette_eval_fn *eval, vedette_text in, uint8_t *out, uint32_t cap)
{
	vedette_rows rows;
	vedette_findings f;
	if (!vedette_decode_rows(in, &rows))
		return vedette_pack(VEDETTE_BAD_INPUT, 0);
	vedette_out_begin(&f.out, out, cap, 4, 32);
	for (f.row = 0; f.row < rows.n; f.row++)
		eval(&(vedette_row){
			     rows.table.p + f.row * (8 + rows.columns * 8), rows.columns, rows.heap, rows.log_time,
			     rows.refs.p ? vedette_slice(rows.refs, f.row * VEDETTE_REF, VEDETTE_REF) : VEDETTE_NOWHERE,
		     },
		     &f);
	return vedette_findings_finish(&f);
}

/* --- rules: timers (ABI 20) -------------------------------------------------------------------------------------- */

/* A timer whose time has come. */
typedef struct {
	vedette_text key;
	int64_t at;  /* when it was due, ns since the Unix epoch */
	int64_t now; /* log time */
} vedette_timer;

typedef struct {
	uint32_t n;
	vedette_text table, arena;
	int64_t now;
} vedette_timers;

static inline bool vedette_get_timer(const vedette_timers *d, uint32_t i, vedette_timer *t)
{
	const uint8_t *row = d->table.p + i * 16;
	t->at = (int64_t)vedette_load64(row);
	t->now = d->now;
	return vedette_range(d->arena, row + 8, &t->key) && t->key.n > 0 && t->key.n <= 512;
}

static inline bool vedette_decode_due(vedette_text in, vedette_timers *d)
{
	vedette_timer t;
	if (in.n < 40 || vedette_load32(in.p) != 0x31424456 /* "VDB1" */)
		return false;
	d->n = vedette_load32(in.p + 8);
	d->now = (int64_t)vedette_load64(in.p + 32);
	bool ok = d->n <= 1024 && vedette_table(in, vedette_load32(in.p + 12), (uint64_t)d->n * 16, &d->table) && vedette_range(in, in.p + 16, &d->arena);
	for (uint32_t i = 0; ok && i < d->n; i++)
		ok = vedette_get_timer(d, i, &t);
	return ok;
}

typedef void vedette_due_fn(const vedette_timer *, vedette_findings *);

/* Answers a batch of timers, as vedette_due of a module does. */
static inline uint64_t vedette_run_due(vedette_due_fn *due, vedette_text in, uint8_t *out, uint32_t cap)
{
	vedette_timers timers;
	vedette_timer t;
	vedette_findings f;
	if (!vedette_decode_due(in, &timers))
		return vedette_pack(VEDETTE_BAD_INPUT, 0);
	vedette_out_begin(&f.out, out, cap, 4, 32);
	for (f.row = 0; f.row < timers.n && vedette_get_timer(&timers, f.row, &t); f.row++)
		due(&t, &f);
	return vedette_findings_finish(&f);
}

/* --- monitors: polls (ABI 7) and HTTP (ABI 8) -------------------------------------------------------------------- */

/* One poll of a monitor. */
typedef struct {
	int64_t at;          /* log time, ns since the Unix epoch */
	vedette_text cursor; /* what the last successful poll left; empty before the first */
	vedette_text name;   /* of what is polled, as people know it; empty when it has none */
	vedette_text next;   /* the cursor for the next poll, which must last until the poll returns */
	vedette_text why;    /* it failed */
	vedette_out out;
} vedette_poll;

/* Hands a record to the host; it enters by the queue like any sender's. At most 1 MiB. */
static inline void vedette_put_record(vedette_poll *p, vedette_text raw)
{
	uint32_t off;
	if (raw.n > VEDETTE_MAX_RECORD || p->out.pos >= 32 + VEDETTE_MAX_POLLED * 8)
		p->out.full = true;
	uint8_t *b = vedette_reserve(&p->out, raw.n, &off);
	uint8_t *at = vedette_entry(&p->out, 8);
	if (!b || !at)
		return;
	vedette_copy(b, raw.p, raw.n);
	vedette_store32(at, off);
	vedette_store32(at + 4, raw.n);
}

static inline bool vedette_poll_fail_text(vedette_poll *p, vedette_text why)
{
	p->why = why;
	return false;
}

/* Fails the poll with a reason: nothing of it counts, and the cursor stays what it was. */
#define vedette_poll_fail(p, literal) vedette_poll_fail_text(p, VEDETTE_TEXT(literal))

/* Writes a reason to the beginning of OUT. */
static inline uint64_t vedette_refuse(enum vedette_status status, vedette_text why, uint8_t *out, uint32_t cap)
{
	uint32_t n = why.n < VEDETTE_MAX_MESSAGE ? why.n : VEDETTE_MAX_MESSAGE;
	vedette_buffer b = {out, 0, n < cap ? n : cap};
	vedette_append(&b, why);
	return vedette_pack(status, b.n);
}

typedef bool vedette_poll_fn(vedette_poll *);

/* Answers a poll, as vedette_poll of a module does. */
static inline uint64_t vedette_run_monitor(vedette_poll_fn *poll, vedette_text in, uint8_t *out, uint32_t cap)
{
	vedette_poll p = {0};
	uint32_t cursor;
	if (in.n < 40 || vedette_load32(in.p) != 0x31495056 /* "VPI1" */ || !vedette_range(in, in.p + 24, &p.cursor) || !vedette_range(in, in.p + 32, &p.name))
		return vedette_pack(VEDETTE_BAD_INPUT, 0);
	p.at = (int64_t)vedette_load64(in.p + 16);
	vedette_out_begin(&p.out, out, cap, 1, 32);
	if (!poll(&p))
		return vedette_refuse(VEDETTE_BROKEN, p.why, out, cap);
	vedette_out *o = &p.out;
	uint32_t arena = o->heap;
	uint8_t *b = vedette_reserve(o, p.next.n, &cursor);
	if (b)
		vedette_copy(b, p.next.p, p.next.n);
	if (!vedette_join(o))
		return vedette_pack(VEDETTE_OUT_TOO_SHORT, 0);
	const uint32_t head[] = {0x314F5056 /* "VPO1" */, 0, (o->pos - 32) / 8, o->pos, arena, o->pos + arena, p.next.n, 0};
	__builtin_memcpy(o->p, head, sizeof head);
	return vedette_pack(VEDETTE_DONE, o->pos + o->heap);
}

/* What a target answered. */
typedef struct {
	uint32_t status;       /* HTTP status code */
	int64_t elapsed_ns;    /* from the request to the last byte */
	int64_t tls_not_after; /* expiry of the server's certificate, ns since the Unix epoch; 0 without TLS */
	vedette_text body;     /* at most 64 KiB, valid until the next request */
	vedette_text why;      /* nothing was answered: begins with "E_DENIED: " or "E_HOST_IO: " */
} vedette_response;

#ifdef __wasm__
__attribute__((import_module("vedette_http_v1"), import_name("fetch")))
#endif
uint64_t vedette_http_fetch(const uint8_t *target, uint32_t target_n, const uint8_t *path, uint32_t path_n, uint8_t *out, uint32_t cap);

/* Fetches path, which begins with one slash, from a target that the manifest names and the tenant has granted. The host
 * knows its address and credentials, the module never does. */
static inline bool vedette_get(vedette_text target, vedette_text path, vedette_response *r)
{
	static uint8_t answer[24 + (64 << 10)];
	uint64_t got = vedette_http_fetch(target.p, target.n, path.p, path.n, answer, sizeof answer);
	vedette_text all = {answer, (uint32_t)got};
	*r = (vedette_response){.why = all};
	if (got >> 32 == 0 && all.n < 24)
		r->why = VEDETTE_TEXT("the host's answer is too short");
	if (got >> 32 != 0 || all.n < 24)
		return false;
	*r = (vedette_response){vedette_load32(answer), (int64_t)vedette_load64(answer + 8), (int64_t)vedette_load64(answer + 16), vedette_skip(all, 24), VEDETTE_NOWHERE};
	return true;
}

/* --- monitors: SNMP, SSH, probes, texts of devices (ABI 15 to 18) ------------------------------------------------- */

#ifdef __wasm__
#define VEDETTE_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#else
#define VEDETTE_IMPORT(module, name) /* a native test brings its own */
#endif

/* The most that an answer of a device may have; a module that expects more defines it before this file. */
#ifndef VEDETTE_ANSWER_BYTES
#define VEDETTE_ANSWER_BYTES (64 << 10)
#endif

typedef uint64_t vedette_reach_fn(const uint8_t *target, uint32_t target_n, const uint8_t *request, uint32_t request_n, uint8_t *out, uint32_t cap);

VEDETTE_IMPORT("vedette_snmp_v1", "get") vedette_reach_fn vedette_import_snmp_get;
VEDETTE_IMPORT("vedette_snmp_v1", "walk") vedette_reach_fn vedette_import_snmp_walk;
VEDETTE_IMPORT("vedette_ssh_v1", "run") vedette_reach_fn vedette_import_ssh_run;
VEDETTE_IMPORT("vedette_probe_v1", "tcp") vedette_reach_fn vedette_import_probe_tcp;
VEDETTE_IMPORT("vedette_probe_v1", "tls") vedette_reach_fn vedette_import_probe_tls;
VEDETTE_IMPORT("vedette_probe_v1", "dns") vedette_reach_fn vedette_import_probe_dns;
VEDETTE_IMPORT("vedette_probe_v1", "ping") vedette_reach_fn vedette_import_probe_ping;
VEDETTE_IMPORT("vedette_config_v1", "compare") vedette_reach_fn vedette_import_config_compare;

/* Asks a target of the grant. *answer is what it says, or why it says nothing, which begins with "E_DENIED: " or
 * "E_HOST_IO: "; it lasts until the next request. */
static inline bool vedette_ask(vedette_reach_fn *host, vedette_text target, vedette_text request, vedette_text *answer)
{
	static uint8_t bytes[VEDETTE_ANSWER_BYTES];
	uint64_t got = host(target.p, target.n, request.p, request.n, bytes, sizeof bytes);
	*answer = (vedette_text){bytes, (uint32_t)got};
	return got >> 32 == 0;
}

enum vedette_variable_type { VEDETTE_SNMP_TEXT = 1, VEDETTE_SNMP_INT, VEDETTE_SNMP_UINT, VEDETTE_SNMP_TICKS, VEDETTE_SNMP_OID, VEDETTE_SNMP_ADDRESS, VEDETTE_SNMP_ABSENT };

/* One variable of a device. */
typedef struct {
	vedette_text oid; /* without a dot in front */
	enum vedette_variable_type type;
	vedette_text text; /* of texts, OIDs and addresses */
	uint64_t number;   /* of the others; of a signed one as two's complement */
} vedette_variable;

/* What a device answered over SNMP. */
typedef struct {
	vedette_text answer; /* or why there is none */
	uint32_t n;          /* variables */
	bool more;           /* there are more */
} vedette_variables;

static inline bool vedette_read_variables(bool asked, vedette_variables *v)
{
	v->n = 0;
	if (!asked)
		return false;
	if (v->answer.n < 16 || vedette_load32(v->answer.p) != 0x314E5356 /* "VSN1" */) {
		v->answer = VEDETTE_TEXT("the host's answer is broken");
		return false;
	}
	v->n = vedette_load32(v->answer.p + 4);
	v->more = vedette_load32(v->answer.p + 8) & 1;
	return true;
}

/* Reads variables by their OIDs, 1 to 64 with a space between them. The answer has one for each, in that order. */
static inline bool vedette_snmp_get(vedette_text target, vedette_text oids, vedette_variables *v)
{
	return vedette_read_variables(vedette_ask(vedette_import_snmp_get, target, oids, &v->answer), v);
}

/* Reads all variables below an OID. */
static inline bool vedette_snmp_walk(vedette_text target, vedette_text oid, vedette_variables *v)
{
	return vedette_read_variables(vedette_ask(vedette_import_snmp_walk, target, oid, &v->answer), v);
}

/* Variable i of an answer; false when there is none. */
static inline bool vedette_variable_at(const vedette_variables *list, uint32_t i, vedette_variable *v)
{
	const uint8_t *row = list->answer.p + 16 + (uint64_t)i * 24;
	if (i >= list->n || 16 + ((uint64_t)i + 1) * 24 > list->answer.n || !vedette_range(list->answer, row, &v->oid))
		return false;
	v->type = (enum vedette_variable_type)vedette_load32(row + 8);
	v->text = VEDETTE_NOWHERE;
	v->number = 0;
	if (v->type == VEDETTE_SNMP_TEXT || v->type == VEDETTE_SNMP_OID || v->type == VEDETTE_SNMP_ADDRESS)
		return vedette_range(list->answer, row + 16, &v->text);
	v->number = vedette_load64(row + 16);
	return true;
}

/* What a command left. */
typedef struct {
	int32_t exit;       /* status; -1 when the device told none */
	bool cut;           /* there was more output */
	int64_t elapsed_ns; /* from dialling to the end */
	vedette_text out, err;
	vedette_text why; /* it was not run */
} vedette_output;

/* Runs a granted command: words are its name and its arguments, each ended by a zero byte. */
static inline bool vedette_ssh_run(vedette_text target, vedette_text words, vedette_output *o)
{
	vedette_text all;
	bool asked = vedette_ask(vedette_import_ssh_run, target, words, &all);
	*o = (vedette_output){.why = all};
	if (!asked)
		return false;
	uint64_t n = all.n < 24 ? 0 : vedette_load32(all.p + 16), m = all.n < 24 ? 0 : vedette_load32(all.p + 20);
	o->why = VEDETTE_TEXT("the host's answer is broken");
	if (all.n < 24 || 24 + n + m > all.n)
		return false;
	*o = (vedette_output){
		(int32_t)vedette_load32(all.p), vedette_load32(all.p + 4) & 1, (int64_t)vedette_load64(all.p + 8), vedette_slice(all, 24, (uint32_t)n), vedette_slice(all, 24 + (uint32_t)n, (uint32_t)m), VEDETTE_NOWHERE,
	};
	return true;
}

/* Tries a connection to a granted port, given in decimal. The facts of all probes are read with vedette_fact. */
static inline bool vedette_probe_tcp(vedette_text target, vedette_text port, vedette_text *facts) { return vedette_ask(vedette_import_probe_tcp, target, port, facts); }

/* Shakes hands with a granted port, whatever the certificate is worth. */
static inline bool vedette_probe_tls(vedette_text target, vedette_text port, vedette_text *facts) { return vedette_ask(vedette_import_probe_tls, target, port, facts); }

/* Asks the target, a name server, for "NAME TYPE". */
static inline bool vedette_probe_dns(vedette_text target, vedette_text question, vedette_text *facts) { return vedette_ask(vedette_import_probe_dns, target, question, facts); }

/* Sends 1 to 10 echo requests, given in decimal. */
static inline bool vedette_probe_ping(vedette_text target, vedette_text count, vedette_text *facts) { return vedette_ask(vedette_import_probe_ping, target, count, facts); }

/* The value number i, from 0, of a name among the facts of a probe. */
static inline bool vedette_fact(vedette_text facts, vedette_text name, uint32_t i, vedette_text *value)
{
	while (facts.n) {
		uint32_t n = vedette_find(facts, 0);
		if (n == facts.n)
			return false;
		vedette_text key = vedette_slice(facts, 0, n);
		facts = vedette_skip(facts, n + 1);
		n = vedette_find(facts, 0);
		if (n == facts.n)
			return false;
		*value = vedette_slice(facts, 0, n);
		facts = vedette_skip(facts, n + 1);
		if (vedette_equal(key, name) && i-- == 0)
			return true;
	}
	return false;
}

enum vedette_text_state { VEDETTE_SAME, VEDETTE_CHANGED, VEDETTE_NONE_BEFORE };

/* How a text of a device differs from another one. */
typedef struct {
	enum vedette_text_state state;
	bool cut; /* diff is not all of it */
	uint32_t added, removed; /* lines */
	vedette_text version, base; /* digests of the text and of the other one */
	vedette_text diff; /* unified */
	vedette_text why; /* it was not compared */
} vedette_difference;

/* Hands a text over, to be kept as the newest of its name when the poll has succeeded. request is its name, what it is
 * compared with ("" for the version before, "blessed", or "@NAME"), and the text, the first two each ended by a zero byte. */
static inline bool vedette_config_compare(vedette_text target, vedette_text request, vedette_difference *d)
{
	vedette_text all;
	bool asked = vedette_ask(vedette_import_config_compare, target, request, &all);
	*d = (vedette_difference){.why = all};
	if (!asked)
		return false;
	d->why = VEDETTE_TEXT("the host's answer is broken");
	if (all.n < 32)
		return false;
	uint64_t v = vedette_load32(all.p + 16), b = vedette_load32(all.p + 20), n = vedette_load32(all.p + 24);
	if (32 + v + b + n > all.n)
		return false;
	*d = (vedette_difference){
		(enum vedette_text_state)vedette_load32(all.p), vedette_load32(all.p + 4) & 1, vedette_load32(all.p + 8), vedette_load32(all.p + 12),
		vedette_slice(all, 32, (uint32_t)v), vedette_slice(all, 32 + (uint32_t)v, (uint32_t)b), vedette_slice(all, 32 + (uint32_t)(v + b), (uint32_t)n), VEDETTE_NOWHERE,
	};
	return true;
}

/* --- rules that remember (ABI 12, 13, 20) ---------------------------------------------------------------------------- */

/* Negative results of what follows: a quota or a bound, no such key, too little room, no such table was granted. */
enum vedette_fault { VEDETTE_LIMIT = -1, VEDETTE_ABSENT = -2, VEDETTE_SHORT = -3, VEDETTE_DENIED = -4 };

VEDETTE_IMPORT("vedette_kv_v1", "get") int32_t vedette_import_kv_get(const uint8_t *key, uint32_t key_n, uint8_t *out, uint32_t cap);
VEDETTE_IMPORT("vedette_kv_v1", "put") int32_t vedette_import_kv_put(const uint8_t *key, uint32_t key_n, const uint8_t *value, uint32_t value_n, int64_t ttl);
VEDETTE_IMPORT("vedette_kv_v1", "del") int32_t vedette_import_kv_del(const uint8_t *key, uint32_t key_n);
VEDETTE_IMPORT("vedette_kv_v1", "incr") int32_t vedette_import_kv_incr(const uint8_t *key, uint32_t key_n, int64_t delta, int64_t ttl, int64_t *sum);
VEDETTE_IMPORT("vedette_kv_v1", "cas")
int32_t vedette_import_kv_cas(const uint8_t *key, uint32_t key_n, const uint8_t *old, uint32_t old_n, const uint8_t *value, uint32_t value_n, int64_t ttl);
VEDETTE_IMPORT("vedette_window_v1", "count") int64_t vedette_import_window_count(const uint8_t *key, uint32_t key_n, int64_t window, int64_t bucket, int64_t delta);
VEDETTE_IMPORT("vedette_window_v1", "distinct")
int64_t vedette_import_window_distinct(const uint8_t *key, uint32_t key_n, const uint8_t *value, uint32_t value_n, int64_t window);
VEDETTE_IMPORT("vedette_window_v1", "first_seen") int32_t vedette_import_window_first_seen(const uint8_t *key, uint32_t key_n, int64_t ttl);
VEDETTE_IMPORT("vedette_window_v1", "seq_step") int32_t vedette_import_window_seq_step(const uint8_t *key, uint32_t key_n, uint32_t state, int64_t ttl);

VEDETTE_IMPORT("vedette_timer_v1", "set") int32_t vedette_import_timer_set(const uint8_t *key, uint32_t key_n, int64_t at);
VEDETTE_IMPORT("vedette_timer_v1", "cancel") int32_t vedette_import_timer_cancel(const uint8_t *key, uint32_t key_n);

/* Times to live and windows are nanoseconds of log time. */
#define VEDETTE_SECOND INT64_C(1000000000)

/* Reads the value of a key to the end of b, and returns its length. */
static inline int32_t vedette_kv_get(vedette_text key, vedette_buffer *b)
{
	int32_t n = vedette_import_kv_get(key.p, key.n, b->p + b->n, b->cap - b->n);
	b->n += n > 0 ? (uint32_t)n : 0;
	return n;
}

/* Keeps a value for ttl, 0 for ever. */
static inline int32_t vedette_kv_put(vedette_text key, vedette_text value, int64_t ttl) { return vedette_import_kv_put(key.p, key.n, value.p, value.n, ttl); }

/* Removes a key. 1, or 0 when it was not there. */
static inline int32_t vedette_kv_del(vedette_text key) { return vedette_import_kv_del(key.p, key.n); }

/* Adds delta to the number under a key; *sum is then the sum. One that is not there begins at 0 and lives for ttl. */
static inline int32_t vedette_kv_add(vedette_text key, int64_t delta, int64_t ttl, int64_t *sum) { return vedette_import_kv_incr(key.p, key.n, delta, ttl, sum); }

/* Puts a value in the place of old. VEDETTE_NOWHERE stands for no value. 1, or 0 when the value is another. */
static inline int32_t vedette_kv_swap(vedette_text key, vedette_text old, vedette_text value, int64_t ttl)
{
	return vedette_import_kv_cas(key.p, key.n, old.p, old.p ? old.n : UINT32_MAX, value.p, value.p ? value.n : UINT32_MAX, ttl);
}

/* Adds delta to a key's count and returns what was added within the window until now, which is made of whole buckets, at
 * most 64. */
static inline int64_t vedette_window_count(vedette_text key, int64_t window, int64_t bucket, int64_t delta)
{
	return vedette_import_window_count(key.p, key.n, window, bucket, delta);
}

/* Notes a value under a key and returns how many different ones were within the window until now. */
static inline int64_t vedette_window_distinct(vedette_text key, vedette_text value, int64_t window)
{
	return vedette_import_window_distinct(key.p, key.n, value.p, value.n, window);
}

/* 1 when the key was not seen during ttl before now, else 0; notes that it is seen now. */
static inline int32_t vedette_window_first_seen(vedette_text key, int64_t ttl) { return vedette_import_window_first_seen(key.p, key.n, ttl); }

/* Moves a key of a sequence to a state, from this one or the one before, and returns the state in which it stood. State 0
 * ends the sequence. */
static inline int32_t vedette_window_step(vedette_text key, uint32_t state, int64_t ttl) { return vedette_import_window_seq_step(key.p, key.n, state, ttl); }

/* Sets the timer of a key to a log time, ns since the Unix epoch, in the place of the one that it has. The module answers it
 * with VEDETTE_DUE. */
static inline int32_t vedette_timer_set(vedette_text key, int64_t at) { return vedette_import_timer_set(key.p, key.n, at); }

/* Removes the timer of a key. 1, or 0 when there was none. */
static inline int32_t vedette_timer_cancel(vedette_text key) { return vedette_import_timer_cancel(key.p, key.n); }

/* --- parsers and rules: tables (ABI 14) -------------------------------------------------------------------------- */

VEDETTE_IMPORT("vedette_set_v1", "match") int32_t vedette_import_set_match(const uint8_t *table, uint32_t table_n, const vedette_text *keys, uint32_t n, uint8_t *out);
VEDETTE_IMPORT("vedette_lookup_v1", "get")
int32_t vedette_import_lookup_get(const uint8_t *table, uint32_t table_n, const uint8_t *key, uint32_t key_n, uint8_t *out, uint32_t cap);

/* Looks for n keys, at most 1,024; bit k % 8 of matched[k / 8] says whether key k is in the table. Returns how many are. */
static inline int32_t vedette_set_match(vedette_text table, const vedette_text *keys, uint32_t n, uint8_t *matched)
{
	return vedette_import_set_match(table.p, table.n, keys, n, matched);
}

/* 1 when a key is in a table, else 0. */
static inline int32_t vedette_set_has(vedette_text table, vedette_text key)
{
	uint8_t matched;
	return vedette_set_match(table, &key, 1, &matched);
}

/* Reads the row of a key into b, which it has for itself, and returns its length. */
static inline int32_t vedette_lookup(vedette_text table, vedette_text key, vedette_buffer *b)
{
	int32_t n = vedette_import_lookup_get(table.p, table.n, key.p, key.n, b->p, b->cap);
	b->n = n > 0 ? (uint32_t)n : 0;
	return n;
}

/* The value of a column of a row. */
static inline bool vedette_column(vedette_text row, vedette_text column, vedette_text *value)
{
	uint64_t n = row.n < 8 ? 0 : vedette_load32(row.p);
	vedette_text name;
	for (uint64_t i = 0; i < n && 8 + (i + 1) * 16 <= row.n; i++)
		if (vedette_range(row, row.p + 8 + i * 16, &name) && vedette_equal(name, column))
			return vedette_range(row, row.p + 16 + i * 16, value);
	return false;
}

/* --- settings (ABI 2.3) ------------------------------------------------------------------------------------------ */

static inline vedette_text vedette_trim(vedette_text t)
{
	while (t.n && (t.p[0] == ' ' || t.p[0] == '\t' || t.p[0] == '\n' || t.p[0] == '\r'))
		t = vedette_skip(t, 1);
	return t;
}

/* The length of the JSON value that t begins with, 0 when it is none. */
static inline uint32_t vedette_json_length(vedette_text t)
{
	uint32_t depth = 0;
	for (uint32_t i = 0; i < t.n; i++) {
		switch (t.p[i]) {
		case '"':
			for (i++; i < t.n && t.p[i] != '"'; i++)
				i += t.p[i] == '\\';
			if (i >= t.n)
				return 0;
			if (depth == 0)
				return i + 1;
			break;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (depth <= 1)
				return depth ? i + 1 : i;
			depth--;
			break;
		case ',':
		case ':':
		case ' ':
		case '\t':
		case '\n':
		case '\r':
			if (depth == 0)
				return i;
		}
	}
	return 0;
}

/* The JSON of a member of the settings, which are a JSON object or nothing. Names of members are compared as they are
 * written, so they must not be escaped. */
static inline bool vedette_setting(vedette_text settings, vedette_text member, vedette_text *json)
{
	vedette_text t = vedette_trim(settings);
	if (!vedette_prefix(t, "{", &t))
		return false;
	for (;;) {
		t = vedette_trim(t);
		vedette_prefix(t, ",", &t);
		t = vedette_trim(t);
		uint32_t n = vedette_json_length(t);
		if (n < 2)
			return false;
		bool found = vedette_equal(vedette_slice(t, 1, n - 2), member);
		t = vedette_trim(vedette_skip(t, n));
		if (!vedette_prefix(t, ":", &t))
			return false;
		t = vedette_trim(t);
		n = vedette_json_length(t);
		if (n == 0)
			return false;
		if (found) {
			*json = vedette_slice(t, 0, n);
			return true;
		}
		t = vedette_skip(t, n);
	}
}

static inline bool vedette_hex(vedette_text t, uint32_t *v)
{
	*v = 0;
	for (uint32_t i = 0; i < 4; i++) {
		uint8_t c = i < t.n ? t.p[i] : 0, digit = (uint8_t)(c - '0');
		if (digit > 9)
			digit = (uint8_t)((c | 0x20) - 'a') < 6 ? (uint8_t)((c | 0x20) - 'a' + 10) : 0xFF;
		if (digit == 0xFF)
			return false;
		*v = *v << 4 | digit;
	}
	return true;
}

static inline void vedette_append_rune(vedette_buffer *b, uint32_t c)
{
	if (c < 0x80) {
		vedette_append_byte(b, (uint8_t)c);
		return;
	}
	uint32_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	vedette_append_byte(b, (uint8_t)((0xFF00u >> (more + 1) & 0xFF) | c >> 6 * more));
	while (more--)
		vedette_append_byte(b, (uint8_t)(0x80 | (c >> 6 * more & 0x3F)));
}

/* Appends the text of a member that is a string. */
static inline bool vedette_setting_string(vedette_text settings, vedette_text member, vedette_buffer *b)
{
	vedette_text t;
	uint32_t unit, high = 0;
	if (!vedette_setting(settings, member, &t) || !vedette_prefix(t, "\"", &t))
		return false;
	for (t.n--; t.n; t = vedette_skip(t, 1)) {
		if (t.p[0] != '\\' || t.n == 1) {
			vedette_append_byte(b, t.p[0]);
			continue;
		}
		t = vedette_skip(t, 1);
		switch (t.p[0]) {
		case 'n': vedette_append_byte(b, '\n'); break;
		case 't': vedette_append_byte(b, '\t'); break;
		case 'r': vedette_append_byte(b, '\r'); break;
		case 'b': vedette_append_byte(b, '\b'); break;
		case 'f': vedette_append_byte(b, '\f'); break;
		case 'u':
			if (!vedette_hex(vedette_skip(t, 1), &unit))
				return false;
			t = vedette_skip(t, 4);
			if (unit >> 10 == 0xD800 >> 10)
				high = unit;
			else if (unit >> 10 == 0xDC00 >> 10)
				vedette_append_rune(b, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
			else
				vedette_append_rune(b, unit);
			break;
		default: vedette_append_byte(b, t.p[0]);
		}
	}
	return true;
}

/* --- exports ----------------------------------------------------------------------------------------------------- */

/* Takes the settings, once; the reason why they are refused, or VEDETTE_NOWHERE. NULL instead of it: there are none. */
typedef vedette_text vedette_init_fn(vedette_text settings);

static inline uint64_t vedette_run_init(vedette_init_fn *init, vedette_text settings, uint8_t *out, uint32_t cap)
{
	vedette_text why = init ? init(settings) : VEDETTE_NOWHERE;
	return why.p ? vedette_refuse(VEDETTE_SETTINGS, why, out, cap) : vedette_pack(VEDETTE_DONE, 0);
}

#ifdef __wasm__
#define VEDETTE_EXPORT(name) __attribute__((export_name(#name))) uint64_t name

/* The two blocks of memory that the module works in; they belong to the host once it has them (ABI 2.2). */
static struct {
	uint8_t *in, *out;
	uint32_t cap;
} vedette_memory;

static inline uint64_t vedette_provide(uint32_t in, uint32_t out)
{
	uint32_t first = (in + 7) & ~7u, pages = (uint32_t)(((uint64_t)first + out + 0xFFFF) >> 16);
	size_t page = __builtin_wasm_memory_grow(0, pages);
	if (page == SIZE_MAX)
		__builtin_trap();
	vedette_memory.in = (uint8_t *)(page << 16);
	vedette_memory.out = vedette_memory.in + first;
	vedette_memory.cap = out;
	return (uint64_t)(uintptr_t)vedette_memory.in << 32 | (uintptr_t)vedette_memory.out;
}

#define VEDETTE_MODULE(entry, run, fn, init) \
	__attribute__((export_name("vedette_abi_1"))) void vedette_abi_1(void) {} \
	VEDETTE_EXPORT(vedette_buffers)(uint32_t in, uint32_t out) { return vedette_provide(in, out); } \
	VEDETTE_EXPORT(vedette_init)(uint32_t n) { return vedette_run_init(init, (vedette_text){vedette_memory.in, n}, vedette_memory.out, vedette_memory.cap); } \
	__attribute__((export_name(entry))) uint64_t vedette_entry_point(uint32_t n) { return run(fn, (vedette_text){vedette_memory.in, n}, vedette_memory.out, vedette_memory.cap); }

#define VEDETTE_DUE(due) \
	VEDETTE_EXPORT(vedette_due)(uint32_t n) { return vedette_run_due(due, (vedette_text){vedette_memory.in, n}, vedette_memory.out, vedette_memory.cap); }
#else /* a native test calls the run functions itself */
#define VEDETTE_DUE(due) \
	static inline uint64_t vedette_native_due(vedette_text in, uint8_t *out, uint32_t cap) { return vedette_run_due(due, in, out, cap); }

#define VEDETTE_MODULE(entry, run, fn, init) \
	static inline uint64_t vedette_native_init(vedette_text settings, uint8_t *out, uint32_t cap) { return vedette_run_init(init, settings, out, cap); } \
	static inline uint64_t vedette_native(vedette_text in, uint8_t *out, uint32_t cap) { return run(fn, in, out, cap); }
#endif

/* Makes a function the module; init is a vedette_init_fn or NULL. A rule that sets timers also has VEDETTE_DUE, with a
 * vedette_due_fn. */
#define VEDETTE_PARSER(parse, init) VEDETTE_MODULE("vedette_parse", vedette_run_parser, parse, init)
#define VEDETTE_RULE(eval, init) VEDETTE_MODULE("vedette_eval", vedette_run_rule, eval, init)
#define VEDETTE_MONITOR(poll, init) VEDETTE_MODULE("vedette_poll", vedette_run_monitor, poll, init)

/* --- names of the Elastic Common Schema -------------------------------------------------------------------------- */

// names: written by conformance/sdks from sdk/go/ecs (go test -run Names -update .)
enum ecs {
	ECS_AGENT_BUILD_ORIGINAL = 1,
	ECS_AGENT_EPHEMERAL_ID = 2,
	ECS_AGENT_ID = 3,
	ECS_AGENT_NAME = 4,
	ECS_AGENT_TYPE = 5,
	ECS_AGENT_VERSION = 6,
	ECS_CLIENT_ADDRESS = 7,
	ECS_CLIENT_AS_NUMBER = 8,
	ECS_CLIENT_AS_ORGANIZATION_NAME = 9,
	ECS_CLIENT_BYTES = 10,
	ECS_CLIENT_DOMAIN = 11,
	ECS_CLIENT_GEO_CITY_NAME = 12,
	ECS_CLIENT_GEO_COUNTRY_ISO_CODE = 13,
	ECS_CLIENT_GEO_COUNTRY_NAME = 14,
	ECS_CLIENT_IP = 15,
	ECS_CLIENT_MAC = 16,
	ECS_CLIENT_NAT_IP = 17,
	ECS_CLIENT_NAT_PORT = 18,
	ECS_CLIENT_PACKETS = 19,
	ECS_CLIENT_PORT = 20,
	ECS_CLIENT_REGISTERED_DOMAIN = 21,
	ECS_CLIENT_SUBDOMAIN = 22,
	ECS_CLIENT_TOP_LEVEL_DOMAIN = 23,
	ECS_CLIENT_USER_DOMAIN = 24,
	ECS_CLIENT_USER_EMAIL = 25,
	ECS_CLIENT_USER_FULL_NAME = 26,
	ECS_CLIENT_USER_GROUP_DOMAIN = 27,
	ECS_CLIENT_USER_GROUP_ID = 28,
	ECS_CLIENT_USER_GROUP_NAME = 29,
	ECS_CLIENT_USER_HASH = 30,
	ECS_CLIENT_USER_ID = 31,
	ECS_CLIENT_USER_NAME = 32,
	ECS_CLIENT_USER_ROLES = 33,
	ECS_CLOUD_ACCOUNT_ID = 34,
	ECS_CLOUD_ACCOUNT_NAME = 35,
	ECS_CLOUD_AVAILABILITY_ZONE = 36,
	ECS_CLOUD_INSTANCE_ID = 37,
	ECS_CLOUD_INSTANCE_NAME = 38,
	ECS_CLOUD_MACHINE_TYPE = 39,
	ECS_CLOUD_PROJECT_ID = 40,
	ECS_CLOUD_PROJECT_NAME = 41,
	ECS_CLOUD_PROVIDER = 42,
	ECS_CLOUD_REGION = 43,
	ECS_CLOUD_SERVICE_NAME = 44,
	ECS_CONTAINER_CPU_USAGE = 45,
	ECS_CONTAINER_DISK_READ_BYTES = 46,
	ECS_CONTAINER_DISK_WRITE_BYTES = 47,
	ECS_CONTAINER_ID = 48,
	ECS_CONTAINER_IMAGE_HASH_ALL = 49,
	ECS_CONTAINER_IMAGE_NAME = 50,
	ECS_CONTAINER_IMAGE_TAG = 51,
	ECS_CONTAINER_MEMORY_USAGE = 52,
	ECS_CONTAINER_NAME = 53,
	ECS_CONTAINER_NETWORK_EGRESS_BYTES = 54,
	ECS_CONTAINER_NETWORK_INGRESS_BYTES = 55,
	ECS_CONTAINER_RUNTIME = 56,
	ECS_CONTAINER_SECURITY_CONTEXT_PRIVILEGED = 57,
	ECS_DESTINATION_ADDRESS = 58,
	ECS_DESTINATION_AS_NUMBER = 59,
	ECS_DESTINATION_AS_ORGANIZATION_NAME = 60,
	ECS_DESTINATION_BYTES = 61,
	ECS_DESTINATION_DOMAIN = 62,
	ECS_DESTINATION_GEO_CITY_NAME = 63,
	ECS_DESTINATION_GEO_COUNTRY_ISO_CODE = 64,
	ECS_DESTINATION_GEO_COUNTRY_NAME = 65,
	ECS_DESTINATION_IP = 66,
	ECS_DESTINATION_MAC = 67,
	ECS_DESTINATION_NAT_IP = 68,
	ECS_DESTINATION_NAT_PORT = 69,
	ECS_DESTINATION_PACKETS = 70,
	ECS_DESTINATION_PORT = 71,
	ECS_DESTINATION_REGISTERED_DOMAIN = 72,
	ECS_DESTINATION_SUBDOMAIN = 73,
	ECS_DESTINATION_TOP_LEVEL_DOMAIN = 74,
	ECS_DESTINATION_USER_DOMAIN = 75,
	ECS_DESTINATION_USER_EMAIL = 76,
	ECS_DESTINATION_USER_FULL_NAME = 77,
	ECS_DESTINATION_USER_GROUP_DOMAIN = 78,
	ECS_DESTINATION_USER_GROUP_ID = 79,
	ECS_DESTINATION_USER_GROUP_NAME = 80,
	ECS_DESTINATION_USER_HASH = 81,
	ECS_DESTINATION_USER_ID = 82,
	ECS_DESTINATION_USER_NAME = 83,
	ECS_DESTINATION_USER_ROLES = 84,
	ECS_DLL_HASH_CDHASH = 85,
	ECS_DLL_HASH_MD5 = 86,
	ECS_DLL_HASH_SHA1 = 87,
	ECS_DLL_HASH_SHA256 = 88,
	ECS_DLL_HASH_SHA384 = 89,
	ECS_DLL_HASH_SHA512 = 90,
	ECS_DLL_HASH_SSDEEP = 91,
	ECS_DLL_HASH_TLSH = 92,
	ECS_DLL_NAME = 93,
	ECS_DLL_ORIGIN_REFERRER_URL = 94,
	ECS_DLL_ORIGIN_URL = 95,
	ECS_DLL_PATH = 96,
	ECS_DNS_ANSWERS_CLASS = 97,
	ECS_DNS_ANSWERS_DATA = 98,
	ECS_DNS_ANSWERS_NAME = 99,
	ECS_DNS_ANSWERS_TTL = 100,
	ECS_DNS_ANSWERS_TYPE = 101,
	ECS_DNS_HEADER_FLAGS = 102,
	ECS_DNS_ID = 103,
	ECS_DNS_OP_CODE = 104,
	ECS_DNS_QUESTION_CLASS = 105,
	ECS_DNS_QUESTION_NAME = 106,
	ECS_DNS_QUESTION_REGISTERED_DOMAIN = 107,
	ECS_DNS_QUESTION_SUBDOMAIN = 108,
	ECS_DNS_QUESTION_TOP_LEVEL_DOMAIN = 109,
	ECS_DNS_QUESTION_TYPE = 110,
	ECS_DNS_RESOLVED_IP = 111,
	ECS_DNS_RESPONSE_CODE = 112,
	ECS_DNS_TYPE = 113,
	ECS_EMAIL_ATTACHMENTS_FILE_EXTENSION = 114,
	ECS_EMAIL_ATTACHMENTS_FILE_HASH_CDHASH = 115,
	ECS_EMAIL_ATTACHMENTS_FILE_HASH_MD5 = 116,
	ECS_EMAIL_ATTACHMENTS_FILE_HASH_SHA1 = 117,
	ECS_EMAIL_ATTACHMENTS_FILE_HASH_SHA256 = 118,
	ECS_EMAIL_ATTACHMENTS_FILE_HASH_SHA384 = 119,
	ECS_EMAIL_ATTACHMENTS_FILE_HASH_SHA512 = 120,
	ECS_EMAIL_ATTACHMENTS_FILE_HASH_SSDEEP = 121,
	ECS_EMAIL_ATTACHMENTS_FILE_HASH_TLSH = 122,
	ECS_EMAIL_ATTACHMENTS_FILE_MIME_TYPE = 123,
	ECS_EMAIL_ATTACHMENTS_FILE_NAME = 124,
	ECS_EMAIL_ATTACHMENTS_FILE_SIZE = 125,
	ECS_EMAIL_BCC_ADDRESS = 126,
	ECS_EMAIL_CC_ADDRESS = 127,
	ECS_EMAIL_CONTENT_TYPE = 128,
	ECS_EMAIL_DELIVERY_TIMESTAMP = 129,
	ECS_EMAIL_DIRECTION = 130,
	ECS_EMAIL_FROM_ADDRESS = 131,
	ECS_EMAIL_LOCAL_ID = 132,
	ECS_EMAIL_MESSAGE_ID = 133,
	ECS_EMAIL_ORIGINATION_TIMESTAMP = 134,
	ECS_EMAIL_REPLY_TO_ADDRESS = 135,
	ECS_EMAIL_SENDER_ADDRESS = 136,
	ECS_EMAIL_SUBJECT = 137,
	ECS_EMAIL_TO_ADDRESS = 138,
	ECS_EMAIL_X_MAILER = 139,
	ECS_ERROR_CODE = 140,
	ECS_ERROR_ID = 141,
	ECS_ERROR_MESSAGE = 142,
	ECS_ERROR_STACK_TRACE = 143,
	ECS_ERROR_TYPE = 144,
	ECS_EVENT_ACTION = 145,
	ECS_EVENT_AGENT_ID_STATUS = 146,
	ECS_EVENT_CATEGORY = 147,
	ECS_EVENT_CODE = 148,
	ECS_EVENT_CREATED = 149,
	ECS_EVENT_DATASET = 150,
	ECS_EVENT_DURATION = 151,
	ECS_EVENT_END = 152,
	ECS_EVENT_HASH = 153,
	ECS_EVENT_ID = 154,
	ECS_EVENT_INGESTED = 155,
	ECS_EVENT_KIND = 156,
	ECS_EVENT_MODULE = 157,
	ECS_EVENT_ORIGINAL = 158,
	ECS_EVENT_OUTCOME = 159,
	ECS_EVENT_PROVIDER = 160,
	ECS_EVENT_REASON = 161,
	ECS_EVENT_REFERENCE = 162,
	ECS_EVENT_RISK_SCORE = 163,
	ECS_EVENT_RISK_SCORE_NORM = 164,
	ECS_EVENT_SEQUENCE = 165,
	ECS_EVENT_SEVERITY = 166,
	ECS_EVENT_START = 167,
	ECS_EVENT_TIMEZONE = 168,
	ECS_EVENT_TYPE = 169,
	ECS_EVENT_URL = 170,
	ECS_FILE_ACCESSED = 171,
	ECS_FILE_ATTRIBUTES = 172,
	ECS_FILE_CREATED = 173,
	ECS_FILE_CTIME = 174,
	ECS_FILE_DEVICE = 175,
	ECS_FILE_DIRECTORY = 176,
	ECS_FILE_DRIVE_LETTER = 177,
	ECS_FILE_EXTENSION = 178,
	ECS_FILE_FORK_NAME = 179,
	ECS_FILE_GID = 180,
	ECS_FILE_GROUP = 181,
	ECS_FILE_HASH_CDHASH = 182,
	ECS_FILE_HASH_MD5 = 183,
	ECS_FILE_HASH_SHA1 = 184,
	ECS_FILE_HASH_SHA256 = 185,
	ECS_FILE_HASH_SHA384 = 186,
	ECS_FILE_HASH_SHA512 = 187,
	ECS_FILE_HASH_SSDEEP = 188,
	ECS_FILE_HASH_TLSH = 189,
	ECS_FILE_INODE = 190,
	ECS_FILE_MIME_TYPE = 191,
	ECS_FILE_MODE = 192,
	ECS_FILE_MTIME = 193,
	ECS_FILE_NAME = 194,
	ECS_FILE_ORIGIN_REFERRER_URL = 195,
	ECS_FILE_ORIGIN_URL = 196,
	ECS_FILE_OWNER = 197,
	ECS_FILE_PATH = 198,
	ECS_FILE_SIZE = 199,
	ECS_FILE_TARGET_PATH = 200,
	ECS_FILE_TYPE = 201,
	ECS_FILE_UID = 202,
	ECS_GROUP_DOMAIN = 203,
	ECS_GROUP_ID = 204,
	ECS_GROUP_NAME = 205,
	ECS_HOST_ARCHITECTURE = 206,
	ECS_HOST_BOOT_ID = 207,
	ECS_HOST_CPU_USAGE = 208,
	ECS_HOST_DISK_READ_BYTES = 209,
	ECS_HOST_DISK_WRITE_BYTES = 210,
	ECS_HOST_DOMAIN = 211,
	ECS_HOST_GEO_CITY_NAME = 212,
	ECS_HOST_GEO_COUNTRY_ISO_CODE = 213,
	ECS_HOST_GEO_COUNTRY_NAME = 214,
	ECS_HOST_HOSTNAME = 215,
	ECS_HOST_ID = 216,
	ECS_HOST_IP = 217,
	ECS_HOST_MAC = 218,
	ECS_HOST_NAME = 219,
	ECS_HOST_NETWORK_EGRESS_BYTES = 220,
	ECS_HOST_NETWORK_EGRESS_PACKETS = 221,
	ECS_HOST_NETWORK_INGRESS_BYTES = 222,
	ECS_HOST_NETWORK_INGRESS_PACKETS = 223,
	ECS_HOST_OS_FAMILY = 224,
	ECS_HOST_OS_FULL = 225,
	ECS_HOST_OS_KERNEL = 226,
	ECS_HOST_OS_NAME = 227,
	ECS_HOST_OS_PLATFORM = 228,
	ECS_HOST_OS_TYPE = 229,
	ECS_HOST_OS_VERSION = 230,
	ECS_HOST_PID_NS_INO = 231,
	ECS_HOST_TYPE = 232,
	ECS_HOST_UPTIME = 233,
	ECS_HTTP_REQUEST_BODY_BYTES = 234,
	ECS_HTTP_REQUEST_BODY_CONTENT = 235,
	ECS_HTTP_REQUEST_BYTES = 236,
	ECS_HTTP_REQUEST_ID = 237,
	ECS_HTTP_REQUEST_METHOD = 238,
	ECS_HTTP_REQUEST_MIME_TYPE = 239,
	ECS_HTTP_REQUEST_REFERRER = 240,
	ECS_HTTP_RESPONSE_BODY_BYTES = 241,
	ECS_HTTP_RESPONSE_BODY_CONTENT = 242,
	ECS_HTTP_RESPONSE_BYTES = 243,
	ECS_HTTP_RESPONSE_MIME_TYPE = 244,
	ECS_HTTP_RESPONSE_STATUS_CODE = 245,
	ECS_HTTP_VERSION = 246,
	ECS_LOG_FILE_PATH = 247,
	ECS_LOG_LEVEL = 248,
	ECS_LOG_LOGGER = 249,
	ECS_LOG_SYSLOG_APPNAME = 250,
	ECS_LOG_SYSLOG_FACILITY_CODE = 251,
	ECS_LOG_SYSLOG_FACILITY_NAME = 252,
	ECS_LOG_SYSLOG_HOSTNAME = 253,
	ECS_LOG_SYSLOG_MSGID = 254,
	ECS_LOG_SYSLOG_PRIORITY = 255,
	ECS_LOG_SYSLOG_PROCID = 256,
	ECS_LOG_SYSLOG_SEVERITY_CODE = 257,
	ECS_LOG_SYSLOG_SEVERITY_NAME = 258,
	ECS_LOG_SYSLOG_VERSION = 259,
	ECS_MESSAGE = 260,
	ECS_NETWORK_APPLICATION = 261,
	ECS_NETWORK_BYTES = 262,
	ECS_NETWORK_COMMUNITY_ID = 263,
	ECS_NETWORK_DIRECTION = 264,
	ECS_NETWORK_FORWARDED_IP = 265,
	ECS_NETWORK_IANA_NUMBER = 266,
	ECS_NETWORK_INNER_VLAN_ID = 267,
	ECS_NETWORK_INNER_VLAN_NAME = 268,
	ECS_NETWORK_NAME = 269,
	ECS_NETWORK_PACKETS = 270,
	ECS_NETWORK_PROTOCOL = 271,
	ECS_NETWORK_TRANSPORT = 272,
	ECS_NETWORK_TYPE = 273,
	ECS_NETWORK_VLAN_ID = 274,
	ECS_NETWORK_VLAN_NAME = 275,
	ECS_OBSERVER_EGRESS_INTERFACE_ALIAS = 276,
	ECS_OBSERVER_EGRESS_INTERFACE_ID = 277,
	ECS_OBSERVER_EGRESS_INTERFACE_NAME = 278,
	ECS_OBSERVER_EGRESS_VLAN_ID = 279,
	ECS_OBSERVER_EGRESS_VLAN_NAME = 280,
	ECS_OBSERVER_EGRESS_ZONE = 281,
	ECS_OBSERVER_GEO_CITY_NAME = 282,
	ECS_OBSERVER_GEO_COUNTRY_ISO_CODE = 283,
	ECS_OBSERVER_GEO_COUNTRY_NAME = 284,
	ECS_OBSERVER_HOSTNAME = 285,
	ECS_OBSERVER_INGRESS_INTERFACE_ALIAS = 286,
	ECS_OBSERVER_INGRESS_INTERFACE_ID = 287,
	ECS_OBSERVER_INGRESS_INTERFACE_NAME = 288,
	ECS_OBSERVER_INGRESS_VLAN_ID = 289,
	ECS_OBSERVER_INGRESS_VLAN_NAME = 290,
	ECS_OBSERVER_INGRESS_ZONE = 291,
	ECS_OBSERVER_IP = 292,
	ECS_OBSERVER_MAC = 293,
	ECS_OBSERVER_NAME = 294,
	ECS_OBSERVER_OS_FAMILY = 295,
	ECS_OBSERVER_OS_FULL = 296,
	ECS_OBSERVER_OS_KERNEL = 297,
	ECS_OBSERVER_OS_NAME = 298,
	ECS_OBSERVER_OS_PLATFORM = 299,
	ECS_OBSERVER_OS_TYPE = 300,
	ECS_OBSERVER_OS_VERSION = 301,
	ECS_OBSERVER_PRODUCT = 302,
	ECS_OBSERVER_SERIAL_NUMBER = 303,
	ECS_OBSERVER_TYPE = 304,
	ECS_OBSERVER_VENDOR = 305,
	ECS_OBSERVER_VERSION = 306,
	ECS_ORGANIZATION_ID = 307,
	ECS_ORGANIZATION_NAME = 308,
	ECS_PACKAGE_ARCHITECTURE = 309,
	ECS_PACKAGE_BUILD_VERSION = 310,
	ECS_PACKAGE_CHECKSUM = 311,
	ECS_PACKAGE_DESCRIPTION = 312,
	ECS_PACKAGE_INSTALL_SCOPE = 313,
	ECS_PACKAGE_INSTALLED = 314,
	ECS_PACKAGE_LICENSE = 315,
	ECS_PACKAGE_NAME = 316,
	ECS_PACKAGE_PATH = 317,
	ECS_PACKAGE_REFERENCE = 318,
	ECS_PACKAGE_SIZE = 319,
	ECS_PACKAGE_TYPE = 320,
	ECS_PACKAGE_VERSION = 321,
	ECS_PROCESS_ARGS = 322,
	ECS_PROCESS_ARGS_COUNT = 323,
	ECS_PROCESS_COMMAND_LINE = 324,
	ECS_PROCESS_END = 325,
	ECS_PROCESS_ENTITY_ID = 326,
	ECS_PROCESS_ENV_VARS = 327,
	ECS_PROCESS_EXECUTABLE = 328,
	ECS_PROCESS_EXIT_CODE = 329,
	ECS_PROCESS_GROUP_ID = 330,
	ECS_PROCESS_GROUP_NAME = 331,
	ECS_PROCESS_HASH_CDHASH = 332,
	ECS_PROCESS_HASH_MD5 = 333,
	ECS_PROCESS_HASH_SHA1 = 334,
	ECS_PROCESS_HASH_SHA256 = 335,
	ECS_PROCESS_HASH_SHA384 = 336,
	ECS_PROCESS_HASH_SHA512 = 337,
	ECS_PROCESS_HASH_SSDEEP = 338,
	ECS_PROCESS_HASH_TLSH = 339,
	ECS_PROCESS_INTERACTIVE = 340,
	ECS_PROCESS_NAME = 341,
	ECS_PROCESS_PARENT_ARGS = 342,
	ECS_PROCESS_PARENT_ARGS_COUNT = 343,
	ECS_PROCESS_PARENT_COMMAND_LINE = 344,
	ECS_PROCESS_PARENT_END = 345,
	ECS_PROCESS_PARENT_ENTITY_ID = 346,
	ECS_PROCESS_PARENT_EXECUTABLE = 347,
	ECS_PROCESS_PARENT_EXIT_CODE = 348,
	ECS_PROCESS_PARENT_GROUP_ID = 349,
	ECS_PROCESS_PARENT_GROUP_NAME = 350,
	ECS_PROCESS_PARENT_HASH_CDHASH = 351,
	ECS_PROCESS_PARENT_HASH_MD5 = 352,
	ECS_PROCESS_PARENT_HASH_SHA1 = 353,
	ECS_PROCESS_PARENT_HASH_SHA256 = 354,
	ECS_PROCESS_PARENT_HASH_SHA384 = 355,
	ECS_PROCESS_PARENT_HASH_SHA512 = 356,
	ECS_PROCESS_PARENT_HASH_SSDEEP = 357,
	ECS_PROCESS_PARENT_HASH_TLSH = 358,
	ECS_PROCESS_PARENT_INTERACTIVE = 359,
	ECS_PROCESS_PARENT_NAME = 360,
	ECS_PROCESS_PARENT_PID = 361,
	ECS_PROCESS_PARENT_START = 362,
	ECS_PROCESS_PARENT_THREAD_ID = 363,
	ECS_PROCESS_PARENT_THREAD_NAME = 364,
	ECS_PROCESS_PARENT_TITLE = 365,
	ECS_PROCESS_PARENT_UPTIME = 366,
	ECS_PROCESS_PARENT_USER_ID = 367,
	ECS_PROCESS_PARENT_USER_NAME = 368,
	ECS_PROCESS_PARENT_VPID = 369,
	ECS_PROCESS_PARENT_WORKING_DIRECTORY = 370,
	ECS_PROCESS_PID = 371,
	ECS_PROCESS_START = 372,
	ECS_PROCESS_THREAD_ID = 373,
	ECS_PROCESS_THREAD_NAME = 374,
	ECS_PROCESS_TITLE = 375,
	ECS_PROCESS_UPTIME = 376,
	ECS_PROCESS_USER_ID = 377,
	ECS_PROCESS_USER_NAME = 378,
	ECS_PROCESS_VPID = 379,
	ECS_PROCESS_WORKING_DIRECTORY = 380,
	ECS_REGISTRY_DATA_BYTES = 381,
	ECS_REGISTRY_DATA_STRINGS = 382,
	ECS_REGISTRY_DATA_TYPE = 383,
	ECS_REGISTRY_HIVE = 384,
	ECS_REGISTRY_KEY = 385,
	ECS_REGISTRY_PATH = 386,
	ECS_REGISTRY_VALUE = 387,
	ECS_RELATED_HASH = 388,
	ECS_RELATED_HOSTS = 389,
	ECS_RELATED_IP = 390,
	ECS_RELATED_USER = 391,
	ECS_RULE_AUTHOR = 392,
	ECS_RULE_CATEGORY = 393,
	ECS_RULE_DESCRIPTION = 394,
	ECS_RULE_ID = 395,
	ECS_RULE_LICENSE = 396,
	ECS_RULE_NAME = 397,
	ECS_RULE_REFERENCE = 398,
	ECS_RULE_RULESET = 399,
	ECS_RULE_UUID = 400,
	ECS_RULE_VERSION = 401,
	ECS_SERVER_ADDRESS = 402,
	ECS_SERVER_AS_NUMBER = 403,
	ECS_SERVER_AS_ORGANIZATION_NAME = 404,
	ECS_SERVER_BYTES = 405,
	ECS_SERVER_DOMAIN = 406,
	ECS_SERVER_GEO_CITY_NAME = 407,
	ECS_SERVER_GEO_COUNTRY_ISO_CODE = 408,
	ECS_SERVER_GEO_COUNTRY_NAME = 409,
	ECS_SERVER_IP = 410,
	ECS_SERVER_MAC = 411,
	ECS_SERVER_NAT_IP = 412,
	ECS_SERVER_NAT_PORT = 413,
	ECS_SERVER_PACKETS = 414,
	ECS_SERVER_PORT = 415,
	ECS_SERVER_REGISTERED_DOMAIN = 416,
	ECS_SERVER_SUBDOMAIN = 417,
	ECS_SERVER_TOP_LEVEL_DOMAIN = 418,
	ECS_SERVER_USER_DOMAIN = 419,
	ECS_SERVER_USER_EMAIL = 420,
	ECS_SERVER_USER_FULL_NAME = 421,
	ECS_SERVER_USER_GROUP_DOMAIN = 422,
	ECS_SERVER_USER_GROUP_ID = 423,
	ECS_SERVER_USER_GROUP_NAME = 424,
	ECS_SERVER_USER_HASH = 425,
	ECS_SERVER_USER_ID = 426,
	ECS_SERVER_USER_NAME = 427,
	ECS_SERVER_USER_ROLES = 428,
	ECS_SERVICE_ADDRESS = 429,
	ECS_SERVICE_ENVIRONMENT = 430,
	ECS_SERVICE_EPHEMERAL_ID = 431,
	ECS_SERVICE_ID = 432,
	ECS_SERVICE_NAME = 433,
	ECS_SERVICE_NODE_NAME = 434,
	ECS_SERVICE_NODE_ROLE = 435,
	ECS_SERVICE_NODE_ROLES = 436,
	ECS_SERVICE_STATE = 437,
	ECS_SERVICE_TYPE = 438,
	ECS_SERVICE_VERSION = 439,
	ECS_SOURCE_ADDRESS = 440,
	ECS_SOURCE_AS_NUMBER = 441,
	ECS_SOURCE_AS_ORGANIZATION_NAME = 442,
	ECS_SOURCE_BYTES = 443,
	ECS_SOURCE_DOMAIN = 444,
	ECS_SOURCE_GEO_CITY_NAME = 445,
	ECS_SOURCE_GEO_COUNTRY_ISO_CODE = 446,
	ECS_SOURCE_GEO_COUNTRY_NAME = 447,
	ECS_SOURCE_IP = 448,
	ECS_SOURCE_MAC = 449,
	ECS_SOURCE_NAT_IP = 450,
	ECS_SOURCE_NAT_PORT = 451,
	ECS_SOURCE_PACKETS = 452,
	ECS_SOURCE_PORT = 453,
	ECS_SOURCE_REGISTERED_DOMAIN = 454,
	ECS_SOURCE_SUBDOMAIN = 455,
	ECS_SOURCE_TOP_LEVEL_DOMAIN = 456,
	ECS_SOURCE_USER_DOMAIN = 457,
	ECS_SOURCE_USER_EMAIL = 458,
	ECS_SOURCE_USER_FULL_NAME = 459,
	ECS_SOURCE_USER_GROUP_DOMAIN = 460,
	ECS_SOURCE_USER_GROUP_ID = 461,
	ECS_SOURCE_USER_GROUP_NAME = 462,
	ECS_SOURCE_USER_HASH = 463,
	ECS_SOURCE_USER_ID = 464,
	ECS_SOURCE_USER_NAME = 465,
	ECS_SOURCE_USER_ROLES = 466,
	ECS_SPAN_ID = 467,
	ECS_TAGS = 468,
	ECS_TLS_CIPHER = 469,
	ECS_TLS_CLIENT_CERTIFICATE = 470,
	ECS_TLS_CLIENT_CERTIFICATE_CHAIN = 471,
	ECS_TLS_CLIENT_HASH_MD5 = 472,
	ECS_TLS_CLIENT_HASH_SHA1 = 473,
	ECS_TLS_CLIENT_HASH_SHA256 = 474,
	ECS_TLS_CLIENT_ISSUER = 475,
	ECS_TLS_CLIENT_JA3 = 476,
	ECS_TLS_CLIENT_NOT_AFTER = 477,
	ECS_TLS_CLIENT_NOT_BEFORE = 478,
	ECS_TLS_CLIENT_SERVER_NAME = 479,
	ECS_TLS_CLIENT_SUBJECT = 480,
	ECS_TLS_CLIENT_SUPPORTED_CIPHERS = 481,
	ECS_TLS_CURVE = 482,
	ECS_TLS_ESTABLISHED = 483,
	ECS_TLS_NEXT_PROTOCOL = 484,
	ECS_TLS_RESUMED = 485,
	ECS_TLS_SERVER_CERTIFICATE = 486,
	ECS_TLS_SERVER_CERTIFICATE_CHAIN = 487,
	ECS_TLS_SERVER_HASH_MD5 = 488,
	ECS_TLS_SERVER_HASH_SHA1 = 489,
	ECS_TLS_SERVER_HASH_SHA256 = 490,
	ECS_TLS_SERVER_ISSUER = 491,
	ECS_TLS_SERVER_JA3S = 492,
	ECS_TLS_SERVER_NOT_AFTER = 493,
	ECS_TLS_SERVER_NOT_BEFORE = 494,
	ECS_TLS_SERVER_SUBJECT = 495,
	ECS_TLS_VERSION = 496,
	ECS_TLS_VERSION_PROTOCOL = 497,
	ECS_TRACE_ID = 498,
	ECS_TRANSACTION_ID = 499,
	ECS_URL_DOMAIN = 500,
	ECS_URL_EXTENSION = 501,
	ECS_URL_FRAGMENT = 502,
	ECS_URL_FULL = 503,
	ECS_URL_ORIGINAL = 504,
	ECS_URL_PASSWORD = 505,
	ECS_URL_PATH = 506,
	ECS_URL_PORT = 507,
	ECS_URL_QUERY = 508,
	ECS_URL_REGISTERED_DOMAIN = 509,
	ECS_URL_SCHEME = 510,
	ECS_URL_SUBDOMAIN = 511,
	ECS_URL_TOP_LEVEL_DOMAIN = 512,
	ECS_URL_USERNAME = 513,
	ECS_USER_CHANGES_DOMAIN = 514,
	ECS_USER_CHANGES_EMAIL = 515,
	ECS_USER_CHANGES_FULL_NAME = 516,
	ECS_USER_CHANGES_GROUP_DOMAIN = 517,
	ECS_USER_CHANGES_GROUP_ID = 518,
	ECS_USER_CHANGES_GROUP_NAME = 519,
	ECS_USER_CHANGES_HASH = 520,
	ECS_USER_CHANGES_ID = 521,
	ECS_USER_CHANGES_NAME = 522,
	ECS_USER_CHANGES_ROLES = 523,
	ECS_USER_DOMAIN = 524,
	ECS_USER_EFFECTIVE_DOMAIN = 525,
	ECS_USER_EFFECTIVE_EMAIL = 526,
	ECS_USER_EFFECTIVE_FULL_NAME = 527,
	ECS_USER_EFFECTIVE_GROUP_DOMAIN = 528,
	ECS_USER_EFFECTIVE_GROUP_ID = 529,
	ECS_USER_EFFECTIVE_GROUP_NAME = 530,
	ECS_USER_EFFECTIVE_HASH = 531,
	ECS_USER_EFFECTIVE_ID = 532,
	ECS_USER_EFFECTIVE_NAME = 533,
	ECS_USER_EFFECTIVE_ROLES = 534,
	ECS_USER_EMAIL = 535,
	ECS_USER_FULL_NAME = 536,
	ECS_USER_GROUP_DOMAIN = 537,
	ECS_USER_GROUP_ID = 538,
	ECS_USER_GROUP_NAME = 539,
	ECS_USER_HASH = 540,
	ECS_USER_ID = 541,
	ECS_USER_NAME = 542,
	ECS_USER_ROLES = 543,
	ECS_USER_AGENT_DEVICE_NAME = 544,
	ECS_USER_AGENT_NAME = 545,
	ECS_USER_AGENT_ORIGINAL = 546,
	ECS_USER_AGENT_OS_FAMILY = 547,
	ECS_USER_AGENT_OS_FULL = 548,
	ECS_USER_AGENT_OS_KERNEL = 549,
	ECS_USER_AGENT_OS_NAME = 550,
	ECS_USER_AGENT_OS_PLATFORM = 551,
	ECS_USER_AGENT_OS_TYPE = 552,
	ECS_USER_AGENT_OS_VERSION = 553,
	ECS_USER_AGENT_VERSION = 554,
	ECS_VULNERABILITY_CATEGORY = 555,
	ECS_VULNERABILITY_CLASSIFICATION = 556,
	ECS_VULNERABILITY_DESCRIPTION = 557,
	ECS_VULNERABILITY_ENUMERATION = 558,
	ECS_VULNERABILITY_ID = 559,
	ECS_VULNERABILITY_REFERENCE = 560,
	ECS_VULNERABILITY_REPORT_ID = 561,
	ECS_VULNERABILITY_SCANNER_VENDOR = 562,
	ECS_VULNERABILITY_SCORE_BASE = 563,
	ECS_VULNERABILITY_SCORE_ENVIRONMENTAL = 564,
	ECS_VULNERABILITY_SCORE_TEMPORAL = 565,
	ECS_VULNERABILITY_SCORE_VERSION = 566,
	ECS_VULNERABILITY_SEVERITY = 567,
	ECS_VULNERABILITY_STATUS = 568,
	ECS_DLL_CODE_SIGNATURE_DIGEST_ALGORITHM = 569,
	ECS_DLL_CODE_SIGNATURE_EXISTS = 570,
	ECS_DLL_CODE_SIGNATURE_FLAGS = 571,
	ECS_DLL_CODE_SIGNATURE_SIGNING_ID = 572,
	ECS_DLL_CODE_SIGNATURE_STATUS = 573,
	ECS_DLL_CODE_SIGNATURE_SUBJECT_NAME = 574,
	ECS_DLL_CODE_SIGNATURE_TEAM_ID = 575,
	ECS_DLL_CODE_SIGNATURE_THUMBPRINT_SHA256 = 576,
	ECS_DLL_CODE_SIGNATURE_TIMESTAMP = 577,
	ECS_DLL_CODE_SIGNATURE_TRUSTED = 578,
	ECS_DLL_CODE_SIGNATURE_VALID = 579,
	ECS_DLL_PE_ARCHITECTURE = 580,
	ECS_DLL_PE_COMPANY = 581,
	ECS_DLL_PE_DESCRIPTION = 582,
	ECS_DLL_PE_FILE_VERSION = 583,
	ECS_DLL_PE_GO_IMPORT_HASH = 584,
	ECS_DLL_PE_GO_IMPORTS_NAMES_ENTROPY = 585,
	ECS_DLL_PE_GO_IMPORTS_NAMES_VAR_ENTROPY = 586,
	ECS_DLL_PE_GO_STRIPPED = 587,
	ECS_DLL_PE_IMPHASH = 588,
	ECS_DLL_PE_IMPORT_HASH = 589,
	ECS_DLL_PE_IMPORTS_NAMES_ENTROPY = 590,
	ECS_DLL_PE_IMPORTS_NAMES_VAR_ENTROPY = 591,
	ECS_DLL_PE_ORIGINAL_FILE_NAME = 592,
	ECS_DLL_PE_PEHASH = 593,
	ECS_DLL_PE_PRODUCT = 594,
	ECS_ECS_VERSION = 595,
	ECS_FILE_CODE_SIGNATURE_DIGEST_ALGORITHM = 596,
	ECS_FILE_CODE_SIGNATURE_EXISTS = 597,
	ECS_FILE_CODE_SIGNATURE_FLAGS = 598,
	ECS_FILE_CODE_SIGNATURE_SIGNING_ID = 599,
	ECS_FILE_CODE_SIGNATURE_STATUS = 600,
	ECS_FILE_CODE_SIGNATURE_SUBJECT_NAME = 601,
	ECS_FILE_CODE_SIGNATURE_TEAM_ID = 602,
	ECS_FILE_CODE_SIGNATURE_THUMBPRINT_SHA256 = 603,
	ECS_FILE_CODE_SIGNATURE_TIMESTAMP = 604,
	ECS_FILE_CODE_SIGNATURE_TRUSTED = 605,
	ECS_FILE_CODE_SIGNATURE_VALID = 606,
	ECS_FILE_PE_ARCHITECTURE = 607,
	ECS_FILE_PE_COMPANY = 608,
	ECS_FILE_PE_DESCRIPTION = 609,
	ECS_FILE_PE_FILE_VERSION = 610,
	ECS_FILE_PE_GO_IMPORT_HASH = 611,
	ECS_FILE_PE_GO_IMPORTS_NAMES_ENTROPY = 612,
	ECS_FILE_PE_GO_IMPORTS_NAMES_VAR_ENTROPY = 613,
	ECS_FILE_PE_GO_STRIPPED = 614,
	ECS_FILE_PE_IMPHASH = 615,
	ECS_FILE_PE_IMPORT_HASH = 616,
	ECS_FILE_PE_IMPORTS_NAMES_ENTROPY = 617,
	ECS_FILE_PE_IMPORTS_NAMES_VAR_ENTROPY = 618,
	ECS_FILE_PE_ORIGINAL_FILE_NAME = 619,
	ECS_FILE_PE_PEHASH = 620,
	ECS_FILE_PE_PRODUCT = 621,
	ECS_PROCESS_CODE_SIGNATURE_DIGEST_ALGORITHM = 622,
	ECS_PROCESS_CODE_SIGNATURE_EXISTS = 623,
	ECS_PROCESS_CODE_SIGNATURE_FLAGS = 624,
	ECS_PROCESS_CODE_SIGNATURE_SIGNING_ID = 625,
	ECS_PROCESS_CODE_SIGNATURE_STATUS = 626,
	ECS_PROCESS_CODE_SIGNATURE_SUBJECT_NAME = 627,
	ECS_PROCESS_CODE_SIGNATURE_TEAM_ID = 628,
	ECS_PROCESS_CODE_SIGNATURE_THUMBPRINT_SHA256 = 629,
	ECS_PROCESS_CODE_SIGNATURE_TIMESTAMP = 630,
	ECS_PROCESS_CODE_SIGNATURE_TRUSTED = 631,
	ECS_PROCESS_CODE_SIGNATURE_VALID = 632,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_DIGEST_ALGORITHM = 633,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_EXISTS = 634,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_FLAGS = 635,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_SIGNING_ID = 636,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_STATUS = 637,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_SUBJECT_NAME = 638,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_TEAM_ID = 639,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_THUMBPRINT_SHA256 = 640,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_TIMESTAMP = 641,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_TRUSTED = 642,
	ECS_PROCESS_PARENT_CODE_SIGNATURE_VALID = 643,
	ECS_PROCESS_PARENT_PE_ARCHITECTURE = 644,
	ECS_PROCESS_PARENT_PE_COMPANY = 645,
	ECS_PROCESS_PARENT_PE_DESCRIPTION = 646,
	ECS_PROCESS_PARENT_PE_FILE_VERSION = 647,
	ECS_PROCESS_PARENT_PE_GO_IMPORT_HASH = 648,
	ECS_PROCESS_PARENT_PE_GO_IMPORTS_NAMES_ENTROPY = 649,
	ECS_PROCESS_PARENT_PE_GO_IMPORTS_NAMES_VAR_ENTROPY = 650,
	ECS_PROCESS_PARENT_PE_GO_STRIPPED = 651,
	ECS_PROCESS_PARENT_PE_IMPHASH = 652,
	ECS_PROCESS_PARENT_PE_IMPORT_HASH = 653,
	ECS_PROCESS_PARENT_PE_IMPORTS_NAMES_ENTROPY = 654,
	ECS_PROCESS_PARENT_PE_IMPORTS_NAMES_VAR_ENTROPY = 655,
	ECS_PROCESS_PARENT_PE_ORIGINAL_FILE_NAME = 656,
	ECS_PROCESS_PARENT_PE_PEHASH = 657,
	ECS_PROCESS_PARENT_PE_PRODUCT = 658,
	ECS_PROCESS_PE_ARCHITECTURE = 659,
	ECS_PROCESS_PE_COMPANY = 660,
	ECS_PROCESS_PE_DESCRIPTION = 661,
	ECS_PROCESS_PE_FILE_VERSION = 662,
	ECS_PROCESS_PE_GO_IMPORT_HASH = 663,
	ECS_PROCESS_PE_GO_IMPORTS_NAMES_ENTROPY = 664,
	ECS_PROCESS_PE_GO_IMPORTS_NAMES_VAR_ENTROPY = 665,
	ECS_PROCESS_PE_GO_STRIPPED = 666,
	ECS_PROCESS_PE_IMPHASH = 667,
	ECS_PROCESS_PE_IMPORT_HASH = 668,
	ECS_PROCESS_PE_IMPORTS_NAMES_ENTROPY = 669,
	ECS_PROCESS_PE_IMPORTS_NAMES_VAR_ENTROPY = 670,
	ECS_PROCESS_PE_ORIGINAL_FILE_NAME = 671,
	ECS_PROCESS_PE_PEHASH = 672,
	ECS_PROCESS_PE_PRODUCT = 673,
	ECS_THREAT_FRAMEWORK = 674,
	ECS_THREAT_INDICATOR_IP = 675,
	ECS_THREAT_TACTIC_ID = 676,
	ECS_THREAT_TACTIC_NAME = 677,
	ECS_THREAT_TECHNIQUE_ID = 678,
	ECS_THREAT_TECHNIQUE_NAME = 679,
	ECS_USER_TARGET_DOMAIN = 680,
	ECS_USER_TARGET_EMAIL = 681,
	ECS_USER_TARGET_FULL_NAME = 682,
	ECS_USER_TARGET_GROUP_DOMAIN = 683,
	ECS_USER_TARGET_GROUP_ID = 684,
	ECS_USER_TARGET_GROUP_NAME = 685,
	ECS_USER_TARGET_HASH = 686,
	ECS_USER_TARGET_ID = 687,
	ECS_USER_TARGET_NAME = 688,
	ECS_USER_TARGET_ROLES = 689,
};
// end of names

#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif
