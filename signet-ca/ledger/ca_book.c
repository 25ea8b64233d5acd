#include "ca_book.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MOST 65536
#define DEFAULT_LEDGER "/var/lib/signet/ledger/ledger.db"

const char *
ca_book_path(const struct ca_args *args)
{
	return args->ledger != NULL ? args->ledger : DEFAULT_LEDGER;
}

struct ledger *
ca_book_open(const struct ca_args *args, struct fault *f)
{
	return ledger_open_read(ca_book_path(args), f);
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
	if (cmd_date(args->since, "--since", &filter->since, f) < 0 ||
	    cmd_date(args->until, "--until", &filter->until, f) < 0 ||
	    cmd_number(args->limit, "--limit", 1, INT64_MAX, 0, &limit, f) < 0)
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

const char *
ca_book_safe(const char *text, struct buf *room)
{
	const char *shown;

	if (text == NULL || *text == '\0')
		return "-";
	if (text_utf8(text, strlen(text)))
		return text;
	buf_clear(room);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c > 0x7e)
			buf_fmt(room, "\\x%02x", c);
		else
			buf_put_u8(room, c);
	}
	shown = buf_cstr(room);
	return shown == NULL ? "?" : shown;
}

static void
set_text(json_t *out, const char *key, const char *text)
{
	OWN_BUF(room, TEXT_MOST);

	(void)json_object_set_new(out, key,
	    text == NULL || *text == '\0'
		? json_null()
		: json_string(ca_book_safe(text, &room)));
}

static void
set_time(json_t *out, const char *key, time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(when, text);
	(void)json_object_set_new(out, key, json_string(text));
}

static void
set_der(json_t *out, struct wire_bytes der)
{
	OWN(char) base64 = malloc(TEXT_BASE64_SIZE(der.len));

	if (base64 == NULL)
		return;
	text_base64(der.data, der.len, base64);
	(void)json_object_set_new(out, "der", json_string(base64));
}

json_t *
ca_book_json(const struct ledger_line *line, bool whole)
{
	const struct ledger_intent *i = &line->intent;
	json_t *out = json_object();

	if (out == NULL)
		return NULL;
	(void)json_object_set_new(out, "entry",
	    json_integer((json_int_t)line->entry));
	set_time(out, "when", line->when);
	set_text(out, "state", ca_book_state(line->state));
	set_text(out, "serial", line->serial);
	set_text(out, "ca", i->ca);
	set_text(out, "subject", i->subject);
	set_text(out, "principal", i->principal);
	set_text(out, "username", i->username);
	set_text(out, "method", i->method);
	set_text(out, "peer", i->peer);
	set_text(out, "ref", i->ref);
	set_text(out, "profile", i->profile);
	set_time(out, "not_before", i->not_before);
	set_time(out, "not_after", i->not_after);
	if (line->state == LEDGER_REVOKED || line->state == LEDGER_HELD) {
		set_time(out, "revoked", line->revoked);
		(void)json_object_set_new(out, "reason",
		    json_integer(line->reason));
	}
	if (whole && line->der.len > 0)
		set_der(out, line->der);
	return out;
}
