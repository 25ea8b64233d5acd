#include "signetd/keeper/batch.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "ledger/ledger_exposed.h"
#include "signetd/keeper/renewal.h"

#include <stdlib.h>
#include <string.h>

#define OWED_MAX 256
#define REASON_UNSPECIFIED 0 /* RFC 5280 5.3.1 */

/* What one question will be answered. */
struct answer {
	enum msg_type type; /* of the question */
	uint32_t id;
	char ref[16];
	char ca[64];
	enum fault_code fault;
	uint8_t serial[20];
	size_t serial_len;
};

/* A serial that is still to be voided. */
struct owed {
	char ca[64];
	uint8_t serial[20];
	size_t serial_len;
};

struct batch {
	struct ledger *ledger;
	struct books *books;
	batch_say_fn *say;
	void *arg;
	int64_t renewal_limit;
	bool begun;
	bool failed;
	struct fault cause;
	size_t count;
	size_t owed;
	struct answer answer[BATCH_MAX];
	struct owed owe[OWED_MAX];
};

struct batch *
batch_new(struct ledger *ledger, struct books *books, batch_say_fn *say,
    void *arg, struct fault *f)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for a transaction");
		return NULL;
	}
	b->ledger = ledger;
	b->books = books;
	b->say = say;
	b->arg = arg;
	return b;
}

void
batch_free(struct batch *b)
{
	free(b);
}

void
batch_set_books(struct batch *b, struct books *books)
{
	b->books = books;
}

void
batch_set_renewal(struct batch *b, int64_t limit)
{
	b->renewal_limit = limit;
}

/* Serials that could not be voided when they should have been.  One that is
 * refused has an outcome by now, and is owed no more. */
static int
pay_owed(struct batch *b, struct fault *f)
{
	for (size_t i = 0; i < b->owed; i++) {
		const struct owed *o = &b->owe[i];
		struct wire_bytes serial = { o->serial, o->serial_len };

		if (ledger_void(b->ledger, o->ca, serial, f) < 0 &&
		    ledger_spoilt(b->ledger))
			return -1;
	}
	return 0;
}

static void
fail(const struct fault *cause, struct batch *b)
{
	if (!b->failed)
		b->cause = *cause;
	b->failed = true;
}

static void
begin(struct batch *b)
{
	struct fault f = { 0 };

	b->begun = true;
	b->failed = false;
	if (ledger_begin(b->ledger, &f) < 0 || pay_owed(b, &f) < 0)
		fail(&f, b);
}

static int
find_login(struct batch *b, const struct msg_reserve *ask,
    struct ledger_intent *intent, time_t now, struct fault *f)
{
	const struct book *issuer = books_issuer(b->books, ask->shown_issuer);
	const struct renewal shown = {
		.ca = issuer != NULL ? issuer->authority.conf.name : NULL,
		.serial = ask->shown_serial,
		.limit = b->renewal_limit,
	};

	return renewal_login(b->ledger, intent, &shown, now, f);
}

static int
reserve(struct batch *b, const struct msg_reserve *ask, struct answer *answer,
    struct fault *f)
{
	struct book *book = books_find(b->books, ask->ca);
	const time_t now = clock_wall();
	struct ledger_intent intent = {
		.ca = ask->ca,
		.ref = ask->ref,
		.peer = ask->peer,
		.username = ask->username,
		.principal = ask->principal,
		.method = ask->method,
		.subject = ask->subject,
		.profile = ask->profile,
		.not_before = (time_t)ask->not_before,
		.not_after = (time_t)ask->not_after,
		.request = *ask->request != '\0' ? ask->request : NULL,
	};
	uint64_t left;

	if (book == NULL)
		return fault_set(f, FAULT_DENIED, "no CA is called %s",
		    ask->ca);
	if (renewal_allowed(b->ledger, &intent, now, f) < 0 ||
	    find_login(b, ask, &intent, now, f) < 0 ||
	    (ask->spki.len > 0 &&
		ledger_key_refuse(b->ledger, ask->spki, f) < 0))
		return -1;
	if (ledger_reserve(b->ledger, &intent, &book->numbering, answer->serial,
		&answer->serial_len, &left, f) < 0)
		return -1;
	if (books_low(book, left))
		LOG(SERIALS_LOW, LOG_TEXT("ca", ask->ca),
		    LOG_NUMBER("left", left));
	return 0;
}

static int
take_void(struct batch *b, const struct msg_void_ *ask, struct answer *answer,
    struct fault *f)
{
	/* Kept for the case that this transaction fails. */
	if (ask->serial.len <= sizeof(answer->serial)) {
		memcpy(answer->serial, ask->serial.data, ask->serial.len);
		answer->serial_len = ask->serial.len;
	}
	return ledger_void(b->ledger, ask->ca, ask->serial, f);
}

