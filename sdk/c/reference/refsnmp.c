/* The reference monitor of the C SDK over SNMP: how long a device runs, and which of its interfaces are down. The same monitor
 * in Go and Rust gives the same bytes. */
#include "vedette.h"

/* The name under which the manifest asks for the device. */
#define TARGET VEDETTE_TEXT("target")

#define UPTIME "1.3.6.1.2.1.1.3.0"
#define NAME "1.3.6.1.2.1.1.5.0"
#define STATUS "1.3.6.1.2.1.2.2.1.8" /* of interfaces */

enum { DOWN = 2 };

static bool poll(vedette_poll *p)
{
	static uint8_t record[64 << 10], cursor[20];
	vedette_buffer b = VEDETTE_BUFFER(record), next = VEDETTE_BUFFER(cursor);
	vedette_variables list;
	vedette_variable uptime, name, v;
	uint64_t before = 0;
	if (!vedette_snmp_get(TARGET, VEDETTE_TEXT(UPTIME " " NAME), &list))
		return vedette_poll_fail_text(p, list.answer);
	if (!vedette_variable_at(&list, 0, &uptime) || !vedette_variable_at(&list, 1, &name) || uptime.type != VEDETTE_SNMP_TICKS)
		return vedette_poll_fail(p, "the device does not say how long it runs");
	vedette_append(&b, VEDETTE_TEXT("{\"event.dataset\":\"ref.snmp\",\"ref.at\":"));
	vedette_append_int(&b, p->at);
	vedette_append(&b, VEDETTE_TEXT(",\"host.uptime\":"));
	vedette_append_uint(&b, uptime.number / 100);
	if (name.type == VEDETTE_SNMP_TEXT) {
		vedette_append(&b, VEDETTE_TEXT(",\"host.name\":\""));
		vedette_append_json(&b, name.text);
		vedette_append_byte(&b, '"');
	}
	vedette_uint(p->cursor, &before);
	if (uptime.number < before)
		vedette_append(&b, VEDETTE_TEXT(",\"event.action\":\"restarted\""));
	if (!vedette_snmp_walk(TARGET, VEDETTE_TEXT(STATUS), &list)) /* what was answered before lasted until here */
		return vedette_poll_fail_text(p, list.answer);
	vedette_append(&b, VEDETTE_TEXT(",\"ref.down\":["));
	for (uint32_t i = 0, n = 0; vedette_variable_at(&list, i, &v); i++) {
		if (v.type != VEDETTE_SNMP_INT || (int64_t)v.number != DOWN)
			continue;
		vedette_append(&b, n++ ? VEDETTE_TEXT(",\"") : VEDETTE_TEXT("\""));
		vedette_append(&b, vedette_skip(v.oid, sizeof STATUS));
		vedette_append_byte(&b, '"');
	}
	vedette_append(&b, VEDETTE_TEXT("],\"ref.interfaces\":"));
	vedette_append_uint(&b, list.n);
	if (list.more)
		vedette_append(&b, VEDETTE_TEXT(",\"ref.cut\":true"));
	vedette_append_byte(&b, '}');
	vedette_put_record(p, vedette_built(&b));
	vedette_append_uint(&next, uptime.number);
	p->next = vedette_built(&next);
	return true;
}

VEDETTE_MONITOR(poll, NULL)
