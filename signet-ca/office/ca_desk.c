/* request submit, list, show, approve, reject, withdraw and fetch; revoke and
 * release by way of the daemon; office whoami and search. */
#include "ca_desk.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "office/request.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_reason.h"
#include "signet-ca/sign/ca_change.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
ca_desk_is_id(const char *text)
{
	return strlen(text) == REQUEST_ID_SIZE - 1 &&
	    strspn(text, "0123456789abcdef") == REQUEST_ID_SIZE - 1;
}

static int
set(char *to, size_t size, const char *from, const char *what, struct fault *f)
{
	if (from != NULL && text_copy(to, size, from) < 0)
		return fault_set(f, FAULT_USAGE, "%s is too long", what);
	return 0;
}

#define SET(field, from, what) set((field), sizeof(field), (from), (what), f)

/* ---- one request */

static void
print_state(const json_t *body)
{
	long long needed = ca_desk_number(body, "needed");

	printf("%s %s", ca_desk_text(body, "request"),
	    ca_desk_text(body, "state"));
	if (*ca_desk_text(body, "serial") != '\0')
		printf(" serial %s", ca_desk_text(body, "serial"));
	else if (strcmp(ca_desk_text(body, "state"), "open") == 0)
		printf(" approved by %lld of %lld",
		    ca_desk_number(body, "approvals"), needed);
	printf(" %s %s, asked by %s\n", ca_desk_text(body, "ca"),
	    ca_desk_text(body, "subject"), ca_desk_text(body, "who"));
}

/* What is approved and not signed is a failure, if one that may pass. */
static int
check_problem(const json_t *body, struct fault *f)
{
	const char *text = ca_desk_text(body, "problem_text");

	if (*ca_desk_text(body, "problem") == '\0')
		return 0;
	return fault_set(f, FAULT_FAILED,
	    "it is written down, but no certificate was made (%s: %s); the "
	    "daemon tries again, and so may you",
	    ca_desk_text(body, "problem"), text);
}

/* Say ${ask}, and print how the request stands then. */
static int
ask_and_print(const struct ca_args *args, struct desk_ask *ask, struct fault *f)
{
	json_t *body = ca_desk_once(args->office, ask, f);
	int result;

	desk_ask_clear(ask);
	if (body == NULL)
		return -1;
	result = check_problem(body, f);
	if (args->json)
		return ca_desk_print(body, f) < 0 ? -1 : result;
	print_state(body);
	json_decref(body);
	return result;
}

int
ca_desk_submit(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask = { .verb = DESK_SUBMIT };
	const char *path = args->operand[0];
	OWN_STRUCT(request) r = NULL;
	int result;

	ask.file = BUF(REQUEST_FILE_MAX + 1);
	result = strcmp(path, "-") == 0
	    ? file_read_fd(STDIN_FILENO, "standard input", &ask.file, f)
	    : file_read(path, &ask.file, f);
	/* What the office would refuse unread is refused here. */
	if (result == 0) {
		r = request_read((struct wire_bytes){ ask.file.data,
				     ask.file.len },
		    f);
		if (r == NULL)
			result = fault_wrap(f, "%s", path);
	}
	if (result < 0) {
		desk_ask_clear(&ask);
		return -1;
	}
	return ask_and_print(args, &ask, f);
}

static int
about_one(const struct ca_args *args, enum desk_verb verb, struct desk_ask *ask,
    struct fault *f)
{
	const char *id = args->operand[0];

	memset(ask, 0, sizeof(*ask));
	ask->verb = verb;
	if (!ca_desk_is_id(id))
		return fault_set(f, FAULT_USAGE,
		    "%s is not a request's identifier (20 hexadecimal "
		    "digits)",
		    id);
	if (SET(ask->request, id, "the identifier") < 0 ||
	    SET(ask->reason, args->reason, "--reason") < 0)
		return -1;
	return SET(ask->ca, args->ca, "--ca");
}

int
ca_desk_approve(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask;

	return about_one(args, DESK_APPROVE, &ask, f) < 0
	    ? -1
	    : ask_and_print(args, &ask, f);
}

int
ca_desk_reject(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask;

	if (cmd_need(args->reason, "--reason", f) < 0 ||
	    about_one(args, DESK_REJECT, &ask, f) < 0)
		return -1;
	return ask_and_print(args, &ask, f);
}

int
ca_desk_withdraw(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask;

	return about_one(args, DESK_WITHDRAW, &ask, f) < 0
	    ? -1
	    : ask_and_print(args, &ask, f);
}

