/*
 * What is approved is signed, whatever came between: a crash, a full disk.  At
 * the start, and a minute after something could not be signed, the keeper is
 * asked for open requests, and the issuer for each that has its approvals, of
 * people who may still approve.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "signetd/desk/desk.h"

#include <string.h>

#define AGAIN_MS 60000
#define TIMEOUT_MS 600000
#define PAGE 100
#define DUE_MAX ((size_t)1 << 20)

struct errand_due {
	char ca[64];
	char request[32];
};

void
sweep_row(struct errand *e, const struct msg_request_row *row)
{
	const struct profile *p =
	    office_rules_find_profile(e->desk->rules, row->profile);
	struct errand_due due;

	/* Who approved is looked at when its turn comes. */
	if (p == NULL || (int64_t)row->approvals < p->conf.approvals)
		return;
	memcpy(due.ca, row->ca, sizeof(due.ca));
	memcpy(due.request, row->request, sizeof(due.request));
	buf_put(&e->due, &due, sizeof(due));
}

static void sign_next(struct errand *e);

static void
tried(struct errand *e)
{
	enum fault_code code = e->fault.code;

	if (code == FAULT_NONE)
		errand_changed(e->desk);
	if (code == FAULT_LEDGER || code == FAULT_BUSY || code == FAULT_SYSTEM)
		e->desk->owed = true;
	sign_next(e);
}

static void
sign_found(struct errand *e)
{
	struct msg m = { .type = MSG_OFFICE_SIGN };
	const struct profile *p =
	    office_rules_find_profile(e->desk->rules, e->row.profile);

	if (e->fault.code != FAULT_NONE || p == NULL ||
	    !office_rules_enough(p, e->row.who, e->vote, e->votes, NULL)) {
		e->desk->owed |= e->fault.code == FAULT_LEDGER ||
		    e->fault.code == FAULT_BUSY ||
		    e->fault.code == FAULT_SYSTEM;
		sign_next(e);
		return;
	}
	m.office_sign.id = e->id;
	memcpy(m.office_sign.ca, e->row.ca, sizeof(m.office_sign.ca));
	memcpy(m.office_sign.request, e->row.request,
	    sizeof(m.office_sign.request));
	errand_ask(e, e->desk->issuer, &m, tried);
}

static void
sign_next(struct errand *e)
{
	struct errand_due due;

	if (e->due.len < sizeof(due)) {
		errand_end(e);
		return;
	}
	memcpy(&due, e->due.data, sizeof(due));
	buf_eat(&e->due, sizeof(due));
	/* From here on a row is the one that was asked for. */
	e->ask.verb = DESK_SHOW;
	memcpy(e->ask.ca, due.ca, sizeof(e->ask.ca));
	memcpy(e->ask.request, due.request, sizeof(e->ask.request));
	errand_find(e, sign_found);
}

static void
gathered(struct errand *e)
{
	struct msg m = { .type = MSG_REQUEST_LIST };

	if (e->fault.code != FAULT_NONE) {
		e->desk->owed = true;
		errand_fail(e, &e->fault);
		return;
	}
	if (e->kept.more == 0 || e->due.failed) {
		sign_next(e);
		return;
	}
	m.request_list.id = e->id;
	m.request_list.open_only = 1;
	m.request_list.after = e->kept.last;
	m.request_list.limit = PAGE;
	errand_ask(e, e->desk->keeper, &m, gathered);
}

void
desk_sweep(struct desk *desk)
{
	struct msg m = { .type = MSG_REQUEST_LIST };
	struct fault f = { 0 };
	struct errand *e = errand_new(desk, &f);

	desk->owed = false;
	desk->sweep_at = clock_mono() + AGAIN_MS;
	if (e == NULL) {
		desk->owed = true;
		return;
	}
	e->ask.verb = DESK_LIST;
	e->due = BUF(DUE_MAX);
	e->deadline = clock_mono() + TIMEOUT_MS;
	memcpy(e->who, "-", 2);
	m.request_list.id = e->id;
	m.request_list.open_only = 1;
	m.request_list.limit = PAGE;
	errand_ask(e, desk->keeper, &m, gathered);
}
