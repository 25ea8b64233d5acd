/* log: every entry of the book, for those who audit it. */
#include "ca_log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "ca_book.h"
#include "ledger/ledger_log.h"
#include "ledger/ledger_request.h"

#include <string.h>

#define TEXT_MOST 65536

struct printing {
	bool json;
	uint64_t count;
};

static const char *
verdict_word(int verdict)
{
	switch (verdict) {
	case LEDGER_APPROVE:
		return "approved";
	case LEDGER_REJECT:
		return "rejected";
	case LEDGER_WITHDRAW:
		return "withdrawn";
	default:
		return "unknown";
	}
}

static void
print_text(const char *before, const char *text)
{
	OWN_BUF(room, TEXT_MOST);

	if (text != NULL && *text != '\0')
		printf("%s%s", before, ca_book_safe(text, &room));
}

/* Who did it, how that is known, and from where. */
static void
print_who(const struct ledger_record *r)
{
	print_text(" by ", r->who);
	if (r->principal != NULL && *r->principal != '\0' &&
	    (r->who == NULL || strcmp(r->who, r->principal) != 0))
		print_text(" = ", r->principal);
	print_text(" (", r->method);
	print_text(r->method != NULL ? ", " : " (", r->peer);
	if (r->method != NULL || r->peer != NULL)
		putchar(')');
}

static void
print_row(const struct ledger_record *r)
{
	char when[CLOCK_TEXT_SIZE];

	clock_text(r->when, when);
	printf("%s %llu %-8s", when, (unsigned long long)r->entry, r->kind);
	print_text(" ", r->ca);
	print_text(" ", r->serial);
	if (r->number > 0)
		printf(" number %llu", (unsigned long long)r->number);
	print_text(" request ", r->request);
	print_text(" ", r->subject);
	if (r->reason >= 0)
		printf(" %s", ca_book_reason(r->reason));
	if (r->verdict > 0)
		printf(" %s", verdict_word(r->verdict));
	print_who(r);
	print_text(": ", r->text);
	putchar('\n');
}

static void
set_text(json_t *out, const char *key, const char *text)
{
	OWN_BUF(room, TEXT_MOST);

	if (text != NULL && *text != '\0')
		(void)json_object_set_new(out, key,
		    json_string(ca_book_safe(text, &room)));
}

static void
set_number(json_t *out, const char *key, uint64_t number)
{
	if (number > 0)
		(void)json_object_set_new(out, key,
		    json_integer((json_int_t)number));
}

static void
set_time(json_t *out, const char *key, time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	if (when == 0)
		return;
	clock_text(when, text);
	set_text(out, key, text);
}

static json_t *
as_json(const struct ledger_record *r)
{
	json_t *out = json_object();

	if (out == NULL)
		return NULL;
	set_number(out, "entry", r->entry);
	set_time(out, "when", r->when);
	set_text(out, "kind", r->kind);
	set_number(out, "about", r->about);
	set_text(out, "ca", r->ca);
	set_text(out, "serial", r->serial);
	set_text(out, "request", r->request);
	set_text(out, "who", r->who);
	set_text(out, "principal", r->principal);
	set_text(out, "method", r->method);
	set_text(out, "peer", r->peer);
	set_text(out, "ref", r->ref);
	set_text(out, "subject", r->subject);
	set_text(out, "profile", r->profile);
	if (r->verdict > 0)
		set_text(out, "verdict", verdict_word(r->verdict));
	set_text(out, "text", r->text);
	if (r->reason >= 0)
		set_text(out, "reason", ca_book_reason(r->reason));
	set_time(out, "revoked", r->revoked);
	set_time(out, "not_before", r->not_before);
	set_time(out, "not_after", r->not_after);
	set_number(out, "number", r->number);
	set_number(out, "bytes", r->bytes);
	return out;
}

static int
print_json(const struct ledger_record *r, bool first)
{
	json_t *object = as_json(r);
	int result;

	if (object == NULL)
		return 1;
	fputs(first ? "[" : ",\n ", stdout);
	result = json_dumpf(object, stdout, JSON_PRESERVE_ORDER) < 0 ? 1 : 0;
	json_decref(object);
	return result;
}

static int
print_record(void *arg, const struct ledger_record *r)
{
	struct printing *p = arg;

	if (p->json)
		return print_json(r, p->count++ == 0);
	print_row(r);
	return ferror(stdout) != 0;
}

static int
read_filter(const struct ca_args *args, struct ledger_log_filter *filter,
    struct fault *f)
{
	int64_t limit = 0;

	*filter = (struct ledger_log_filter){ .ca = args->ca,
		.kind = args->kind,
		.who = args->who,
		.subject = args->subject,
		.request = args->request,
		.serial = args->by_serial };
	if (cmd_date(args->since, "--since", &filter->since, f) < 0 ||
	    cmd_date(args->until, "--until", &filter->until, f) < 0 ||
	    cmd_number(args->limit, "--limit", 1, INT64_MAX, 0, &limit, f) < 0)
		return -1;
	filter->limit = (uint64_t)limit;
	return 0;
}

int
ca_log(const struct ca_args *args, struct fault *f)
{
	struct printing p = { .json = args->json };
	struct ledger_log_filter filter;
	struct ca_log log;
	int result;

	if (read_filter(args, &filter, f) < 0 || ca_log_open(args, &log, f) < 0)
		return -1;
	result = ledger_log_each(log.ledger, &filter, print_record, &p, f);
	ca_log_close(&log);
	if (p.json)
		fputs(p.count > 0 ? "]\n" : "[]\n", stdout);
	return result > 0 ? fault_set(f, FAULT_SYSTEM, "standard output")
			  : result;
}
