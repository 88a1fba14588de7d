/* The reference rule of the C SDK that remembers: logins from where an account was not seen before, and refused ones that are
 * many, from one place for many accounts, or followed by success. The same rule in Go and Rust gives the same bytes. */
#include "vedette.h"

/* The manifest's reads, in order. */
enum { ACTION, USER, SOURCE };

#define MINUTE (60 * VEDETTE_SECOND)
#define RECENT (10 * MINUTE)
#define MONTH (30 * 24 * 60 * MINUTE)

/* The steps of a guessed password. */
enum { REFUSED = 1, LET = 2 };

static void said(vedette_findings *f, vedette_severity severity, vedette_text title, vedette_text subject, vedette_text predicate, int64_t n, vedette_text key)
{
	uint8_t bytes[VEDETTE_MAX_TEXT];
	vedette_buffer b = VEDETTE_BUFFER(bytes);
	vedette_append(&b, vedette_slice(subject, 0, subject.n < 400 ? subject.n : 400));
	vedette_append(&b, predicate);
	vedette_append_int(&b, n);
	vedette_add(f, severity, title, vedette_built(&b), key);
}

static void login(vedette_findings *f, vedette_text key, vedette_text who, vedette_text from)
{
	if (vedette_window_step(key, LET, RECENT) == REFUSED)
		vedette_add(f, VEDETTE_HIGH, VEDETTE_TEXT("Let in after a refusal"), VEDETTE_NOWHERE, key);
	if (vedette_window_first_seen(key, MONTH) == 1) {
		int64_t n = 0;
		vedette_kv_add(who, 1, 0, &n);
		said(f, VEDETTE_LOW, VEDETTE_TEXT("New place"), from, VEDETTE_TEXT(" is place "), n, who);
	}
}

static void refusal(vedette_findings *f, vedette_text key, vedette_text who, vedette_text from)
{
	vedette_window_step(key, REFUSED, RECENT); /* when it does not fit, one step is missed */
	int64_t n = vedette_window_count(from, RECENT, MINUTE, 1);
	if (n == 5)
		said(f, VEDETTE_MEDIUM, VEDETTE_TEXT("Refused again and again"), from, VEDETTE_TEXT(" was refused "), n, from);
	n = vedette_window_distinct(from, who, RECENT);
	if (n == 3)
		said(f, VEDETTE_KEEP, VEDETTE_TEXT("Many accounts"), from, VEDETTE_TEXT(" tried "), n, from);
}

static void eval(const vedette_row *r, vedette_findings *f)
{
	uint8_t both[512];
	vedette_buffer key = VEDETTE_BUFFER(both);
	vedette_text action = vedette_cell(r, ACTION), who = vedette_cell(r, USER), from = vedette_cell(r, SOURCE);
	if (who.n == 0 || from.n == 0 || (uint64_t)who.n + from.n >= sizeof both)
		return;
	vedette_append(&key, who);
	vedette_append_byte(&key, ' ');
	vedette_append(&key, from);
	if (vedette_is(action, "login"))
		login(f, vedette_built(&key), who, from);
	else if (vedette_is(action, "login_refused"))
		refusal(f, vedette_built(&key), who, from);
}

VEDETTE_RULE(eval, NULL)
