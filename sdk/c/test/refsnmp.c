#include "vedette_test.h"

#include "reference/refsnmp.c"

/* An answer of two variables: where texts stand is counted from its beginning (ABI 15.3). */
static void variables(vedette_buffer *b, const char *oid0, uint32_t type0, uint64_t value0, const char *oid1, uint32_t type1, uint64_t value1, const char *text)
{
	uint32_t n0 = (uint32_t)strlen(oid0), n1 = (uint32_t)strlen(oid1), heap = 16 + 48;
	const uint32_t head[] = {
		0x314E5356, 2, 0, 0, heap, n0, type0, 0, (uint32_t)value0, (uint32_t)(value0 >> 32), heap + n0, n1, type1, 0,
		text ? heap + n0 + n1 : (uint32_t)value1, text ? (uint32_t)strlen(text) : (uint32_t)(value1 >> 32),
	};
	vedette_append(b, (vedette_text){(const uint8_t *)head, sizeof head});
	vedette_append(b, vedette_test_text(oid0));
	vedette_append(b, vedette_test_text(oid1));
	vedette_append(b, vedette_test_text(text ? text : ""));
}

static bool device(const char *function, vedette_text target, vedette_text request, vedette_buffer *b)
{
	assert(vedette_is(target, "target"));
	if (strcmp(function, "snmp_get") == 0) {
		assert(vedette_is(request, UPTIME " " NAME));
		variables(b, UPTIME, VEDETTE_SNMP_TICKS, 12345, NAME, VEDETTE_SNMP_TEXT, 0, "box");
	} else {
		assert(strcmp(function, "snmp_walk") == 0 && vedette_is(request, STATUS));
		variables(b, STATUS ".1", VEDETTE_SNMP_INT, 1, STATUS ".7", VEDETTE_SNMP_INT, 2, NULL);
	}
	return true;
}

static bool silent(const char *function, vedette_text target, vedette_text request, vedette_buffer *b)
{
	(void)function, (void)target, (void)request;
	vedette_append(b, VEDETTE_TEXT("E_HOST_IO: no answer"));
	return false;
}

static bool others(const char *function, vedette_text target, vedette_text request, vedette_buffer *b)
{
	(void)target;
	if (strcmp(function, "ssh_run") == 0) {
		assert(request.n == 9 && memcmp(request.p, "show\0all", 9) == 0);
		const uint32_t head[] = {(uint32_t)-1, 1, 5, 0, 3, 3};
		vedette_append(b, (vedette_text){(const uint8_t *)head, sizeof head});
		vedette_append(b, VEDETTE_TEXT("outerr"));
	} else if (strcmp(function, "config_compare") == 0) {
		const uint32_t head[] = {VEDETTE_CHANGED, 1, 2, 1, 1, 1, 5, 0};
		vedette_append(b, (vedette_text){(const uint8_t *)head, sizeof head});
		vedette_append(b, VEDETTE_TEXT("ab@@ -1"));
	} else {
		vedette_append(b, VEDETTE_TEXT("answer\0" "1\0" "status\0noerror\0answer\0" "2\0"));
	}
	return true;
}

static void the_rest(void)
{
	vedette_output o;
	vedette_difference d;
	vedette_text facts, value;
	vedette_test_answer = others;
	assert(vedette_ssh_run(TARGET, VEDETTE_TEXT("show\0all\0"), &o));
	assert(o.exit == -1 && o.cut && o.elapsed_ns == 5 && vedette_is(o.out, "out") && vedette_is(o.err, "err"));
	assert(vedette_config_compare(TARGET, VEDETTE_TEXT("running\0\0text"), &d));
	assert(d.state == VEDETTE_CHANGED && d.cut && d.added == 2 && d.removed == 1 && vedette_is(d.version, "a") && vedette_is(d.base, "b") && vedette_is(d.diff, "@@ -1"));
	assert(vedette_probe_tcp(TARGET, VEDETTE_TEXT("22"), &facts) && vedette_probe_tls(TARGET, VEDETTE_TEXT("443"), &facts));
	assert(vedette_probe_ping(TARGET, VEDETTE_TEXT("1"), &facts) && vedette_probe_dns(TARGET, VEDETTE_TEXT("example.org A"), &facts));
	assert(vedette_fact(facts, VEDETTE_TEXT("status"), 0, &value) && vedette_is(value, "noerror"));
	assert(vedette_fact(facts, VEDETTE_TEXT("answer"), 1, &value) && vedette_is(value, "2"));
	assert(!vedette_fact(facts, VEDETTE_TEXT("answer"), 2, &value) && !vedette_fact(facts, VEDETTE_TEXT("none"), 0, &value));
	vedette_test_answer = silent;
	assert(!vedette_ssh_run(TARGET, VEDETTE_TEXT("show\0"), &o) && vedette_is(o.why, "E_HOST_IO: no answer"));
	assert(!vedette_config_compare(TARGET, VEDETTE_TEXT(""), &d) && vedette_is(d.why, "E_HOST_IO: no answer"));
}

int main(void)
{
	const char *record, *cursor;
	vedette_test_answer = device;
	assert(vedette_test_poll(7, "20000", &record, &cursor) == NULL);
	assert(strcmp(cursor, "12345") == 0);
	assert(strcmp(record, "{\"event.dataset\":\"ref.snmp\",\"ref.at\":7,\"host.uptime\":123,\"host.name\":\"box\",\"event.action\":\"restarted\","
			      "\"ref.down\":[\"7\"],\"ref.interfaces\":2}") == 0);
	vedette_test_answer = silent;
	assert(strcmp(vedette_test_poll(7, "", &record, &cursor), "E_HOST_IO: no answer") == 0);
	vedette_test_answer = NULL;
	assert(strcmp(vedette_test_poll(7, "", &record, &cursor), "E_DENIED: nothing outside in a native run") == 0);
	the_rest();
	puts("ok");
	return 0;
}
