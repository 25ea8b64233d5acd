#include "signetd/keeper/requests.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/ledger_event.h"
#include "ledger/ledger_request.h"
#include "signetd/decided.h"

#include <string.h>

#define DECISIONS_MAX 8192 /* what OFFICE_FOUND carries */
#define CHOSEN_MAX ((size_t)1 << 20)
#define SERIAL_SIZE 48

/* What is longer than a message has room for is cut: it is for people. */
static void
put(char *to, size_t size, const char *from)
{
	size_t len = from == NULL ? 0 : strlen(from);

	if (len >= size)
		len = size - 1;
	if (len > 0)
		memcpy(to, from, len);
	to[len] = '\0';
}

#define PUT(field, from) put((field), sizeof(field), (from))

static const char *
or_null(const char *text)
{
	return *text != '\0' ? text : NULL;
}

/* The end of an answer. */
static void
say_kept(const struct requests *r, uint32_t id, const struct fault *f,
    struct msg_kept *kept)
{
	struct msg m = { .type = MSG_KEPT, .kept = *kept };

	m.kept.id = id;
	if (f != NULL) {
		m.kept.fault = f->code;
		PUT(m.kept.text, f->text);
		if (f->code == FAULT_LEDGER)
			LOG(LEDGER_FAULT, LOG_TEXT("text", f->text));
	}
	r->say(r->arg, &m);
}

static int
must_know(const struct requests *r, const char *ca, struct fault *f)
{
	if (books_find(r->books, ca) == NULL)
		return fault_set(f, FAULT_ABSENT, "no CA is called \"%s\"", ca);
	return 0;
}

/* ---- changes */

static int
put_request(const struct requests *r, const struct msg_request_put *m,
    struct fault *f)
{
	const struct ledger_request request = {
		.ca = m->ca,
		.id = m->request,
		.who = m->who,
		.method = m->method,
		.peer = m->peer,
		.subject = m->subject,
		.profile = m->profile,
		.file = m->file,
	};

	if (must_know(r, m->ca, f) < 0 || ledger_begin(r->ledger, f) < 0)
		return -1;
	return ledger_settle(r->ledger,
	    ledger_request_put(r->ledger, &request, f), f);
}

static int
decide(const struct requests *r, const struct msg_request_decide *m,
    struct fault *f)
{
	const struct ledger_decision decision = {
		.verdict = (enum ledger_verdict)m->verdict,
		.who = m->who,
		.method = m->method,
		.text = m->text,
	};

	if (must_know(r, m->ca, f) < 0 || ledger_begin(r->ledger, f) < 0)
		return -1;
	return ledger_settle(r->ledger,
	    ledger_request_decide(r->ledger, m->ca, m->request, &decision, f),
	    f);
}

/* The certificates that a revocation or release means. */
struct choice {
	const struct msg_cert_revoke *m;
	time_t now;
	struct buf serials; /* texts with their NULs */
	unsigned seen;
	unsigned already; /* are as they are to be */
	bool foreign;	  /* one of another than ${only_of} */
};

static bool
is_own(const struct choice *c, const struct ledger_line *line)
{
	return *c->m->only_of == '\0' ||
	    (strcmp(line->intent.method, "office") == 0 &&
		strcmp(line->intent.principal, c->m->only_of) == 0);
}

static int
choose(void *arg, const struct ledger_line *line)
{
	struct choice *c = arg;
	bool by_name = *c->m->serial == '\0';
	bool hold = c->m->reason == 6;

	/* What has expired is not worth a line of the next list. */
	if (by_name && line->intent.not_after < c->now)
		return 0;
	if (line->state == LEDGER_RESERVED || line->state == LEDGER_VOID)
		return 0;
	c->seen++;
	if (!is_own(c, line)) {
		c->foreign = true;
		return 0;
	}
	if (c->m->release != 0 ? line->state == LEDGER_ISSUED
		: hold	       ? line->state != LEDGER_ISSUED
			       : line->state == LEDGER_REVOKED) {
		c->already++;
		return 0;
	}
	buf_put(&c->serials, line->serial, strlen(line->serial) + 1);
	return 0;
}

static int
revoke_chosen(const struct requests *r, const struct choice *c, unsigned *count,
    struct fault *f)
{
	const struct msg_cert_revoke *m = c->m;
	const char *at = (const char *)c->serials.data;
	const char *after = at + c->serials.len;

