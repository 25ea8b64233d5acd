/*
 * What somebody asks for, from the line that says so to the line that ends it.
 * An errand asks keeper and issuer one thing after the other; its number comes
 * back with each answer.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "signetd/desk/desk.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 60000

static const struct {
	errand_fn *begin;
	unsigned roles; /* one of these is needed; 0: anybody of the staff */
} verbs[DESK_VERB_COUNT] = {
	[DESK_WHOAMI] = { errand_whoami, 0 },
	[DESK_SUBMIT] = { errand_submit, STAFF_REQUESTER },
	[DESK_LIST] = { errand_list, 0 },
	[DESK_SHOW] = { errand_show, 0 },
	[DESK_APPROVE] = { errand_approve, STAFF_APPROVER },
	[DESK_REJECT] = { errand_reject, STAFF_APPROVER },
	[DESK_WITHDRAW] = { errand_withdraw, STAFF_REQUESTER },
	[DESK_FETCH] = { errand_fetch, 0 },
	[DESK_REVOKE] = { errand_revoke, STAFF_REVOKER | STAFF_REQUESTER },
	[DESK_RELEASE] = { errand_release, STAFF_REVOKER },
	[DESK_SEARCH] = { errand_search, STAFF_AUDITOR | STAFF_REVOKER },
	[DESK_WATCH] = { errand_watch, 0 },
};

struct errand *
errand_new(struct desk *desk, struct fault *f)
{
	uint32_t place = 0;
	struct errand *e;

	while (place < DESK_ERRANDS && desk->errand[place] != NULL)
		place++;
	if (place == DESK_ERRANDS || (e = calloc(1, sizeof(*e))) == NULL) {
		(void)fault_set(f, FAULT_BUSY, "too many at the desk");
		return NULL;
	}
	desk->turn++;
	e->id = desk->turn * DESK_ERRANDS + place;
	e->desk = desk;
	e->deadline = clock_mono() + TIMEOUT_MS;
	rand_ref(e->ref);
	desk->errand[place] = e;
	return e;
}

void
errand_end(struct errand *e)
{
	struct visitor *v = e->visitor;

	e->desk->errand[e->id % DESK_ERRANDS] = NULL;
	desk_ask_clear(&e->ask);
	buf_free(&e->file);
	buf_free(&e->certificate);
	buf_free(&e->due);
	json_decref(e->decisions);
	free(e);
	if (v != NULL)
		visitor_done(v);
}

/* What he began goes to its end, but nobody is told. */
void
errand_orphan(struct errand *e)
{
	e->visitor = NULL;
	if (e->parked)
		errand_end(e);
}

static void
say(struct errand *e, const struct buf *line)
{
	if (e->visitor != NULL)
		visitor_say(e->visitor, line);
}

void
errand_item(struct errand *e, struct json_t *body)
{
	OWN_BUF(line, DESK_LINE_MAX + 1);
	struct fault f = { 0 };

	if (desk_answer_write(DESK_ITEM, body, &line, &f) < 0)
		log_fault(&f, e->ref);
	else
		say(e, &line);
}

void
errand_fail(struct errand *e, const struct fault *why)
{
	OWN_BUF(line, DESK_LINE_MAX + 1);
	struct fault f = { 0 };

	LOG(OFFICE_REFUSED, LOG_TEXT("ref", e->ref), LOG_TEXT("who", e->who),
	    LOG_TEXT("method", e->method),
	    LOG_TEXT("verb", desk_verb_word(e->ask.verb)),
	    LOG_TEXT("request",
		*e->ask.request != '\0' ? e->ask.request : NULL),
	    LOG_TEXT("code", fault_name(why->code)),
	    LOG_TEXT("text", why->text));
	if (desk_fault_write(why, &line, &f) == 0)
		say(e, &line);
	errand_end(e);
}

void
errand_answer(struct errand *e, struct json_t *body)
{
	OWN_BUF(line, DESK_LINE_MAX + 1);
	struct fault f = { 0 };

	if (desk_answer_write(DESK_END, body, &line, &f) < 0) {
		errand_fail(e, &f);
		return;
	}
	say(e, &line);
	errand_end(e);
}

void
errand_ask(struct errand *e, struct channel *to, const struct msg *m,
    errand_fn *next)
{
	struct fault f = { 0 };

	e->next = next;
	memset(&e->fault, 0, sizeof(e->fault));
	memset(&e->kept, 0, sizeof(e->kept));
	if (to == NULL)
		(void)fault_set(&f, FAULT_BUSY, "the daemon is starting");
	if (to == NULL || channel_say(to, m, &f) < 0)
		errand_fail(e, &f);
}

static int
may(const struct errand *e, struct fault *f)
{
	unsigned needed = verbs[e->ask.verb].roles;

	if (needed == 0 || (e->roles & needed) != 0)
		return 0;
	return fault_set(f, FAULT_DENIED,
	    "%s may not %s: that takes the role "
	    "of %s",
	    e->who, desk_verb_word(e->ask.verb),
	    (needed & STAFF_APPROVER) != 0	? "approver"
		: (needed & STAFF_AUDITOR) != 0 ? "auditor"
		: (needed & STAFF_REVOKER) != 0 ? "revoker"
						: "requester");
}

