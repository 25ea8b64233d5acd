#include "signetd/issuer/office.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "signetd/decided.h"
#include "x509/cert.h"
#include "x509/mint.h"

#include <stdlib.h>
#include <string.h>

#define JOBS_MAX 64
#define WAITERS_MAX 8
#define TIMEOUT_MS 30000
#define TBS_MAX 16000
#define CERTIFICATE_MAX 16384
#define STATE_OPEN 0 /* as the ledger numbers what becomes of a request */

enum step {
	FINDING,    /* the keeper looks for the request */
	RESERVING,  /* it takes a serial */
	SIGNING,    /* the signer signs */
	COMMITTING, /* the keeper makes it durable */
};

/* One request on its way to its certificate. */
struct errand {
	uint32_t id;
	enum step step;
	/* Who is to be told: two may approve at once. */
	struct waiter {
		struct channel *desk; /* NULL: gone */
		uint32_t id;
	} waiter[WAITERS_MAX];
	size_t waiters;
	bool refused;  /* it was too late, and has been answered so */
	bool withheld; /* signed in the shadow of a token's removal */
	int64_t deadline;
	char ca[64];
	char request[32];
	char ref[RAND_REF_SIZE];
	char who[64];
	char peer[64];
	struct office_rules *rules;
	const struct profile *profile;
	const struct authority *authority;
	struct request *asked;
	struct dn subject;
	time_t not_before;
	time_t not_after;
	uint8_t serial[MINT_SERIAL_SIZE];
	size_t serial_len;
	struct buf tbs;
	struct buf certificate;
};

struct office {
	struct office_rules *rules;
	const struct ready *ready;
	struct channel *keeper;
	struct channel *signer;
	uint32_t turn;
	size_t count;
	struct errand *errand[JOBS_MAX];
};

struct office *
office_new(const struct ready *ready, struct fault *f)
{
	struct office *o = calloc(1, sizeof(*o));

	if (o == NULL)
		(void)fault_set(f, FAULT_MEMORY, "no room for the office");
	else
		o->ready = ready;
	return o;
}

static void
end(struct office *o, struct errand *e)
{
	o->errand[e->id % JOBS_MAX] = NULL;
	o->count--;
	office_rules_free(e->rules);
	request_free(e->asked);
	buf_free(&e->tbs);
	buf_free(&e->certificate);
	free(e);
}

void
office_free(struct office *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (o->errand[i] != NULL)
			end(o, o->errand[i]);
	office_rules_free(o->rules);
	free(o);
}

void
office_set_rules(struct office *o, struct office_rules *rules)
{
	office_rules_free(o->rules);
	o->rules = rules;
}

void
office_attach(struct office *o, struct channel *keeper, struct channel *signer)
{
	o->keeper = keeper;
	o->signer = signer;
}

size_t
office_count(const struct office *o)
{
	return o->count;
}

static enum fault_code
code_of(uint32_t fault)
{
	return fault < FAULT_COUNT ? (enum fault_code)fault : FAULT_INTERNAL;
}

static void
answer(struct channel *desk, uint32_t id, const struct fault *why,
    const char *serial)
{
	struct msg m = { .type = MSG_OFFICE_SIGNED };
	struct fault f = { 0 };

	m.office_signed.id = id;
	if (why != NULL) {
		m.office_signed.fault = why->code;
		memcpy(m.office_signed.text, why->text,
		    sizeof(m.office_signed.text));
	}
	if (text_copy(m.office_signed.serial, sizeof(m.office_signed.serial),
		serial) < 0 ||
	    (desk != NULL && channel_say(desk, &m, &f) < 0))
		log_fault(&f, NULL);
}

static void
answer_all(struct errand *e, const struct fault *why, const char *serial)
{
	for (size_t i = 0; i < e->waiters; i++)
		answer(e->waiter[i].desk, e->waiter[i].id, why, serial);
	e->waiters = 0;
}