	for (; at < after; at += strlen(at) + 1, ++*count) {
		uint8_t bytes[20];
		int len = text_unhex(at, bytes, sizeof(bytes));
		struct wire_bytes serial = { bytes, len > 0 ? (size_t)len : 0 };

		if (len <= 0)
			return fault_set(f, FAULT_LEDGER,
			    "a serial in the ledger is none");
		if ((m->release != 0
			    ? ledger_release(r->ledger, m->ca, serial, m->who,
				  f)
			    : ledger_revoke(r->ledger, m->ca, serial,
				  (int)m->reason, m->who, c->now, f)) < 0)
			return -1;
	}
	return 0;
}

static int
check_choice(const struct choice *c, struct fault *f)
{
	const struct msg_cert_revoke *m = c->m;

	if (c->serials.failed)
		return fault_set(f, FAULT_MEMORY, "too many certificates");
	if (c->seen == 0)
		return fault_set(f, FAULT_ABSENT,
		    "%s has no certificate with this %s", m->ca,
		    *m->serial != '\0'	      ? "serial number"
			: *m->subject != '\0' ? "subject"
					      : "requester");
	if (c->foreign && c->serials.len == 0 && c->already == 0)
		return fault_set(f, FAULT_DENIED,
		    "%s did not ask for this certificate", m->only_of);
	return 0;
}

static int
revoke_in(const struct requests *r, const struct msg_cert_revoke *m,
    struct msg_kept *kept, struct fault *f)
{
	const struct ledger_filter filter = {
		.ca = m->ca,
		.serial = or_null(m->serial),
		.subject = or_null(m->subject),
		.asker = or_null(m->requester),
	};
	struct choice c = { .m = m, .now = clock_wall() };
	unsigned count = 0;
	int result;

	c.serials = BUF(CHOSEN_MAX);
	result = ledger_each(r->ledger, &filter, choose, &c, f);
	if (result == 0)
		result = check_choice(&c, f);
	if (result == 0)
		result = revoke_chosen(r, &c, &count, f);
	buf_free(&c.serials);
	kept->count = count;
	return result;
}

static int
revoke(const struct requests *r, const struct msg_cert_revoke *m,
    struct msg_kept *kept, struct fault *f)
{
	if (must_know(r, m->ca, f) < 0)
		return -1;
	if (*m->serial == '\0' && *m->subject == '\0' && *m->requester == '\0')
		return fault_set(f, FAULT_INPUT, "which certificate?");
	if (ledger_begin(r->ledger, f) < 0)
		return -1;
	return ledger_settle(r->ledger, revoke_in(r, m, kept, f), f);
}

/* ---- questions */

/* Rows as they come, from the one after ${after}, at most ${limit}. */
struct rows {
	const struct requests *r;
	uint32_t id;
	uint64_t after;
	uint32_t limit;
	bool whole; /* with what is large */
	char ca[64];
	struct msg_kept kept;
};

static struct rows
rows_of(const struct requests *r, uint32_t id, uint64_t after, uint32_t limit)
{
	struct rows rows = { .r = r, .id = id, .after = after };

	rows.limit =
	    limit == 0 || limit > REQUESTS_ROWS_MAX ? REQUESTS_ROWS_MAX : limit;
	return rows;
}

/* Whether the entry ${entry} is to be said; -1 if there are enough. */
static int
take_row(struct rows *rows, uint64_t entry)
{
	if (entry <= rows->after)
		return 0;
	if (rows->kept.count == rows->limit) {
		rows->kept.more = 1;
		return -1;
	}
	rows->kept.count++;
	rows->kept.last = entry;
	return 1;
}

static void
say_request(struct rows *rows, const struct ledger_request *q)
{
	struct msg m = { .type = MSG_REQUEST_ROW };
	struct msg_request_row *row = &m.request_row;

	row->id = rows->id;
	PUT(row->ca, q->ca);
	PUT(row->request, q->id);
	PUT(row->who, q->who);
	PUT(row->method, q->method);
	PUT(row->peer, q->peer);
	PUT(row->subject, q->subject);
	PUT(row->profile, q->profile);
	PUT(row->serial, q->serial);
	row->entry = q->entry;
	row->when = (uint64_t)q->when;
	row->state = q->state;
	row->approvals = q->approvals;
	if (rows->whole)
		row->file = q->file;
	rows->r->say(rows->r->arg, &m);
}

static int
request_row(void *arg, const struct ledger_request *q)
{
	struct rows *rows = arg;
	int take = take_row(rows, q->entry);

	if (take > 0) {
		PUT(rows->ca, q->ca);
		say_request(rows, q);
	}
	return take < 0 ? 1 : 0;
}

