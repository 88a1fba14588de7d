#include "vedette_test.h"

#include "reference/refhttp.c"

int main(void)
{
	const char *record, *cursor;
	assert(vedette_test_init("{\"path\":\"health\"}") != NULL);
	assert(vedette_test_init("{ \"other\": [1, \"}\"], \"path\" : \"/h\\u00e9\\\"\" }") == NULL);
	vedette_test_http.status = 200;
	vedette_test_http.text = "fine";
	assert(vedette_test_poll(7, "41", &record, &cursor) == NULL);
	assert(strcmp(vedette_test_http.target, "target") == 0 && strcmp(vedette_test_http.path, "/hé\"") == 0);
	assert(strcmp(cursor, "42") == 0);
	assert(strcmp(record, "{\"event.dataset\":\"ref.http\",\"ref.at\":7,\"ref.poll\":42,\"url.path\":\"/hé\\\"\",\"event.outcome\":\"success\","
			      "\"http.response.status_code\":200,\"http.response.body.bytes\":4,\"event.duration\":0}") == 0);

	vedette_test_http.status = 0;
	vedette_test_http.text = "E_HOST_IO: \"down\"";
	assert(vedette_test_poll(7, "", &record, &cursor) == NULL);
	assert(strstr(record, "\"event.outcome\":\"failure\",\"error.message\":\"E_HOST_IO: \\\"down\\\"\"}"));
	assert(strcmp(vedette_test_poll(7, "x", &record, &cursor), "the cursor is no number") == 0);
	puts("ok");
	return 0;
}
