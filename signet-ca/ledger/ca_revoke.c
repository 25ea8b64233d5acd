/* revoke and release: what is no longer, or is again, to be believed. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ca_book.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_reason.h"
#include "signet-ca/base/ca_serials.h"
#include "signet-ca/office/ca_desk.h"
#include "signet-ca/sign/ca_sign.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 1000   /* certificates in one durable transaction */
#define TOLD_MOST 10 /* serials that are named one by one */

static const struct {
	int code;
	const char *word;
} reasons[] = {
#define REASON(code, word) { code, word },
#include "signet-ca/base/ca_reason.def"
#undef REASON
};

const char *
ca_book_reason(int code)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			return reasons[i].word;
	return "unknown";
}

/* One run of revoke or release. */
struct work {
	struct ledger *l;
	const char *ca;
	const char *who;
	int reason;
	bool release;
	bool dry;
	bool told; /* progress, on a terminal */
	uint64_t done;
	uint64_t already;
	uint64_t unknown;
	uint64_t refused; /* release: what is revoked for good */
	uint64_t expired; /* found, but past its end */
};

enum deed {
	DEED_DO,
	DEED_ALREADY,
	DEED_UNKNOWN,
	DEED_REFUSED
};

/* What a certificate in ${state} calls for. */
static enum deed
deed_for(const struct work *w, enum ledger_state state)
{
	switch (state) {
	case LEDGER_ISSUED:
		return w->release ? DEED_ALREADY : DEED_DO;
	case LEDGER_HELD:
		return w->release || w->reason != 6 ? DEED_DO : DEED_ALREADY;
	case LEDGER_REVOKED:
		return w->release ? DEED_REFUSED : DEED_ALREADY;
	case LEDGER_RESERVED:
	case LEDGER_VOID:
		return DEED_UNKNOWN;
	}
	return DEED_UNKNOWN;
}

/* The first few that nothing can be done about are named. */
static void
tell(const struct work *w, const struct ca_serial *serial, const char *what)
{
	char text[2 * CA_SERIAL_SIZE + 1];

	if (w->unknown + w->refused > TOLD_MOST)
		return;
	ca_serial_text(serial, text);
	fprintf(stderr, "signet-ca: %s %s\n", text, what);
}

static int
do_it(const struct work *w, struct wire_bytes serial, struct fault *f)
{
	if (w->dry)
		return 0;
	if (w->release)
		return ledger_release(w->l, w->ca, serial, w->who, f);
	return ledger_revoke(w->l, w->ca, serial, w->reason, w->who,
	    clock_wall(), f);
}

static int
work_one(struct work *w, const struct ca_serial *item, struct fault *f)
{
	const struct wire_bytes serial = { item->data, sizeof(item->data) };
	enum ledger_state state = LEDGER_VOID;
	int found = ledger_state_find(w->l, w->ca, serial, &state, f);

	if (found < 0)
		return -1;
	switch (found == 0 ? DEED_UNKNOWN : deed_for(w, state)) {
	case DEED_DO:
		w->done++;
		return do_it(w, serial, f);
	case DEED_ALREADY:
		w->already++;
		return 0;
	case DEED_UNKNOWN:
		w->unknown++;
		tell(w, item, "was never issued");
		return 0;
	case DEED_REFUSED:
		w->refused++;
		tell(w, item, "is revoked for good: only a hold is let go");
		return 0;
	}
	return 0;
}

static int
work_batch(struct work *w, const struct ca_serial *items, size_t count,
    struct fault *f)
{
	int result = 0;

	if (!w->dry && ledger_begin(w->l, f) < 0)
		return -1;
	for (size_t i = 0; i < count && result == 0; i++)
		result = work_one(w, &items[i], f);
	if (w->dry)
		return result;
	return ledger_settle(w->l, result, f);
}

static int
work_all(struct work *w, const struct ca_serials *s, struct fault *f)
{
	for (size_t at = 0; at < s->count; at += BATCH) {
		size_t count = s->count - at < BATCH ? s->count - at : BATCH;

		if (work_batch(w, s->item + at, count, f) < 0)
			return fault_wrap(f,
			    "after %zu of %zu, which are durable (run it again "
			    "for the others)",
			    at, s->count);
		if (w->told && s->count > BATCH)
			fprintf(stderr, "\r%zu of %zu", at + count, s->count);
	}
	if (w->told && s->count > BATCH)
		fprintf(stderr, "\n");
	return 0;
}

/* Certificates that a filter finds. */
struct finding {
	struct ca_serials *serials;
	time_t now;
	uint64_t expired;
	struct fault *f;
};

static int
find_line(void *arg, const struct ledger_line *line)
{
	struct finding *finding = arg;

	if (line->state != LEDGER_ISSUED && line->state != LEDGER_HELD &&
	    line->state != LEDGER_REVOKED)
		return 0;
	/* An expired one is not on any list, whatever the book says. */
	if (line->intent.not_after < finding->now) {
		finding->expired++;
		return 0;
	}
	return ca_serials_add(finding->serials, line->serial, finding->f) < 0
	    ? 1
	    : 0;
}

static int
find_all(struct work *w, const struct ca_args *args, struct ca_serials *s,
    struct fault *f)
{
	struct finding finding = { .serials = s, .now = clock_wall(), .f = f };
	const struct ledger_filter filter = {
		.ca = w->ca, .subject = args->subject, .asker = args->requester
	};
	int result;