/*
 * What was signed in the shadow of a token's removal: nobody has it, but a
 * thief of the token may have the signature.  Entered and revoked in one
 * transaction, so that there is no moment at which it is good.
 */
static int
commit(struct batch *b, const struct msg_commit *ask, struct fault *f)
{
	if (ledger_commit(b->ledger, ask->ca, ask->serial, ask->der, f) < 0)
		return -1;
	if (!ask->withheld)
		return 0;
	if (ledger_revoke(b->ledger, ask->ca, ask->serial, REASON_UNSPECIFIED,
		"signetd: its token was lost", clock_wall(), f) == 0)
		return 0;
	/* The one without the other must not stay. */
	fail(f, b);
	return -1;
}

static const char *
ca_of(const struct msg *m)
{
	if (m->type == MSG_RESERVE)
		return m->reserve.ca;
	if (m->type == MSG_COMMIT)
		return m->commit.ca;
	return m->type == MSG_VOID ? m->void_.ca : NULL;
}

static int
write_down(struct batch *b, const struct msg *m, struct answer *answer,
    struct fault *f)
{
	if (m->type == MSG_RESERVE) {
		answer->id = m->reserve.id;
		memcpy(answer->ref, m->reserve.ref, sizeof(answer->ref));
		return reserve(b, &m->reserve, answer, f);
	}
	if (m->type == MSG_COMMIT) {
		answer->id = m->commit.id;
		return commit(b, &m->commit, f);
	}
	return take_void(b, &m->void_, answer, f);
}

/* A refusal is for the one who asked; what the operator should see of it. */
static void
refuse(const struct fault *f, struct answer *answer)
{
	answer->fault = f->code;
	log_fault(f, *answer->ref != '\0' ? answer->ref : NULL);
}

void
batch_take(struct batch *b, const struct msg *m)
{
	struct answer *answer = &b->answer[b->count];
	const char *ca = ca_of(m);
	struct fault f = { 0 };

	if (ca == NULL)
		return;
	if (!b->begun)
		begin(b);
	memset(answer, 0, sizeof(*answer));
	answer->type = m->type;
	memcpy(answer->ca, ca, sizeof(answer->ca));
	b->count++;
	if (write_down(b, m, answer, &f) < 0) {
		if (b->failed || ledger_spoilt(b->ledger))
			fail(&f, b);
		else
			refuse(&f, answer);
	}
	if (b->count == BATCH_MAX)
		batch_end(b);
}

static void
say(struct batch *b, const struct answer *answer)
{
	struct wire_bytes serial = { answer->serial, answer->serial_len };
	struct msg m = { .type = MSG_COUNT };

	if (answer->type == MSG_RESERVE) {
		m.type = MSG_RESERVED;
		m.reserved.id = answer->id;
		m.reserved.fault = answer->fault;
		if (answer->fault == FAULT_NONE)
			m.reserved.serial = serial;
	} else if (answer->type == MSG_COMMIT) {
		m.type = MSG_COMMITTED;
		m.committed.id = answer->id;
		m.committed.fault = answer->fault;
	}
	if (m.type != MSG_COUNT)
		b->say(b->arg, &m);
}

static void
owe(struct batch *b, const struct answer *answer)
{
	struct owed *o = &b->owe[b->owed];

	/* Past this, the next start of the daemon voids them. */
	if (b->owed == OWED_MAX || answer->serial_len == 0)
		return;
	memcpy(o->ca, answer->ca, sizeof(o->ca));
	memcpy(o->serial, answer->serial, sizeof(o->serial));
	o->serial_len = answer->serial_len;
	b->owed++;
}

static void
take_back(struct batch *b)
{
	ledger_cancel(b->ledger);
	LOG(LEDGER_FAULT, LOG_TEXT("text", b->cause.text));
	for (size_t i = 0; i < b->count; i++) {
		b->answer[i].fault = FAULT_LEDGER;
		if (b->answer[i].type == MSG_VOID)
			owe(b, &b->answer[i]);
	}
}

void
batch_end(struct batch *b)
{
	size_t count = b->count;
	struct fault f = { 0 };

	if (!b->begun)
		return;
	if (!b->failed && ledger_end(b->ledger, &f) < 0)
		fail(&f, b);
	if (b->failed)
		take_back(b);
	else
		b->owed = 0;
	b->begun = false;
	b->count = 0;
	for (size_t i = 0; i < count; i++)
		say(b, &b->answer[i]);
}