int
ca_desk_fetch(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask;
	OWN_BUF(reply, REPLY_FILE_MAX);
	json_t *body;
	const char *text;
	bool to_stdout;
	int result = 0;

	if (cmd_need(args->out, "--out", f) < 0 ||
	    about_one(args, DESK_FETCH, &ask, f) < 0)
		return -1;
	to_stdout = strcmp(args->out, "-") == 0;
	if ((!to_stdout && ca_file_possible(args->out, f) < 0) ||
	    (body = ca_desk_once(args->office, &ask, f)) == NULL)
		return -1;
	text = ca_desk_text(body, "reply");
	buf_text(&reply, text);
	if (to_stdout)
		fputs(text, stdout);
	else
		result = ca_file_put(args->out, 0644, &reply, f);
	if (result == 0 && args->json && !to_stdout) {
		(void)json_object_del(body, "reply");
		return ca_desk_print(body, f);
	}
	json_decref(body);
	return result;
}

/* ---- show */

static void
print_decisions(const json_t *list)
{
	size_t i;
	const json_t *one;

	json_array_foreach(list, i, one)
	{
		printf("  %s by %s (%s) at %s", ca_desk_text(one, "verdict"),
		    ca_desk_text(one, "who"), ca_desk_text(one, "method"),
		    ca_desk_text(one, "when"));
		if (*ca_desk_text(one, "text") != '\0')
			printf(": %s", ca_desk_text(one, "text"));
		printf("\n");
	}
}

/* What a renewal changes. */
static int
print_renewed(const json_t *renewed, const struct request *r, struct fault *f)
{
	OWN_STRUCT(ca_change) c = NULL;
	struct dn subject;
	const struct ca_next next = { .subject = &subject,
		.spki = &r->csr.spki,
		.profile = r->profile,
		.dns = r->dns.item,
		.mail = r->emails.item };

	if (*r->renews == '\0')
		return 0;
	if (renewed == NULL) {
		printf("It renews certificate %s, which this CA HAS NOT "
		       "ISSUED\n",
		    r->renews);
		return 0;
	}
	c = ca_change_read(ca_desk_text(renewed, "certificate"),
	    ca_desk_text(renewed, "profile"), f);
	if (c == NULL || dn_read_slash(&subject, r->subject, f) < 0)
		return fault_wrap(f, "what the daemon gave");
	printf("It renews certificate %s%s:\n", r->renews,
	    json_is_true(json_object_get(renewed, "revoked"))
		? ", which IS REVOKED"
		: "");
	ca_change_show(c, &next, "  ", stdout);
	return 0;
}

/* The daemon's word on how it stands; the file itself is read here. */
static int
print_request(const json_t *body, struct fault *f)
{
	const char *file = ca_desk_text(body, "file");
	OWN_STRUCT(request) r =
	    request_read((struct wire_bytes){ (const uint8_t *)file,
			     strlen(file) },
		f);

	if (r == NULL)
		return fault_wrap(f, "what the daemon gave");
	print_state(body);
	printf("  at %s from %s by %s\n", ca_desk_text(body, "when"),
	    ca_desk_text(body, "peer"), ca_desk_text(body, "method"));
	print_decisions(json_object_get(body, "decisions"));
	ca_form_show(r, "  ", stdout);
	return print_renewed(json_object_get(body, "renewed"), r, f);
}

int
ca_desk_show(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask;
	json_t *body;
	int result;

	if (about_one(args, DESK_SHOW, &ask, f) < 0 ||
	    (body = ca_desk_once(args->office, &ask, f)) == NULL)
		return -1;
	if (args->json)
		return ca_desk_print(body, f);
	result = print_request(body, f);
	json_decref(body);
	return result;
}

/* ---- lists */

struct printing {
	bool json;
	bool certificates;
	unsigned long count;
};

static int
print_item(void *arg, json_t *item)
{
	struct printing *p = arg;

	if (p->json) {
		fputs(p->count++ > 0 ? ",\n " : "[", stdout);
		return json_dumpf(item, stdout, JSON_COMPACT) < 0;
	}
	p->count++;
	if (!p->certificates) {
		printf("%s ", ca_desk_text(item, "when"));
		print_state(item);
		return 0;
	}
	printf("%s %-8s %s %s %s (%s, %s)\n", ca_desk_text(item, "when"),
	    ca_desk_text(item, "state"), ca_desk_text(item, "serial"),
	    ca_desk_text(item, "ca"), ca_desk_text(item, "subject"),
	    ca_desk_text(item, "who"), ca_desk_text(item, "method"));
	return 0;
}

