#include "vedette_test.h"

#include "module.c"

int main(void)
{
	const char *record, *cursor;
	vedette_test_http.status = 204;
	vedette_test_http.text = "";
	assert(vedette_test_poll(0, "", &record, &cursor) == NULL);
	assert(strstr(record, "\"success\",\"http.response.status_code\":204}"));
	puts("ok");
	return 0;
}
