#ifndef SIGNETD_DESK_ERRAND_PROBE_H
#define SIGNETD_DESK_ERRAND_PROBE_H

/* For _test.c: requests at the desk, and what keeper and issuer say of them. */

#include "signetd/desk/desk_probe.h"

#define PROFILE "# host\nusage digitalSignature\npurpose serverAuth\n"
#define TWO PROFILE "approvals 2\nsecond-person yes\n"
#define NONE PROFILE "approvals 0\n"

#define ASKER COUNTER_ME "role me requester\nmay-ask me * *\n" COUNTER_OTHERS
#define APPROVER COUNTER_ME "role me approver\n" COUNTER_OTHERS
#define REVOKER COUNTER_ME "role me revoker\n" COUNTER_OTHERS
#define AUDITOR COUNTER_ME "role me auditor\n" COUNTER_OTHERS

enum {
	OPEN,
	REJECTED,
	WITHDRAWN,
	SIGNING,
	ISSUED
}; /* as the ledger has it */

/* The request file that bob hands in, or the test itself. */
static inline void
write_file(struct buf *file, char id[REQUEST_ID_SIZE])
{
	OWN_STRUCT(request) r = probe_request();
	OWN_STRUCT(key) key = probe_key("ec:P-256");
	struct fault f = { 0 };

	memcpy(r->subject, COUNTER_SUBJECT, sizeof(COUNTER_SUBJECT));
	if (request_write(r, key, file, &f) < 0)
		fail_msg("%s", f.text);
	memcpy(id, r->id, REQUEST_ID_SIZE);
}

/* What the keeper has of it. */
struct filed {
	struct buf file;
	char id[REQUEST_ID_SIZE];
	struct msg row;
};

static inline void
file_it(struct filed *filed, const char *who)
{
	struct msg_request_row *row = &filed->row.request_row;

	memset(filed, 0, sizeof(*filed));
	filed->file = BUF(REQUEST_FILE_MAX);
	write_file(&filed->file, filed->id);
	filed->row.type = MSG_REQUEST_ROW;
	memcpy(row->ca, "sub", sizeof("sub"));
	memcpy(row->request, filed->id, sizeof(filed->id));
	memcpy(row->who, who, strlen(who) + 1);
	memcpy(row->subject, COUNTER_SUBJECT, sizeof(COUNTER_SUBJECT));
	memcpy(row->profile, "host", sizeof("host"));
	row->file = (struct wire_bytes){ filed->file.data, filed->file.len };
}

/* The keeper is asked for the request, and has it in ${state}, with the
 * approvals of ${votes} (NULL-terminated). */
static inline void
found(struct counter *c, struct filed *filed, uint32_t state,
    const char *const *votes)
{
	const struct msg_request_find *find =
	    &counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_FIND)->request_find;
	uint32_t id = find->id;

	assert_string_equal(find->request, filed->id);
	filed->row.request_row.id = id;
	filed->row.request_row.state = state;
	filed->row.request_row.approvals = 0;
	for (size_t i = 0; votes[i] != NULL; i++)
		filed->row.request_row.approvals++;
	counter_tell(c, &filed->row);
	for (size_t i = 0; votes[i] != NULL; i++) {
		struct msg m = { .type = MSG_DECISION_ROW };

		m.decision_row.id = id;
		m.decision_row.verdict = OFFICE_APPROVE;
		memcpy(m.decision_row.who, votes[i], strlen(votes[i]) + 1);
		counter_tell(c, &m);
	}
	counter_kept(c, id, FAULT_NONE);
}

static const char *const no_votes[] = { NULL };
static const char *const cyds[] = { "cyd", NULL };
static const char *const mine[] = { "me", NULL };
static const char *const two[] = { "me", "cyd", NULL };

/* Say ${verb} of the request. */
static inline void
say_of(struct counter *c, const char *verb, const struct filed *filed)
{
	char line[256];

	assert_int_equal(text_fmt(line, sizeof(line),
			     "{\"do\": \"%s\", \"request\": \"%s\", "
			     "\"reason\": \"so\"}\n",
			     verb, filed->id),
	    0);
	if (strcmp(verb, "show") == 0 || strcmp(verb, "fetch") == 0)
		assert_int_equal(text_fmt(line, sizeof(line),
				     "{\"do\": \"%s\", \"request\": \"%s\"}\n",
				     verb, filed->id),
		    0);
	counter_say(c, c->fd, line);
}

static inline struct msg_request_decide
decided(struct counter *c)
{
	return counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_DECIDE)
	    ->request_decide;
}

static inline void
issuer_says(struct counter *c, enum fault_code code)
{
	struct msg m = { .type = MSG_OFFICE_SIGNED };

	m.office_signed.id =
	    counter_hears(c, MSG_ROLE_ISSUER, MSG_OFFICE_SIGN)->office_sign.id;
	m.office_signed.fault = code;
	memcpy(m.office_signed.text, "disk full", sizeof("disk full"));
	counter_tell(c, &m);
}

static inline void
nobody_is_asked(struct counter *c)
{
	assert_true(counter_is_silent(c->keeper_fd));
	assert_true(counter_is_silent(c->issuer_fd));
}

#endif