/* Tell the desk and the log that nothing comes of ${e} now. */
static void
refuse(const struct fault *why, struct errand *e)
{
	LOG(ISSUE_REFUSED, LOG_TEXT("ref", e->ref),
	    LOG_TEXT("request", e->request),
	    LOG_TEXT("code", fault_name(why->code)),
	    LOG_TEXT("text", why->text));
	answer_all(e, why, "");
	e->refused = true;
}

static void
refuse_and_end(struct office *o, const struct fault *why, struct errand *e)
{
	refuse(why, e);
	end(o, e);
}

/* The serial is used, and nothing came of it: the request is open again. */
static void
void_and_end(struct office *o, const struct fault *why, struct errand *e)
{
	struct msg m = { .type = MSG_VOID };
	struct fault f = { 0 };

	memcpy(m.void_.ca, e->ca, sizeof(m.void_.ca));
	m.void_.serial = (struct wire_bytes){ e->serial, e->serial_len };
	m.void_.fault = why->code;
	if (channel_say(o->keeper, &m, &f) < 0 && f.code != FAULT_UNREACHABLE)
		log_fault(&f, e->ref);
	refuse_and_end(o, why, e);
}

static struct errand *
find(struct office *o, uint32_t id, enum step step)
{
	struct errand *e = o->errand[id % JOBS_MAX];

	return e != NULL && e->id == id && e->step == step ? e : NULL;
}

static struct errand *
find_under_way(const struct office *o, const struct msg_office_sign *m)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (o->errand[i] != NULL &&
		    strcmp(o->errand[i]->request, m->request) == 0 &&
		    strcmp(o->errand[i]->ca, m->ca) == 0)
			return o->errand[i];
	return NULL;
}

static struct errand *
begin(struct office *o, const struct msg_office_sign *m, struct fault *f)
{
	struct errand *e;
	uint32_t place = 0;

	if (o->rules == NULL || o->count == JOBS_MAX ||
	    (e = calloc(1, sizeof(*e))) == NULL) {
		(void)fault_set(f, FAULT_BUSY, "%zu certificates on their way",
		    o->count);
		return NULL;
	}
	while (o->errand[place] != NULL)
		place++;
	o->turn++;
	e->id = OFFICE_ID | ((o->turn * JOBS_MAX + place) & (OFFICE_ID - 1));
	o->errand[place] = e;
	o->count++;
	e->rules = office_rules_hold(o->rules);
	e->deadline = clock_mono() + TIMEOUT_MS;
	memcpy(e->ca, m->ca, sizeof(e->ca));
	memcpy(e->request, m->request, sizeof(e->request));
	rand_ref(e->ref);
	return e;
}

void
office_sign(struct office *o, struct channel *desk,
    const struct msg_office_sign *m)
{
	struct msg ask = { .type = MSG_OFFICE_FIND };
	struct errand *e = find_under_way(o, m);
	struct fault f = { 0 };

	if (e != NULL && !e->refused && e->waiters < WAITERS_MAX) {
		e->waiter[e->waiters++] = (struct waiter){ desk, m->id };
		return;
	}
	if (e != NULL)
		(void)fault_set(&f, FAULT_BUSY, "request %s is being signed",
		    m->request);
	if (e != NULL || (e = begin(o, m, &f)) == NULL) {
		answer(desk, m->id, &f, "");
		return;
	}
	e->waiter[e->waiters++] = (struct waiter){ desk, m->id };
	ask.office_find.id = e->id;
	memcpy(ask.office_find.ca, e->ca, sizeof(ask.office_find.ca));
	memcpy(ask.office_find.request, e->request,
	    sizeof(ask.office_find.request));
	if (channel_say(o->keeper, &ask, &f) < 0) {
		refuse_and_end(o, &f, e);
		return;
	}
	e->step = FINDING;
}

