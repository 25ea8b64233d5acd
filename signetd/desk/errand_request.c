/* Requests and decisions on them. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/desk/desk.h"
#include "x509/cert.h"
#include "x509/dn.h"
#include "x509/pem.h"

#include <jansson.h>
#include <string.h>

#define STATE_OPEN 0 /* as the ledger numbers them */
#define STATE_SIGNING 3
#define STATE_ISSUED 4
#define CHAIN_MAX 131072
#define REPLY_MAX 131072

/* What may be tried again by itself later. */
static bool
is_passing(enum fault_code code)
{
	return code == FAULT_LEDGER || code == FAULT_BUSY ||
	    code == FAULT_TIMEOUT || code == FAULT_SYSTEM ||
	    code == FAULT_MEMORY || code == FAULT_UNREACHABLE;
}

/* ---- how it stands */

static void
report(struct errand *e)
{
	json_t *body;

	if (e->fault.code != FAULT_NONE) {
		errand_fail(e, &e->fault);
		return;
	}
	body = errand_request_json(e, &e->row);
	/* It was approved, and will be signed: but it is not yet.  Or it was
	 * when the CA's token was lost, and is nobody's. */
	if (body != NULL && e->problem.code != FAULT_NONE &&
	    (e->row.state != STATE_ISSUED ||
		e->problem.code == FAULT_SUSPENDED)) {
		desk_put(body, "problem", fault_name(e->problem.code));
		desk_put(body, "problem_text", e->problem.text);
	}
	errand_answer(e, body);
}

static void
after_signing(struct errand *e)
{
	/* Somebody else's approval may have come first: then it is being
	 * signed, or is. */
	if (e->fault.code != FAULT_NONE) {
		e->problem = e->fault;
		e->desk->owed |= is_passing(e->fault.code);
	}
	errand_changed(e->desk);
	errand_find(e, report);
}

static void
sign(struct errand *e)
{
	struct msg m = { .type = MSG_OFFICE_SIGN };

	e->tried = true;
	m.office_sign.id = e->id;
	memcpy(m.office_sign.ca, e->row.ca, sizeof(m.office_sign.ca));
	memcpy(m.office_sign.request, e->row.request,
	    sizeof(m.office_sign.request));
	errand_ask(e, e->desk->issuer, &m, after_signing);
}

void
errand_consider(struct errand *e)
{
	const struct profile *p =
	    office_rules_find_profile(e->desk->rules, e->row.profile);

	/* One that is being signed is waited for: the issuer tells all who
	 * want it. */
	if (e->fault.code == FAULT_NONE && !e->tried && p != NULL &&
	    (e->row.state == STATE_OPEN || e->row.state == STATE_SIGNING) &&
	    office_rules_enough(p, e->row.who, e->vote, e->votes, NULL)) {
		sign(e);
		return;
	}
	report(e);
}

void
errand_find(struct errand *e, errand_fn *next)
{
	struct msg m = { .type = MSG_REQUEST_FIND };

	e->votes = 0;
	json_decref(e->decisions);
	e->decisions = NULL;
	m.request_find.id = e->id;
	memcpy(m.request_find.ca, e->ask.ca, sizeof(m.request_find.ca));
	memcpy(m.request_find.request, e->ask.request,
	    sizeof(m.request_find.request));
	errand_ask(e, e->desk->keeper, &m, next);
}

/* The keeper has written something down. */
static void
after_change(struct errand *e)
{
	if (e->fault.code != FAULT_NONE) {
		errand_fail(e, &e->fault);
		return;
	}
	errand_changed(e->desk);
	errand_find(e, errand_consider);
}

/* ---- submit */

static int
check_each(const struct staff *staff, const char *who, const struct request *r,
    const struct request_names *names, struct fault *f)
{
	for (size_t i = 0; i < names->count; i++)
		if (!staff_may_ask(staff, who, r->profile, names->item[i]))
			return fault_set(f, FAULT_DENIED,
			    "%s may not ask for %s in profile %s", who,
			    names->item[i], r->profile);
	return 0;
}

/* A host may be asked for by who may ask for each of its names, a robot by its
 * CN: who answers for that, an approver sees.  Where nobody looks, that
 * address must be one that may be asked for too. */
