/* The reference rule of the C SDK: refused logins of powerful accounts, and logins of nobody. The same rule in Go and Rust
 * gives the same bytes. */
#include "vedette.h"

/* The manifest's reads, in order. */
enum { ACTION, USER, SOURCE };

static void eval(const vedette_row *r, vedette_findings *f)
{
	uint8_t bytes[VEDETTE_MAX_TEXT];
	vedette_buffer b = VEDETTE_BUFFER(bytes);
	vedette_text action = vedette_cell(r, ACTION), who = vedette_cell(r, USER), from = vedette_cell(r, SOURCE);
	if (vedette_is(action, "login_refused")) {
		if (!vedette_is(who, "root") && !vedette_is(who, "admin"))
			return;
		vedette_append(&b, who);
		vedette_append(&b, VEDETTE_TEXT(" was refused from "));
		vedette_append(&b, from.p ? from : VEDETTE_TEXT("an unknown address"));
		vedette_add(f, VEDETTE_HIGH, VEDETTE_TEXT("Refused login of a powerful account"), vedette_built(&b), from);
	} else if (vedette_is(action, "login")) {
		if (!who.p) { /* the rule document says the rest */
			vedette_add(f, VEDETTE_KEEP, VEDETTE_NOWHERE, VEDETTE_NOWHERE, VEDETTE_NOWHERE);
		} else if (who.n > 64) {
			vedette_append(&b, who);
			vedette_append(&b, VEDETTE_TEXT(" logged in"));
			vedette_add(f, VEDETTE_LOW, vedette_built(&b), VEDETTE_NOWHERE, from);
		}
	}
}

VEDETTE_RULE(eval, NULL)