static int
count_votes(const struct errand *e, struct wire_bytes decisions,
    struct fault *f)
{
	struct wire_in in = { .at = decisions.data, .left = decisions.len };
	struct office_vote votes[DECIDED_MAX];
	struct decided d;
	unsigned missing;
	size_t count = 0;
	int more;

	while ((more = decided_next(&in, &d)) == 1) {
		if (count == DECIDED_MAX)
			return fault_set(f, FAULT_UNSUPPORTED,
			    "more than %d decisions", DECIDED_MAX);
		votes[count].verdict = (enum office_verdict)d.verdict;
		memcpy(votes[count].who, d.who, sizeof(votes[count].who));
		count++;
	}
	if (more < 0)
		return fault_set(f, FAULT_INTERNAL, "malformed decisions");
	if (!office_rules_enough(e->profile, e->who, votes, count, &missing))
		return fault_set(f, FAULT_DENIED, "%u more must approve%s",
		    missing, missing == 0 ? ", and somebody refused" : "");
	return 0;
}

/* Everything about the request, as if nobody had looked at it before. */
static int
judge(struct errand *e, const struct msg_office_found *m, struct fault *f)
{
	if (m->fault != FAULT_NONE)
		return fault_set(f, code_of(m->fault),
		    "the keeper does not give the request");
	if (m->state != STATE_OPEN)
		return fault_set(f, FAULT_DENIED, "the request is not open");
	memcpy(e->who, m->who, sizeof(e->who));
	memcpy(e->peer, m->peer, sizeof(e->peer));
	if ((e->asked = request_read(m->file, f)) == NULL)
		return -1;
	if (strcmp(e->asked->id, e->request) != 0)
		return fault_set(f, FAULT_INTERNAL,
		    "the keeper gave another request");
	if (office_rules_judge(e->rules, e->asked, &e->profile, &e->authority,
		f) < 0)
		return -1;
	if (strcmp(e->authority->conf.name, e->ca) != 0)
		return fault_set(f, FAULT_DENIED,
		    "this is for CA %s now, not for %s",
		    e->authority->conf.name, e->ca);
	if (count_votes(e, m->decisions, f) < 0 ||
	    dn_read_slash(&e->subject, e->asked->subject, f) < 0)
		return -1;
	return mint_times(e->profile, e->authority, clock_wall(),
	    e->asked->lifetime, &e->not_before, &e->not_after, f);
}

static int
ask_keeper(struct office *o, const struct errand *e, struct fault *f)
{
	struct msg m = { .type = MSG_RESERVE };
	struct msg_reserve *r = &m.reserve;

	r->id = e->id;
	memcpy(r->ca, e->ca, sizeof(r->ca));
	memcpy(r->ref, e->ref, sizeof(e->ref));
	memcpy(r->peer, e->peer, sizeof(r->peer));
	memcpy(r->username, e->who, sizeof(e->who));
	memcpy(r->principal, e->who, sizeof(e->who));
	memcpy(r->method, "office", sizeof("office"));
	memcpy(r->profile, e->profile->name, sizeof(r->profile));
	memcpy(r->request, e->request, sizeof(r->request));
	/* Whether others know the key, the book says. */
	r->spki = e->asked->csr.spki.der;
	r->not_before = (uint64_t)e->not_before;
	r->not_after = (uint64_t)e->not_after;
	if (text_copy(r->subject, sizeof(r->subject), e->asked->subject) < 0)
		return fault_set(f, FAULT_INPUT, "the subject is too long");
	return channel_say(o->keeper, &m, f);
}

void
office_found(struct office *o, const struct msg_office_found *m)
{
	struct errand *e = find(o, m->id, FINDING);
	struct fault f = { 0 };

	if (e == NULL)
		return;
	if (e->refused)
		(void)fault_set(&f, FAULT_BUSY, "the request came too late");
	if (e->refused || judge(e, m, &f) < 0 ||
	    ready_check(o->ready, e->authority, &f) < 0 ||
	    ask_keeper(o, e, &f) < 0) {
		refuse_and_end(o, &f, e);
		return;
	}
	e->step = RESERVING;
}

