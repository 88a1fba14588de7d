/* Reads "door=DOOR badge=USER result=open|refused". */
#include "vedette.h"

/* Cuts "KEY=value" off the beginning of *line, and the blank behind it. */
static bool value(vedette_text *line, vedette_text key, vedette_text *v)
{
	if (!vedette_begins(*line, key, line))
		return false;
	uint32_t n = vedette_find(*line, ' ');
	*v = vedette_slice(*line, 0, n);
	*line = vedette_skip(*line, n < line->n ? n + 1 : n);
	return true;
}

static vedette_outcome parse(const vedette_record *r, vedette_event *e)
{
	vedette_text line = r->raw, door, badge, result;
	if (!value(&line, VEDETTE_TEXT("door="), &door) || !value(&line, VEDETTE_TEXT("badge="), &badge) || !value(&line, VEDETTE_TEXT("result="), &result))
		return VEDETTE_NOT_MINE;
	vedette_put(e, ECS_EVENT_DATASET, VEDETTE_TEXT("@NAME@.log"));
	vedette_put(e, ECS_OBSERVER_NAME, door);
	vedette_put(e, ECS_USER_NAME, badge);
	vedette_put(e, ECS_EVENT_ACTION, result);
	return VEDETTE_OK;
}

VEDETTE_PARSER(parse, NULL)
