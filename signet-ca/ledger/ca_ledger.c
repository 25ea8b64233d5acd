/* ledger list, search, show, check: the book for people. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ca_book.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_serials.h"
#include "x509/pem.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MOST 65536

/* How lines are printed, and how many were. */
struct printing {
	bool json;
	uint64_t count;
};

static int
print_json(const struct ledger_line *line, struct printing *p)
{
	json_t *object = ca_book_json(line, false);
	int result;

	if (object == NULL)
		return 1;
	fputs(p->count > 0 ? ",\n " : "[", stdout);
	result = json_dumpf(object, stdout, JSON_PRESERVE_ORDER) < 0 ? 1 : 0;
	json_decref(object);
	return result;
}

static void
print_text(const char *before, const char *text)
{
	OWN_BUF(room, TEXT_MOST);

	printf("%s%s", before, ca_book_safe(text, &room));
}

static void
print_row(const struct ledger_line *line)
{
	char when[CLOCK_TEXT_SIZE];

	clock_text(line->when, when);
	printf("%s %-8s", when, ca_book_state(line->state));
	print_text(" ", line->serial);
	print_text(" ", line->intent.subject);
	print_text(" (", line->intent.principal);
	print_text(", ", line->intent.method);
	print_text(", ", line->intent.peer);
	print_text(", ", line->intent.ref);
	printf(")\n");
}

static int
print_line(void *arg, const struct ledger_line *line)
{
	struct printing *p = arg;
	int result = 0;

	if (p->json)
		result = print_json(line, p);
	else
		print_row(line);
	p->count++;
	return result;
}

static int
list(const struct ca_args *args, const char *text, struct fault *f)
{
	struct printing p = { .json = args->json };
	struct ledger_filter filter;
	OWN_STRUCT(ledger) l = NULL;
	int result;

	if (ca_book_filter(args, text, &filter, f) < 0 ||
	    (l = ca_book_open(args, f)) == NULL)
		return -1;
	result = ledger_each(l, &filter, print_line, &p, f);
	if (p.json)
		fputs(p.count > 0 ? "]\n" : "[]\n", stdout);
	return result > 0 ? fault_set(f, FAULT_MEMORY, "JSON") : result;
}

int
ca_ledger_list(const struct ca_args *args, struct fault *f)
{
	return list(args, NULL, f);
}

int
ca_ledger_search(const struct ca_args *args, struct fault *f)
{
	return list(args, args->operand[0], f);
}

static void
print_field(const char *name, const char *text)
{
	printf("%-12s", name);
	print_text("", text);
	putchar('\n');
}

static void
print_date(const char *name, time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(when, text);
	print_field(name, text);
}

static int
show_text(const struct ledger_line *line)
{
	const struct ledger_intent *i = &line->intent;
	OWN_BUF(pem, 1u << 20);

	printf("entry       %llu\n", (unsigned long long)line->entry);
	print_date("when", line->when);
	print_field("state", ca_book_state(line->state));
	if (line->state == LEDGER_REVOKED || line->state == LEDGER_HELD) {
		print_date("revoked", line->revoked);
		printf("reason      %d\n", line->reason);
	}
	print_field("serial", line->serial);
	print_field("ca", i->ca);
	print_field("subject", i->subject);
	print_field("principal", i->principal);
	print_field("user", i->username);
	print_field("method", i->method);
	print_field("peer", i->peer);
	print_field("reference", i->ref);
	print_field("profile", i->profile);
	print_date("not before", i->not_before);
	print_date("not after", i->not_after);
	if (line->der.len > 0) {
		pem_put(&pem, "CERTIFICATE", line->der);
		if (pem.failed)
			return 1;
		(void)fwrite(pem.data, 1, pem.len, stdout);
	}
	return 0;
}

static int
show_line(void *arg, const struct ledger_line *line)
{
	struct printing *p = arg;
	json_t *object;
	int result;

	p->count++;
	if (!p->json)
		return show_text(line);
	if ((object = ca_book_json(line, true)) == NULL)
		return 1;
	result =
	    json_dumpf(object, stdout, JSON_PRESERVE_ORDER | JSON_INDENT(1)) < 0
	    ? 1
	    : 0;
	putchar('\n');
	json_decref(object);
	return result;
}

int
ca_ledger_show(const struct ca_args *args, struct fault *f)
{
	char serial[2 * CA_SERIAL_SIZE + 1];
	const struct ledger_filter filter = { .ca = args->ca,
		.serial = serial };
	struct printing p = { .json = args->json };
	OWN_SERIALS(given);
	OWN_STRUCT(ledger) l = NULL;
	int result;

	if (ca_serials_add(&given, args->operand[0], f) < 0 ||
	    (l = ca_book_open(args, f)) == NULL)
		return -1;
	ca_serial_text(&given.item[0], serial);
	result = ledger_each(l, &filter, show_line, &p, f);
	if (result > 0)
		return fault_set(f, FAULT_MEMORY, "certificate");
	if (result == 0 && p.count == 0)
		return fault_set(f, FAULT_ABSENT, "no serial %s in the ledger",
		    args->operand[0]);
	return result;
}

int
ca_ledger_check(const struct ca_args *args, struct fault *f)
{
	OWN_STRUCT(ledger) l = ca_book_open(args, f);
	uint64_t entries = 0;
	char head[65];
	json_t *object;

	if (l == NULL || ledger_check(l, head, &entries, f) < 0)
		return -1;
	if (!args->json) {
		printf("%llu entries, head %s\n", (unsigned long long)entries,
		    head);
		return 0;
	}
	object = json_pack("{s:I, s:s}", "entries", (json_int_t)entries, "head",
	    head);
	if (object == NULL || json_dumpf(object, stdout, 0) < 0) {
		json_decref(object);
		return fault_set(f, FAULT_MEMORY, "JSON");
	}
	json_decref(object);
	putchar('\n');
	return 0;
}
