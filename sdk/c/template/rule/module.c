/* Finds refusals at a vault; which events it looks at is in rule.yaml. */
#include "vedette.h"

/* The `reads` of module.yaml, in order. */
enum { DOOR, BADGE };

static void eval(const vedette_row *r, vedette_findings *f)
{
	uint8_t bytes[VEDETTE_MAX_TEXT];
	vedette_buffer reason = VEDETTE_BUFFER(bytes);
	vedette_text door = vedette_cell(r, DOOR), badge = vedette_cell(r, BADGE), rest;
	if (!vedette_prefix(door, "vault", &rest))
		return;
	vedette_append(&reason, badge);
	vedette_append(&reason, VEDETTE_TEXT(" was refused at "));
	vedette_append(&reason, door);
	vedette_add(f, VEDETTE_HIGH, VEDETTE_NOWHERE, vedette_built(&reason), badge);
}

VEDETTE_RULE(eval, NULL)
