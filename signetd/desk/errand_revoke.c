/* Revocation and release. */
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/desk/desk.h"
#include "x509/dn.h"

#include <jansson.h>
#include <string.h>

/* RFC 5280 5.3.1: 7 is not used, 8 takes an entry off a delta list, and 2 and
 * 10 are for others than hosts and people. */
#define CAUSES                                                       \
	((1u << 0) | (1u << 1) | (1u << 3) | (1u << 4) | (1u << 5) | \
	    (1u << 6) | (1u << 9))

static int
choose_ca(const struct errand *e, char ca[64], struct fault *f)
{
	const struct office_rules *rules = e->desk->rules;

	if (*e->ask.ca == '\0' && office_rules_cas(rules) != 1)
		return fault_set(f, FAULT_USAGE,
		    "there are %zu CAs here: which is meant?",
		    office_rules_cas(rules));
	return text_copy(ca, 64,
		   *e->ask.ca != '\0'
		       ? e->ask.ca
		       : office_rules_ca(rules, 0)->conf.name) < 0
	    ? fault_set(f, FAULT_INPUT, "the name of the CA is too long")
	    : 0;
}

/* The ledger has names in one form. */
static int
same_form(const char *text, char *subject, size_t size, struct fault *f)
{
	struct dn dn;

	*subject = '\0';
	if (*text == '\0')
		return 0;
	if (dn_read_slash(&dn, text, f) < 0)
		return -1;
	return dn_show_slash(&dn, subject, size) < 0
	    ? fault_set(f, FAULT_INPUT, "the subject is too long")
	    : 0;
}

static int
fill(const struct errand *e, bool release, struct msg_cert_revoke *r,
    struct fault *f)
{
	const struct desk_ask *ask = &e->ask;
	int named = (*ask->serial != '\0') + (*ask->subject != '\0') +
	    (*ask->who != '\0');

	if (named != 1)
		return fault_set(f, FAULT_INPUT,
		    "a serial number, a subject or a requester, and one of "
		    "them");
	if (!release && (CAUSES & 1u << ask->cause) == 0)
		return fault_set(f, FAULT_INPUT,
		    "no certificate here is revoked for reason %llu",
		    (unsigned long long)ask->cause);
	if (choose_ca(e, r->ca, f) < 0 ||
	    same_form(ask->subject, r->subject, sizeof(r->subject), f) < 0)
		return -1;
	r->id = e->id;
	memcpy(r->serial, ask->serial, sizeof(r->serial));
	memcpy(r->requester, ask->who, sizeof(r->requester));
	r->reason = (uint32_t)ask->cause;
	r->release = release;
	memcpy(r->who, e->who, sizeof(r->who));
	/* Who is no revoker may have revoked what he asked for himself. */
	if ((e->roles & STAFF_REVOKER) == 0)
		memcpy(r->only_of, e->who, sizeof(r->only_of));
	return 0;
}

static const char *
what(const struct desk_ask *ask)
{
	return *ask->serial != '\0' ? ask->serial
	    : *ask->subject != '\0' ? ask->subject
				    : ask->who;
}

static void
done(struct errand *e)
{
	if (e->fault.code != FAULT_NONE) {
		errand_fail(e, &e->fault);
		return;
	}
	LOG(OFFICE_REVOKED, LOG_TEXT("ref", e->ref), LOG_TEXT("who", e->who),
	    LOG_TEXT("method", e->method),
	    LOG_TEXT("ca", *e->ask.ca != '\0' ? e->ask.ca : NULL),
	    LOG_TEXT("verb", desk_verb_word(e->ask.verb)),
	    LOG_TEXT("what", what(&e->ask)), LOG_NUMBER("reason", e->ask.cause),
	    LOG_NUMBER("count", e->kept.count));
	errand_changed(e->desk);
	errand_answer(e,
	    json_pack("{s:I}", "count", (json_int_t)e->kept.count));
}

static void
begin(struct errand *e, bool release)
{
	struct msg m = { .type = MSG_CERT_REVOKE };
	struct fault f = { 0 };

	if (fill(e, release, &m.cert_revoke, &f) < 0)
		errand_fail(e, &f);
	else
		errand_ask(e, e->desk->keeper, &m, done);
}

void
errand_revoke(struct errand *e)
{
	begin(e, false);
}

void
errand_release(struct errand *e)
{
	begin(e, true);
}