static int
check_names(const struct staff *staff, const char *who, const struct request *r,
    const struct profile *profile, struct fault *f)
{
	char cn[DN_TEXT_MAX];
	struct dn subject;

	if (check_each(staff, who, r, &r->dns, f) < 0)
		return -1;
	if ((r->dns.count > 0 || profile->conf.approvals == 0) &&
	    check_each(staff, who, r, &r->emails, f) < 0)
		return -1;
	if (r->dns.count > 0)
		return 0;
	if (dn_read_slash(&subject, r->subject, f) < 0)
		return -1;
	if (dn_cn(&subject, cn, sizeof(cn)) < 0 || *cn == '\0' ||
	    !staff_may_ask(staff, who, r->profile, cn))
		return fault_set(f, FAULT_DENIED,
		    "%s may not ask for \"%.100s\" in profile %s", who, cn,
		    r->profile);
	return 0;
}

static int
judge(struct errand *e, struct request **request, const struct authority **ca,
    struct fault *f)
{
	const struct wire_bytes file = { e->ask.file.data, e->ask.file.len };
	OWN_STRUCT(request) r = request_read(file, f);
	const struct profile *profile;

	if (r == NULL)
		return -1;
	if (office_rules_judge(e->desk->rules, r, &profile, ca, f) < 0 ||
	    check_names(e->desk->staff, e->who, r, profile, f) < 0)
		return -1;
	*request = TAKE(r);
	return 0;
}

void
errand_submit(struct errand *e)
{
	struct msg m = { .type = MSG_REQUEST_PUT };
	struct msg_request_put *put = &m.request_put;
	OWN_STRUCT(request) r = NULL;
	const struct authority *ca;
	struct fault f = { 0 };

	if (judge(e, &r, &ca, &f) < 0) {
		errand_fail(e, &f);
		return;
	}
	put->id = e->id;
	memcpy(put->request, r->id, sizeof(r->id));
	memcpy(put->who, e->who, sizeof(e->who));
	memcpy(put->method, e->method, sizeof(e->method));
	memcpy(put->peer, e->peer, sizeof(e->peer));
	memcpy(put->subject, r->subject, sizeof(put->subject));
	memcpy(put->profile, r->profile, sizeof(put->profile));
	put->file = (struct wire_bytes){ e->ask.file.data, e->ask.file.len };
	memcpy(e->ask.request, r->id, sizeof(r->id));
	if (text_copy(put->ca, sizeof(put->ca), ca->conf.name) < 0 ||
	    text_copy(e->ask.ca, sizeof(e->ask.ca), ca->conf.name) < 0) {
		(void)fault_set(&f, FAULT_INTERNAL, "the CA's name");
		errand_fail(e, &f);
		return;
	}
	LOG(OFFICE_ASKED, LOG_TEXT("ref", e->ref), LOG_TEXT("who", e->who),
	    LOG_TEXT("method", e->method), LOG_TEXT("ca", put->ca),
	    LOG_TEXT("request", r->id), LOG_TEXT("profile", r->profile),
	    LOG_TEXT("subject", r->subject));
	errand_ask(e, e->desk->keeper, &m, after_change);
}

/* ---- approve, reject, withdraw */

static void
decide(struct errand *e, enum office_verdict verdict)
{
	struct msg m = { .type = MSG_REQUEST_DECIDE };
	struct msg_request_decide *d = &m.request_decide;

	d->id = e->id;
	memcpy(d->ca, e->row.ca, sizeof(d->ca));
	memcpy(d->request, e->row.request, sizeof(d->request));
	d->verdict = verdict;
	memcpy(d->who, e->who, sizeof(e->who));
	memcpy(d->method, e->method, sizeof(e->method));
	memcpy(d->text, e->ask.reason, sizeof(d->text));
	LOG(OFFICE_DECIDED, LOG_TEXT("ref", e->ref), LOG_TEXT("who", e->who),
	    LOG_TEXT("method", e->method), LOG_TEXT("ca", d->ca),
	    LOG_TEXT("request", d->request),
	    LOG_TEXT("verdict", desk_verb_word(e->ask.verb)));
	errand_ask(e, e->desk->keeper, &m, after_change);
}