/* Page after page, to the end or to ${most} of them (0: all). */
static int
list_pages(const struct ca_args *args, struct desk_ask *ask, struct printing *p,
    unsigned long most, struct fault *f)
{
	OWN_STRUCT(ca_desk) d = ca_desk_open(args->office, f);
	bool more = true;

	if (d == NULL)
		return -1;
	while (more && (most == 0 || p->count < most)) {
		json_t *end;

		ask->limit = most == 0 ? 100 : most - p->count;
		if (ask->limit > 100)
			ask->limit = 100;
		end = ca_desk_ask(d, ask, print_item, p, f);
		if (end == NULL)
			return -1;
		more = json_is_true(json_object_get(end, "more"));
		ask->after = (uint64_t)ca_desk_number(end, "last");
		json_decref(end);
	}
	if (args->json)
		fputs(p->count > 0 ? "]\n" : "[]\n", stdout);
	return 0;
}

static int
list(const struct ca_args *args, enum desk_verb verb, bool open,
    struct fault *f)
{
	struct desk_ask ask = { .verb = verb, .open = open };
	struct printing p = { .json = args->json,
		.certificates = verb == DESK_SEARCH };
	int64_t most = 0;

	if (SET(ask.ca, args->ca, "--ca") < 0 ||
	    (args->count > 0 &&
		SET(ask.text, args->operand[0], "what is looked for") < 0) ||
	    cmd_number(args->limit, "--limit", 1, 1000000000, 0, &most, f) < 0)
		return -1;
	return list_pages(args, &ask, &p, (unsigned long)most, f);
}

int
ca_desk_list(const struct ca_args *args, struct fault *f)
{
	return list(args, DESK_LIST, args->open, f);
}

int
ca_desk_search(const struct ca_args *args, struct fault *f)
{
	return list(args, DESK_SEARCH, args->revoked, f);
}

int
ca_desk_whoami(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask = { .verb = DESK_WHOAMI };
	json_t *body = ca_desk_once(args->office, &ask, f);
	const json_t *role;
	size_t i;

	if (body == NULL)
		return -1;
	if (args->json)
		return ca_desk_print(body, f);
	printf("%s (%s)", ca_desk_text(body, "who"),
	    ca_desk_text(body, "method"));
	json_array_foreach(json_object_get(body, "roles"), i, role)
	    printf(" %s", json_string_value(role));
	printf("\n");
	json_decref(body);
	return 0;
}

/* ---- revoke and release */

/* Each serial by itself; a subject or a requester is one, too. */
static int
change_all(const struct ca_args *args, struct desk_ask *ask, long long *count,
    struct fault *f)
{
	OWN_STRUCT(ca_desk) d = ca_desk_open(args->office, f);
	size_t n = 0;

	if (d == NULL)
		return -1;
	do {
		json_t *body;

		if (args->count > 0 &&
		    SET(ask->serial, args->operand[n], "the serial number") < 0)
			return -1;
		if ((body = ca_desk_ask(d, ask, NULL, NULL, f)) == NULL)
			return args->count > 1
			    ? fault_wrap(f, "%s", args->operand[n])
			    : -1;
		*count += ca_desk_number(body, "count");
		json_decref(body);
	} while (++n < args->count);
	return 0;
}

static int
change(const struct ca_args *args, struct desk_ask *ask, const char *done,
    struct fault *f)
{
	long long count = 0;

	if (args->serials != NULL || args->dry_run || args->ledger != NULL)
		return fault_set(f, FAULT_USAGE,
		    "--serials, --dry-run and --ledger do not go with "
		    "--office");
	if (SET(ask->ca, args->ca, "--ca") < 0 ||
	    SET(ask->subject, args->subject, "--subject") < 0 ||
	    SET(ask->who, args->requester, "--requester") < 0 ||
	    change_all(args, ask, &count, f) < 0)
		return -1;
	if (args->json)
		return ca_desk_print(json_pack("{s:I}", done,
					 (json_int_t)count),
		    f);
	if (count == 0)
		printf("nothing to do: %s already\n", done);
	else
		printf("%lld %s\n", count, done);
	return 0;
}

int
ca_desk_revoke(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask = { .verb = DESK_REVOKE };
	int reason;

	if (ca_reason_read(args->reason, &reason, f) < 0)
		return -1;
	ask.cause = (uint64_t)reason;
	return change(args, &ask, "revoked", f);
}

int
ca_desk_release(const struct ca_args *args, struct fault *f)
{
	struct desk_ask ask = { .verb = DESK_RELEASE };

	return change(args, &ask, "released", f);
}