void
errand_begin(struct visitor *v, struct desk_ask *ask)
{
	struct fault f = { 0 };
	const char *who = visitor_who(v);
	struct errand *e = errand_new(visitor_desk(v), &f);

	if (e == NULL) {
		OWN_BUF(line, DESK_LINE_MAX + 1);
		struct fault again = { 0 };

		desk_ask_clear(ask);
		if (desk_fault_write(&f, &line, &again) == 0)
			visitor_say(v, &line);
		return;
	}
	e->visitor = v;
	e->ask = *ask;
	memset(ask, 0, sizeof(*ask));
	visitor_busy(v, e);
	if (who == NULL || text_copy(e->who, sizeof(e->who), who) < 0 ||
	    text_copy(e->method, sizeof(e->method), visitor_method(v)) < 0 ||
	    text_copy(e->peer, sizeof(e->peer), visitor_peer(v)) < 0) {
		(void)fault_set(&f, FAULT_DENIED, "nobody of the staff");
		errand_fail(e, &f);
		return;
	}
	e->roles = staff_roles(e->desk->staff, who);
	if (may(e, &f) < 0) {
		errand_fail(e, &f);
		return;
	}
	verbs[e->ask.verb].begin(e);
}

/* ---- what comes back */

static struct errand *
find(struct desk *desk, uint32_t id)
{
	struct errand *e = desk->errand[id % DESK_ERRANDS];

	return e != NULL && e->id == id ? e : NULL;
}

static void
heard_request(struct errand *e, const struct msg_request_row *row)
{
	if (e->ask.verb == DESK_LIST && e->visitor == NULL &&
	    e->due.limit > 0) {
		sweep_row(e, row);
		return;
	}
	if (e->ask.verb == DESK_LIST) {
		errand_list_row(e, row);
		return;
	}
	e->row = *row;
	buf_free(&e->file);
	e->file = BUF(REQUEST_FILE_MAX + 1);
	buf_put(&e->file, row->file.data, row->file.len);
	e->row.file = (struct wire_bytes){ e->file.data, e->file.len };
	/* Found the next time without a look at all CAs'. */
	memcpy(e->ask.ca, row->ca, sizeof(e->ask.ca));
}

static void
heard_decision(struct errand *e, const struct msg_decision_row *row)
{
	static const char *const verdicts[] = { "?", "approved", "rejected",
		"withdrawn" };
	json_t *one = json_object();

	/* Who is no approver any more approves no more, either. */
	if (row->verdict == OFFICE_APPROVE &&
	    (staff_roles(e->desk->staff, row->who) & STAFF_APPROVER) == 0) {
		if (e->row.approvals > 0)
			e->row.approvals--;
	} else if (e->votes < ERRAND_VOTES) {
		struct office_vote *vote = &e->vote[e->votes++];

		vote->verdict = (enum office_verdict)row->verdict;
		memcpy(vote->who, row->who, sizeof(vote->who));
	}
	desk_put(one, "verdict",
	    row->verdict < 4 ? verdicts[row->verdict] : "?");
	desk_put(one, "who", row->who);
	desk_put(one, "method", row->method);
	desk_put(one, "text", row->text);
	errand_put_time(one, "when", row->when);
	if (e->decisions == NULL)
		e->decisions = json_array();
	(void)json_array_append_new(e->decisions, one);
}

static void
heard_kept(struct errand *e, const struct msg_kept *m)
{
	e->kept = *m;
	if (m->fault != FAULT_NONE)
		(void)fault_set(&e->fault,
		    m->fault < FAULT_COUNT ? (enum fault_code)m->fault
					   : FAULT_INTERNAL,
		    "%s", m->text);
	e->next(e);
}

static void
heard_signed(struct errand *e, const struct msg_office_signed *m)
{
	if (m->fault != FAULT_NONE)
		(void)fault_set(&e->fault,
		    m->fault < FAULT_COUNT ? (enum fault_code)m->fault
					   : FAULT_INTERNAL,
		    "%s", m->text);
	e->next(e);
}

static uint32_t
id_of(const struct msg *m)
{
	/* What else may be said to the desk is a KEPT. */
	if (m->type == MSG_REQUEST_ROW)
		return m->request_row.id;
	if (m->type == MSG_DECISION_ROW)
		return m->decision_row.id;
	if (m->type == MSG_CERT_ROW)
		return m->cert_row.id;
	if (m->type == MSG_EVENT_ROW)
		return m->event_row.id;
	if (m->type == MSG_OFFICE_SIGNED)
		return m->office_signed.id;
	return m->kept.id;
}

void
errand_heard(struct desk *desk, const struct msg *m)
{
	struct errand *e = find(desk, id_of(m));

	if (e == NULL)
		return;
	if (m->type == MSG_REQUEST_ROW)
		heard_request(e, &m->request_row);
	if (m->type == MSG_DECISION_ROW)
		heard_decision(e, &m->decision_row);
	if (m->type == MSG_CERT_ROW)
		errand_cert_row(e, &m->cert_row);
	if (m->type == MSG_EVENT_ROW)
		errand_event_row(e, &m->event_row);
	if (m->type == MSG_OFFICE_SIGNED)
		heard_signed(e, &m->office_signed);
	if (m->type == MSG_KEPT)
		heard_kept(e, &m->kept);
}

void
errand_changed(struct desk *desk)
{
	for (size_t i = 0; i < DESK_ERRANDS; i++)
		if (desk->errand[i] != NULL && desk->errand[i]->parked)
			errand_watch_again(desk->errand[i]);
}

void
errands_tick(struct desk *desk, int64_t now)
{
	struct fault f = { 0 };

	(void)fault_set(&f, FAULT_TIMEOUT,
	    "the daemon did not answer in time; what was begun goes on: ask "
	    "again");
	for (size_t i = 0; i < DESK_ERRANDS; i++) {
		struct errand *e = desk->errand[i];

		if (e == NULL)
			continue;
		if (e->parked && e->ask_at <= now)
			errand_watch_again(e);
		else if (!e->parked && e->deadline <= now)
			errand_fail(e, &f);
	}
}