	if (args->subject == NULL && args->requester == NULL)
		return 0;
	result = ledger_each(w->l, &filter, find_line, &finding, f);
	w->expired = finding.expired;
	return result == 0 ? 0 : -1;
}

static int
gather(struct work *w, const struct ca_args *args, struct ca_serials *s,
    struct fault *f)
{
	for (size_t i = 1; i < args->count; i++)
		if (ca_serials_add(s, args->operand[i], f) < 0)
			return -1;
	if (args->serials != NULL && ca_serials_read(s, args->serials, f) < 0)
		return -1;
	if (find_all(w, args, s, f) < 0)
		return -1;
	if (args->count < 2 && args->serials == NULL && args->subject == NULL &&
	    args->requester == NULL)
		return fault_set(f, FAULT_USAGE,
		    "which? Name serials, --serials FILE%s",
		    w->release ? "" : ", --subject DN or --requester WHO");
	ca_serials_sort(s);
	return 0;
}

static int
print_json(const struct work *w)
{
	json_t *out = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I}", "ca",
	    w->ca, "dry_run", w->dry, w->release ? "released" : "revoked",
	    (json_int_t)w->done, "already", (json_int_t)w->already, "unknown",
	    (json_int_t)w->unknown, "refused", (json_int_t)w->refused,
	    "expired", (json_int_t)w->expired);
	int result =
	    out == NULL ? -1 : json_dumpf(out, stdout, JSON_PRESERVE_ORDER);

	putchar('\n');
	json_decref(out);
	return result;
}

static void
print_text(const struct work *w, const char *dir, bool online)
{
	printf("%s%s %llu", w->dry ? "would have " : "",
	    w->release ? "released" : "revoked", (unsigned long long)w->done);
	if (w->already > 0)
		printf(", %s %llu",
		    w->release ? "not on hold" : "revoked before",
		    (unsigned long long)w->already);
	if (w->expired > 0)
		printf(", expired and left alone %llu",
		    (unsigned long long)w->expired);
	putchar('\n');
	if (w->done == 0 || w->dry)
		return;
	if (online)
		printf("signetd puts it on its next list of %s\n", w->ca);
	else
		printf("The list that says so is made by: signet-ca crl %s "
		       "--out FILE\n",
		    dir);
}

static int
report(const struct work *w, const struct ca_dir *d, const struct ca_args *args,
    struct fault *f)
{
	if (args->json) {
		if (print_json(w) < 0)
			return fault_set(f, FAULT_MEMORY, "JSON");
		/* One object is the whole answer; the status says the rest. */
		return fault_exit_status(w->unknown > 0 ? FAULT_ABSENT
			: w->refused > 0		? FAULT_DENIED
							: FAULT_NONE);
	}
	print_text(w, args->operand[0], d->authority.conf.online);
	if (w->unknown > 0)
		return fault_set(f, FAULT_ABSENT,
		    "%llu of the serials %s never issued (by its ledger)",
		    (unsigned long long)w->unknown, w->ca);
	if (w->refused > 0)
		return fault_set(f, FAULT_DENIED,
		    "revoked for good: %llu of them (only a hold is let go)",
		    (unsigned long long)w->refused);
	return 0;
}

/* A rehearsal needs no right to write, and voids nothing. */
static struct ledger *
open_book(const char *path, bool dry, struct fault *f)
{
	return dry ? ledger_open_read(path, f) : ledger_open(path, NULL, f);
}

static int
run(const struct ca_args *args, struct work *w, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = NULL;
	OWN_STRUCT(ledger) l = NULL;
	OWN_SERIALS(serials);
	char path[PATH_MAX];

	if (args->count == 0)
		return fault_set(f, FAULT_USAGE,
		    "a CA's directory, or --office for one that signetd "
		    "serves");
	if ((d = ca_dir_open(args->operand[0], f)) == NULL ||
	    ca_dir_ledger(d, args->ledger, path, sizeof(path), f) < 0)
		return -1;
	/* A slip in the path must not make a new book. */
	if (access(path, F_OK) < 0)
		return fault_set(f, FAULT_ABSENT, "%s: there is no ledger",
		    path);
	if ((l = open_book(path, args->dry_run, f)) == NULL)
		return -1;
	w->l = l;
	w->ca = d->authority.conf.name;
	w->who = ca_sign_operator();
	w->dry = args->dry_run;
	w->told = isatty(STDERR_FILENO) == 1;
	if (gather(w, args, &serials, f) < 0 || work_all(w, &serials, f) < 0)
		return -1;
	return report(w, d, args, f);
}

int
ca_revoke(const struct ca_args *args, struct fault *f)
{
	struct work w = { 0 };

	if (args->office != NULL)
		return ca_desk_revoke(args, f);
	if (ca_reason_read(args->reason, &w.reason, f) < 0)
		return -1;
	return run(args, &w, f);
}

int
ca_revoke_cert(const struct ca_args *args, struct fault *f)
{
	return ca_revoke(args, f);
}

int
ca_release(const struct ca_args *args, struct fault *f)
{
	struct work w = { .release = true };

	if (args->office != NULL)
		return ca_desk_release(args, f);
	return run(args, &w, f);
}