static int
list_requests(const struct requests *r, const struct msg_request_list *m,
    struct msg_kept *kept, struct fault *f)
{
	const struct ledger_request_filter filter = {
		.ca = or_null(m->ca),
		.who = or_null(m->who),
		.text = or_null(m->text),
		.open_only = m->open_only != 0,
		.after = m->after,
	};
	struct rows rows = rows_of(r, m->id, m->after, m->limit);
	int result =
	    ledger_request_each(r->ledger, &filter, request_row, &rows, f);

	*kept = rows.kept;
	return result < 0 ? -1 : 0;
}

static int
decision_row(void *arg, const struct ledger_decision *d)
{
	const struct rows *rows = arg;
	struct msg m = { .type = MSG_DECISION_ROW };

	m.decision_row.id = rows->id;
	m.decision_row.verdict = d->verdict;
	PUT(m.decision_row.who, d->who);
	PUT(m.decision_row.method, d->method);
	PUT(m.decision_row.text, d->text);
	m.decision_row.when = (uint64_t)d->when;
	rows->r->say(rows->r->arg, &m);
	return 0;
}

static int
find_request(const struct requests *r, const struct msg_request_find *m,
    struct msg_kept *kept, struct fault *f)
{
	struct rows rows = rows_of(r, m->id, 0, 1);
	int result;

	if (*m->request == '\0')
		return fault_set(f, FAULT_INPUT, "which request?");
	rows.whole = true;
	result = ledger_request_find(r->ledger, or_null(m->ca), m->request,
	    request_row, &rows, f);
	if (result < 0)
		return -1;
	*kept = rows.kept;
	if (rows.kept.count == 0)
		return fault_set(f, FAULT_ABSENT, "there is no request %s",
		    m->request);
	return ledger_request_decisions(r->ledger, rows.ca, m->request,
		   decision_row, &rows, f) < 0
	    ? -1
	    : 0;
}

static int
cert_row(void *arg, const struct ledger_line *line)
{
	struct rows *rows = arg;
	struct msg m = { .type = MSG_CERT_ROW };
	struct msg_cert_row *row = &m.cert_row;
	int take = take_row(rows, line->entry);

	if (take <= 0)
		return take < 0 ? 1 : 0;
	row->id = rows->id;
	PUT(row->ca, line->intent.ca);
	PUT(row->serial, line->serial);
	PUT(row->subject, line->intent.subject);
	PUT(row->profile, line->intent.profile);
	PUT(row->who, line->intent.principal);
	PUT(row->method, line->intent.method);
	row->entry = line->entry;
	row->when = (uint64_t)line->when;
	row->not_before = (uint64_t)line->intent.not_before;
	row->not_after = (uint64_t)line->intent.not_after;
	row->state = line->state;
	row->reason = (uint32_t)line->reason;
	row->revoked = (uint64_t)line->revoked;
	if (rows->whole)
		row->der = line->der;
	rows->r->say(rows->r->arg, &m);
	return 0;
}

static int
list_certs(const struct requests *r, const struct msg_cert_list *m,
    struct msg_kept *kept, struct fault *f)
{
	const struct ledger_filter filter = {
		.ca = or_null(m->ca),
		.serial = or_null(m->serial),
		.text = or_null(m->text),
		.revoked_only = m->revoked_only != 0,
		.after = m->after,
	};
	struct rows rows = rows_of(r, m->id, m->after, m->limit);
	int result;

	rows.whole = *m->serial != '\0';
	result = ledger_each(r->ledger, &filter, cert_row, &rows, f);
	*kept = rows.kept;
	return result < 0 ? -1 : 0;
}

static int
event_row(void *arg, const struct ledger_event *e)
{
	struct rows *rows = arg;
	struct msg m = { .type = MSG_EVENT_ROW };
	struct msg_event_row *row = &m.event_row;
	int take = take_row(rows, e->entry);

	if (take <= 0)
		return take < 0 ? 1 : 0;
	row->id = rows->id;
	row->entry = e->entry;
	row->when = (uint64_t)e->when;
	PUT(row->kind, e->kind);
	PUT(row->ca, e->ca);
	PUT(row->request, e->request);
	PUT(row->who, e->who);
	PUT(row->asked, e->asked);
	PUT(row->subject, e->subject);
	PUT(row->profile, e->profile);
	PUT(row->serial, e->serial);
	PUT(row->text, e->text);
	rows->r->say(rows->r->arg, &m);
	return 0;
}

