/* The reference monitor of the C SDK: it asks a granted target for one path, hands over a record and counts its polls in
 * the cursor. The same monitor in Go and Rust gives the same bytes. */
#include "vedette.h"

/* The name under which the manifest asks for the service; only the grant knows its address. */
#define TARGET VEDETTE_TEXT("target")

/* The path comes from the settings. The host restores what init left before every poll. */
static uint8_t path_bytes[4096];
static vedette_buffer path;

static vedette_text init(vedette_text settings)
{
	path = VEDETTE_BUFFER(path_bytes);
	if (!vedette_setting_string(settings, VEDETTE_TEXT("path"), &path))
		vedette_append_byte(&path, '/');
	if (path.n == 0 || path.p[0] != '/')
		return VEDETTE_TEXT("path: want it to begin with \"/\"");
	return VEDETTE_NOWHERE;
}

static bool poll(vedette_poll *p)
{
	static uint8_t record[32 << 10], cursor[20]; /* the longest path and reason with every byte escaped fit */
	vedette_buffer b = VEDETTE_BUFFER(record), next = VEDETTE_BUFFER(cursor);
	vedette_response r;
	uint64_t last = 0;
	if (p->cursor.n && (!vedette_uint(p->cursor, &last) || last >> 32))
		return vedette_poll_fail(p, "the cursor is no number");
	vedette_append(&b, VEDETTE_TEXT("{\"event.dataset\":\"ref.http\",\"ref.at\":"));
	vedette_append_int(&b, p->at);
	vedette_append(&b, VEDETTE_TEXT(",\"ref.poll\":"));
	vedette_append_uint(&b, last + 1);
	vedette_append(&b, VEDETTE_TEXT(",\"url.path\":\""));
	vedette_append_json(&b, vedette_built(&path));
	if (vedette_get(TARGET, vedette_built(&path), &r)) {
		vedette_append(&b, VEDETTE_TEXT("\",\"event.outcome\":\"success\",\"http.response.status_code\":"));
		vedette_append_uint(&b, r.status);
		vedette_append(&b, VEDETTE_TEXT(",\"http.response.body.bytes\":"));
		vedette_append_uint(&b, r.body.n);
		vedette_append(&b, VEDETTE_TEXT(",\"event.duration\":"));
		vedette_append_int(&b, r.elapsed_ns);
	} else {
		vedette_append(&b, VEDETTE_TEXT("\",\"event.outcome\":\"failure\",\"error.message\":\""));
		vedette_append_json(&b, r.why);
		vedette_append_byte(&b, '"');
	}
	vedette_append_byte(&b, '}');
	vedette_put_record(p, vedette_built(&b));
	vedette_append_uint(&next, last + 1);
	p->next = vedette_built(&next);
	return true;
}

VEDETTE_MONITOR(poll, init)
