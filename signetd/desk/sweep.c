/*
 * What is approved is signed, whatever came between: a crash, a full disk.  At
 * the start, and a minute after something could not be signed, the keeper is
 * asked for open requests, and the issuer for each that has its approvals.
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

	/* Who approved is the issuer's to count. */
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
sign_next(struct errand *e)
{
	struct msg m = { .type = MSG_OFFICE_SIGN };
	struct errand_due due;

	if (e->due.len < sizeof(due)) {
		errand_end(e);
		return;
	}
	memcpy(&due, e->due.data, sizeof(due));
	buf_eat(&e->due, sizeof(due));
	m.office_sign.id = e->id;
	memcpy(m.office_sign.ca, due.ca, sizeof(due.ca));
	memcpy(m.office_sign.request, due.request, sizeof(due.request));
	errand_ask(e, e->desk->issuer, &m, tried);
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
