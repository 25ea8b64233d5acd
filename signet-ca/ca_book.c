#include "ca_book.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"

#include <stdlib.h>

#define DEFAULT_LEDGER "/var/lib/signet/ledger/ledger.db"

struct ledger *
ca_book_open(const struct ca_args *args, struct fault *f)
{
	return ledger_open_read(args->ledger != NULL ? args->ledger
						     : DEFAULT_LEDGER,
	    f);
}

int
ca_book_filter(const struct ca_args *args, const char *text,
    struct ledger_filter *filter, struct fault *f)
{
	int64_t limit = 0;

	*filter = (struct ledger_filter){ .ca = args->ca,
		.serial = args->by_serial,
		.text = text,
		.revoked_only = args->revoked };
	if (ca_date(args->since, "--since", &filter->since, f) < 0 ||
	    ca_date(args->until, "--until", &filter->until, f) < 0 ||
	    ca_number(args->limit, "--limit", 1, INT64_MAX, 0, &limit, f) < 0)
		return -1;
	filter->limit = (uint64_t)limit;
	return 0;
}

const char *
ca_book_state(enum ledger_state state)
{
	switch (state) {
	case LEDGER_RESERVED:
		return "reserved";
	case LEDGER_ISSUED:
		return "issued";
	case LEDGER_VOID:
		return "void";
	case LEDGER_REVOKED:
		return "revoked";
	case LEDGER_HELD:
		return "held";
	}
	return "unknown";
}

static json_t *
json_time(time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(when, text);
	return json_string(text);
}

json_t *
ca_book_json(const struct ledger_line *line, bool whole)
{
	const struct ledger_intent *i = &line->intent;
	json_t *out = json_pack("{s:I, s:o, s:s, s:s, s:s?, s:s?, s:s?, s:s?, "
				"s:s?, s:s?, s:s?, "
				"s:s?, s:o, s:o}",
	    "entry", (json_int_t)line->entry, "when", json_time(line->when),
	    "state", ca_book_state(line->state), "serial", line->serial, "ca",
	    i->ca, "subject", i->subject, "principal", i->principal, "username",
	    i->username, "method", i->method, "peer", i->peer, "ref", i->ref,
	    "profile", i->profile, "not_before", json_time(i->not_before),
	    "not_after", json_time(i->not_after));

	if (out == NULL)
		return NULL;
	if (line->state == LEDGER_REVOKED || line->state == LEDGER_HELD) {
		(void)json_object_set_new(out, "revoked",
		    json_time(line->revoked));
		(void)json_object_set_new(out, "reason",
		    json_integer(line->reason));
	}
	if (whole && line->der.len > 0) {
		char *base64 = malloc(TEXT_BASE64_SIZE(line->der.len));

		if (base64 != NULL) {
			text_base64(line->der.data, line->der.len, base64);
			(void)json_object_set_new(out, "der",
			    json_string(base64));
		}
		free(base64);
	}
	return out;
}