static int
list_events(const struct requests *r, const struct msg_event_list *m,
    struct msg_kept *kept, struct fault *f)
{
	struct rows rows = rows_of(r, m->id, m->after, m->limit);
	uint64_t last = 0;
	int result = 0;

	/* The end first: what comes meanwhile is seen the next time. */
	if (ledger_event_last(r->ledger, &last, f) < 0)
		return -1;
	if (m->limit > 0)
		result = ledger_event_each(r->ledger, m->after,
		    (uint64_t)rows.limit + 1, event_row, &rows, f);
	*kept = rows.kept;
	if (kept->more == 0 && last > kept->last)
		kept->last = last;
	return result < 0 ? -1 : 0;
}

/* ---- the issuer's question */

static int
gather_decision(void *arg, const struct ledger_decision *d)
{
	struct buf *out = arg;
	struct decided one = { .verdict = (uint8_t)d->verdict };

	PUT(one.who, d->who);
	decided_put(out, &one);
	return 0;
}

struct found {
	const struct requests *r;
	const struct msg_office_find *m;
	struct buf decisions;
};

/* While the row stands: its file is borrowed from it. */
static int
say_found(void *arg, const struct ledger_request *q)
{
	struct found *found = arg;
	struct msg m = { .type = MSG_OFFICE_FOUND };
	struct msg_office_found *row = &m.office_found;

	row->id = found->m->id;
	PUT(row->who, q->who);
	PUT(row->method, q->method);
	PUT(row->peer, q->peer);
	row->state = q->state;
	row->decisions =
	    (struct wire_bytes){ found->decisions.data, found->decisions.len };
	row->file = q->file;
	found->r->say(found->r->arg, &m);
	return 0;
}

static int
find_for_issuer(struct found *found, struct fault *f)
{
	const struct msg_office_find *m = found->m;
	struct ledger *l = found->r->ledger;
	int result;

	if (ledger_request_decisions(l, m->ca, m->request, gather_decision,
		&found->decisions, f) < 0)
		return -1;
	if (found->decisions.failed)
		return fault_set(f, FAULT_UNSUPPORTED, "too many decisions");
	result = ledger_request_find(l, m->ca, m->request, say_found, found, f);
	if (result == 0)
		return fault_set(f, FAULT_ABSENT, "%s has no request %s", m->ca,
		    m->request);
	return result < 0 ? -1 : 0;
}

static void
answer_issuer(const struct requests *r, const struct msg_office_find *m)
{
	struct found found = { .r = r, .m = m };
	struct msg no = { .type = MSG_OFFICE_FOUND };
	struct fault f = { 0 };

	found.decisions = BUF(DECISIONS_MAX);
	if (find_for_issuer(&found, &f) < 0) {
		log_fault(&f, NULL);
		no.office_found.id = m->id;
		no.office_found.fault = f.code;
		r->say(r->arg, &no);
	}
	buf_free(&found.decisions);
}

bool
requests_take(const struct requests *r, const struct msg *m)
{
	struct msg_kept kept = { 0 };
	struct fault f = { 0 };
	uint32_t id;
	int result;

	if (m->type == MSG_OFFICE_FIND) {
		answer_issuer(r, &m->office_find);
		return true;
	}
	if (m->type == MSG_REQUEST_PUT) {
		id = m->request_put.id;
		result = put_request(r, &m->request_put, &f);
	} else if (m->type == MSG_REQUEST_DECIDE) {
		id = m->request_decide.id;
		result = decide(r, &m->request_decide, &f);
	} else if (m->type == MSG_REQUEST_FIND) {
		id = m->request_find.id;
		result = find_request(r, &m->request_find, &kept, &f);
	} else if (m->type == MSG_REQUEST_LIST) {
		id = m->request_list.id;
		result = list_requests(r, &m->request_list, &kept, &f);
	} else if (m->type == MSG_CERT_LIST) {
		id = m->cert_list.id;
		result = list_certs(r, &m->cert_list, &kept, &f);
	} else if (m->type == MSG_CERT_REVOKE) {
		id = m->cert_revoke.id;
		result = revoke(r, &m->cert_revoke, &kept, &f);
	} else if (m->type == MSG_EVENT_LIST) {
		id = m->event_list.id;
		result = list_events(r, &m->event_list, &kept, &f);
	} else {
		return false;
	}
	say_kept(r, id, result < 0 ? &f : NULL, &kept);
	return true;
}