/* The staff file may have changed since ${r} came: who asked is to be one who
 * may still do so. */
static int
check_asker(const struct errand *e, const struct request *r,
    const struct profile *profile, struct fault *f)
{
	const struct staff *staff = e->desk->staff;
	const char *who = e->row.who;

	if ((staff_roles(staff, who) & STAFF_REQUESTER) == 0)
		return fault_set(f, FAULT_DENIED,
		    "%s, who asked, is no requester any more: reject it, and "
		    "let somebody ask anew",
		    who);
	if (check_names(staff, who, r, profile, f) < 0)
		return fault_wrap(f, "the staff file has changed");
	return 0;
}

/* Whether the request is as its rules are now, before anyone stands up for it;
 * the issuer judges again. */
static int
check_approval(const struct errand *e, struct fault *f)
{
	OWN_STRUCT(request) r = NULL;
	const struct profile *profile;
	const struct authority *ca;

	if (e->row.state != STATE_OPEN)
		return 0; /* the ledger knows what to say of that */
	if ((r = request_read(e->row.file, f)) == NULL ||
	    office_rules_judge(e->desk->rules, r, &profile, &ca, f) < 0)
		return -1;
	if (profile->conf.second_person && strcmp(e->row.who, e->who) == 0)
		return fault_set(f, FAULT_DENIED,
		    "%s asked for it: profile %s wants a second person to "
		    "approve",
		    e->who, profile->name);
	return check_asker(e, r, profile, f);
}

/* A renewal keeps the subject, of what is still good; the rest of what it
 * changes is for the approver to see. */
static int
check_renewal(const struct errand *e, struct fault *f)
{
	const struct wire_bytes der = { e->certificate.data,
		e->certificate.len };
	OWN_STRUCT(request) r = request_read(e->row.file, f);
	OWN_STRUCT(cert) cert = NULL;
	struct dn subject;

	if (r == NULL || dn_read_slash(&subject, r->subject, f) < 0)
		return -1;
	if (der.len == 0)
		return fault_set(f, FAULT_DENIED,
		    "it renews certificate %s, which %s has not issued: let "
		    "them ask anew",
		    r->renews, e->row.ca);
	if (e->gone)
		return fault_set(f, FAULT_DENIED,
		    "the certificate %s is revoked: it is not renewed",
		    r->renews);
	if ((cert = cert_read(der, f)) == NULL)
		return fault_wrap(f, "certificate %s", r->renews);
	if (!dn_equal(&cert->subject, &subject))
		return fault_set(f, FAULT_DENIED,
		    "renewal: certificate %s is of another subject", r->renews);
	return 0;
}

static void
approve_renewal(struct errand *e)
{
	struct fault f = e->fault;

	if (f.code != FAULT_NONE || check_renewal(e, &f) < 0)
		errand_fail(e, &f);
	else
		decide(e, OFFICE_APPROVE);
}

static void
approve_found(struct errand *e)
{
	struct fault f = e->fault;
	OWN_STRUCT(request) r = NULL;

	if (f.code != FAULT_NONE || check_approval(e, &f) < 0 ||
	    (r = request_read(e->row.file, &f)) == NULL)
		errand_fail(e, &f);
	else if (*r->renews != '\0' && e->row.state == STATE_OPEN)
		errand_find_cert(e, r->renews, approve_renewal);
	else
		decide(e, OFFICE_APPROVE);
}

static void
reject_found(struct errand *e)
{
	if (e->fault.code != FAULT_NONE)
		errand_fail(e, &e->fault);
	else
		decide(e, OFFICE_REJECT);
}

static void
withdraw_found(struct errand *e)
{
	struct fault f = e->fault;

	if (f.code == FAULT_NONE && strcmp(e->row.who, e->who) != 0)
		(void)fault_set(&f, FAULT_DENIED,
		    "%s asked for it, and nobody else withdraws it",
		    e->row.who);
	if (f.code != FAULT_NONE)
		errand_fail(e, &f);
	else
		decide(e, OFFICE_WITHDRAW);
}

void
errand_approve(struct errand *e)
{
	errand_find(e, approve_found);
}

void
errand_reject(struct errand *e)
{
	errand_find(e, reject_found);
}

