/* Asks the granted target for its front page and reports what it answered. */
#include "vedette.h"

static bool poll(vedette_poll *p)
{
	static uint8_t bytes[16 << 10];
	vedette_buffer record = VEDETTE_BUFFER(bytes);
	vedette_response r;
	vedette_append(&record, VEDETTE_TEXT("{\"event.dataset\":\"@NAME@.check\",\"event.outcome\":"));
	if (vedette_get(VEDETTE_TEXT("target"), VEDETTE_TEXT("/"), &r)) {
		vedette_append(&record, VEDETTE_TEXT("\"success\",\"http.response.status_code\":"));
		vedette_append_uint(&record, r.status);
	} else {
		vedette_append(&record, VEDETTE_TEXT("\"failure\",\"error.message\":\""));
		vedette_append_json(&record, r.why);
		vedette_append_byte(&record, '"');
	}
	vedette_append_byte(&record, '}');
	vedette_put_record(p, vedette_built(&record));
	return true; /* p->next is the cursor: what the next poll gets as p->cursor */
}

VEDETTE_MONITOR(poll, NULL)