static int
ask_signer(struct office *o, struct errand *e, struct fault *f)
{
	const struct mint mint = {
		.profile = e->profile,
		.issuer = e->authority,
		.subject = e->subject,
		.serial = e->serial,
		.serial_len = e->serial_len,
		.not_before = e->not_before,
		.not_after = e->not_after,
		.spki = e->asked->csr.spki,
		.dns_names = e->asked->dns.item,
		.emails = e->asked->emails.item,
		.signer_kind = e->authority->cert->spki.kind,
	};
	struct msg m = { .type = MSG_TBS_ASK };

	e->tbs = BUF(TBS_MAX);
	if (mint_tbs(&mint, &e->tbs, f) < 0)
		return -1;
	m.tbs_ask.id = e->id;
	memcpy(m.tbs_ask.ref, e->ref, sizeof(e->ref));
	memcpy(m.tbs_ask.ca, e->ca, sizeof(m.tbs_ask.ca));
	m.tbs_ask.tbs = (struct wire_bytes){ e->tbs.data, e->tbs.len };
	return channel_say(o->signer, &m, f);
}

void
office_reserved(struct office *o, const struct msg_reserved *m)
{
	struct errand *e = find(o, m->id, RESERVING);
	struct fault f = { 0 };

	if (e == NULL)
		return;
	if (m->fault != FAULT_NONE || m->serial.len == 0 ||
	    m->serial.len > sizeof(e->serial)) {
		(void)fault_set(&f,
		    m->fault != FAULT_NONE ? code_of(m->fault) : FAULT_INTERNAL,
		    m->fault == FAULT_DENIED
			? "the book refuses it: it is signed already, or its "
			  "key is one that others know (the log says which)"
			: "the keeper reserved no serial");
		refuse_and_end(o, &f, e);
		return;
	}
	memcpy(e->serial, m->serial.data, m->serial.len);
	e->serial_len = m->serial.len;
	if (e->refused)
		(void)fault_set(&f, FAULT_BUSY, "a serial came too late");
	if (e->refused || ask_signer(o, e, &f) < 0) {
		void_and_end(o, &f, e);
		return;
	}
	e->step = SIGNING;
}

static bool
is_what_was_asked(const struct errand *e, const struct cert *cert)
{
	const struct wire_bytes *key = &e->asked->csr.spki.der;

	return cert->spki.der.len == key->len &&
	    memcmp(cert->spki.der.data, key->data, key->len) == 0 &&
	    dn_equal(&cert->subject, &e->subject) &&
	    dn_equal(&cert->issuer, &e->authority->cert->subject) &&
	    cert->serial_len == e->serial_len &&
	    memcmp(cert->serial, e->serial, e->serial_len) == 0 &&
	    cert->not_after == e->not_after && !cert->ca;
}

static int
finish(struct errand *e, struct wire_bytes signature, struct fault *f)
{
	const struct wire_bytes tbs = { e->tbs.data, e->tbs.len };
	OWN_STRUCT(cert) cert = NULL;

	if (signature.len == 0)
		return fault_set(f, FAULT_INTERNAL, "an empty signature");
	e->certificate = BUF(CERTIFICATE_MAX);
	if (mint_finish(tbs, e->authority->cert->spki.kind, signature,
		&e->certificate, f) < 0)
		return -1;
	cert = cert_read((struct wire_bytes){ e->certificate.data,
			     e->certificate.len },
	    f);
	if (cert == NULL)
		return fault_wrap(f, "certificate that was made");
	/* There is time here, unlike at a login, to see that it is good. */
	if (spki_verify(&e->authority->cert->spki, cert->algorithm, tbs,
		signature, f) < 0)
		return fault_wrap(f, "certificate that was made");
	if (!is_what_was_asked(e, cert))
		return fault_set(f, FAULT_INTERNAL,
		    "the certificate that was made is not what was asked for");
	return 0;
}