void
errand_withdraw(struct errand *e)
{
	errand_find(e, withdraw_found);
}

/* ---- fetch */

/* The issuing CA and all above it. */
static int
put_chain(const struct errand *e, struct buf *out, struct fault *f)
{
	const struct authority *ca =
	    office_rules_find_ca(e->desk->rules, e->row.ca);
	const struct wire_bytes above =
	    office_rules_chain(e->desk->rules, e->row.ca);

	if (ca == NULL)
		return fault_set(f, FAULT_ABSENT, "CA %s is not served now",
		    e->row.ca);
	*out = BUF(CHAIN_MAX);
	pem_put(out, "CERTIFICATE",
	    (struct wire_bytes){ ca->cert->der, ca->cert->len });
	buf_put(out, above.data, above.len);
	return out->failed ? fault_set(f, FAULT_MEMORY, "chain") : 0;
}

static int
make_reply(struct errand *e, struct buf *out, struct fault *f)
{
	OWN_STRUCT(request) r = request_read(e->row.file, f);
	OWN_STRUCT(reply) reply = r == NULL ? NULL : reply_new(f);

	if (reply == NULL)
		return -1;
	memcpy(reply->id, r->id, sizeof(reply->id));
	memcpy(reply->request_hash, r->hash, sizeof(reply->request_hash));
	buf_free(&reply->certificate);
	reply->certificate = e->certificate;
	e->certificate = BUF(0);
	if (put_chain(e, &reply->chain, f) < 0)
		return -1;
	return reply_write(reply, out, f);
}

static void
fetched(struct errand *e)
{
	OWN_BUF(text, REPLY_MAX);
	struct fault f = e->fault;
	json_t *body;

	if (f.code == FAULT_NONE && e->certificate.len == 0)
		(void)fault_set(&f, FAULT_LEDGER,
		    "the ledger lacks certificate %s", e->row.serial);
	/* Nobody may have had it before: what was signed when the CA's token
	 * was lost is revoked from the first moment. */
	if (f.code == FAULT_NONE && e->gone)
		(void)fault_set(&f, FAULT_DENIED,
		    "certificate %s is revoked or held, and is not handed out; "
		    "ask for another",
		    e->row.serial);
	if (f.code != FAULT_NONE || make_reply(e, &text, &f) < 0) {
		errand_fail(e, &f);
		return;
	}
	body = json_object();
	desk_put(body, "request", e->row.request);
	desk_put(body, "ca", e->row.ca);
	desk_put(body, "serial", e->row.serial);
	(void)json_object_set_new(body, "reply",
	    json_stringn((const char *)text.data, text.len));
	errand_answer(e, body);
}

void
errand_find_cert(struct errand *e, const char *serial, errand_fn *next)
{
	struct msg m = { .type = MSG_CERT_LIST };
	struct fault f = { 0 };

	m.cert_list.id = e->id;
	memcpy(m.cert_list.ca, e->row.ca, sizeof(m.cert_list.ca));
	m.cert_list.limit = 1;
	if (text_copy(m.cert_list.serial, sizeof(m.cert_list.serial), serial) <
	    0) {
		(void)fault_set(&f, FAULT_INPUT, "serial too long");
		errand_fail(e, &f);
		return;
	}
	errand_ask(e, e->desk->keeper, &m, next);
}

static void
fetch_found(struct errand *e)
{
	struct fault f = e->fault;

	if (f.code == FAULT_NONE && strcmp(e->row.who, e->who) != 0 &&
	    (e->roles & (STAFF_APPROVER | STAFF_AUDITOR)) == 0)
		(void)fault_set(&f, FAULT_DENIED, "%s asked for it, not %s",
		    e->row.who, e->who);
	if (f.code == FAULT_NONE && e->row.state != STATE_ISSUED)
		(void)fault_set(&f, FAULT_ABSENT,
		    "request %s has no certificate (yet)", e->row.request);
	if (f.code != FAULT_NONE) {
		errand_fail(e, &f);
		return;
	}
	errand_find_cert(e, e->row.serial, fetched);
}

void
errand_fetch(struct errand *e)
{
	errand_find(e, fetch_found);
}