static int
ask_to_commit(struct office *o, const struct errand *e, struct fault *f)
{
	struct msg m = { .type = MSG_COMMIT };

	m.commit.id = e->id;
	memcpy(m.commit.ca, e->ca, sizeof(m.commit.ca));
	m.commit.serial = (struct wire_bytes){ e->serial, e->serial_len };
	m.commit.der =
	    (struct wire_bytes){ e->certificate.data, e->certificate.len };
	m.commit.withheld = e->withheld;
	return channel_say(o->keeper, &m, f);
}

void
office_signed(struct office *o, const struct msg_tbs_done *m)
{
	struct errand *e = find(o, m->id, SIGNING);
	struct fault f = { 0 };
	int result;

	if (e == NULL)
		return;
	e->withheld = m->fault != FAULT_NONE && m->signature.len > 0;
	if (m->fault != FAULT_NONE && !e->withheld)
		result = fault_set(&f, code_of(m->fault), "%s",
		    m->fault == FAULT_SUSPENDED
			? "signing is suspended: the token was lost"
			: "the signer refused");
	else if (e->refused && !e->withheld)
		result = fault_set(&f, FAULT_BUSY, "a signature came too late");
	else
		result = finish(e, m->signature, &f);
	if (result == 0)
		result = ask_to_commit(o, e, &f);
	if (result < 0) {
		void_and_end(o, &f, e);
		return;
	}
	e->step = COMMITTING;
}

/* It is in the book, revoked, and its request with it: that is not signed again
 * by itself. */
static void
withhold(struct office *o, struct errand *e, const char *serial)
{
	struct fault f = { 0 };

	LOG(WITHHELD, LOG_TEXT("ref", e->ref), LOG_TEXT("serial", serial),
	    LOG_TEXT("subject", e->asked->subject));
	(void)fault_set(&f, FAULT_SUSPENDED,
	    "signing is suspended: the token was lost while it signed, and the "
	    "certificate was revoked; ask anew");
	refuse_and_end(o, &f, e);
}

void
office_committed(struct office *o, const struct msg_committed *m)
{
	struct errand *e = find(o, m->id, COMMITTING);
	char serial[2 * MINT_SERIAL_SIZE + 1];
	struct fault f = { 0 };

	if (e == NULL)
		return;
	if (m->fault != FAULT_NONE) {
		(void)fault_set(&f, code_of(m->fault),
		    "the keeper did not record the certificate");
		void_and_end(o, &f, e);
		return;
	}
	text_hex(e->serial, e->serial_len, serial);
	if (e->withheld) {
		withhold(o, e, serial);
		return;
	}
	LOG(ISSUED, LOG_TEXT("ref", e->ref), LOG_TEXT("serial", serial),
	    LOG_TEXT("subject", e->asked->subject),
	    LOG_TEXT("profile", e->profile->name),
	    LOG_NUMBER("lifetime", e->not_after - e->not_before),
	    LOG_TEXT("principal", e->who), LOG_TEXT("method", "office"),
	    LOG_TEXT("peer", e->peer), LOG_TEXT("request", e->request));
	answer_all(e, NULL, serial);
	end(o, e);
}

void
office_desk_gone(struct office *o, const struct channel *desk)
{
	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct errand *e = o->errand[i];

		for (size_t w = 0; e != NULL && w < e->waiters; w++)
			if (e->waiter[w].desk == desk)
				e->waiter[w].desk = NULL;
	}
}

void
office_expire(struct office *o, int64_t now)
{
	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct errand *e = o->errand[i];
		struct fault f = { 0 };

		if (e == NULL || e->refused || e->deadline > now)
			continue;
		(void)fault_set(&f,
		    e->step == SIGNING ? FAULT_BUSY : FAULT_LEDGER,
		    "no answer from the %s in time",
		    e->step == SIGNING ? "signer" : "keeper");
		refuse(&f, e);
	}
}
