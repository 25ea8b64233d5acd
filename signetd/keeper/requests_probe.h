#ifndef SIGNETD_KEEPER_REQUESTS_PROBE_H
#define SIGNETD_KEEPER_REQUESTS_PROBE_H

/* For _test.c: the office's part of the book, and all that it says. */

#include "base/clock.h"
#include "ledger/ledger_request.h"
#include "signetd/decided.h"
#include "signetd/keeper/keeper_probe.h"
#include "signetd/keeper/requests.h"

#define HOLD 6
#define COMPROMISE 1
#define FILE_TEXT "a request file\n"
#define SUBJECT "/DC=org/O=Ex/OU=People/CN=gw"
#define FIRST_ROWS 4

/* What was said in answer to one message. */
struct said {
	unsigned rows;
	enum msg_type type; /* of each row */
	struct msg row[FIRST_ROWS];
	uint64_t entry[REQUESTS_ROWS_MAX + 1];
	char file[64];	/* of the last row that has one */
	size_t der_len; /* the same */
	struct decided decided[FIRST_ROWS];
	size_t decisions;
	bool ended;
	struct msg_kept kept;
};

struct office {
	struct keeper_place at;
	struct requests requests;
	struct said said;
	uint32_t id;
};

static inline void
copy_file(struct said *said, struct wire_bytes file)
{
	assert_true(file.len < sizeof(said->file));
	if (file.len > 0)
		memcpy(said->file, file.data, file.len);
	said->file[file.len] = '\0';
}

static inline void
note_found(struct said *said, const struct msg_office_found *found)
{
	struct wire_in in = { .at = found->decisions.data,
		.left = found->decisions.len };

	while (decided_next(&in, &said->decided[said->decisions]) == 1)
		said->decisions++;
	assert_true(wire_ended(&in));
	copy_file(said, found->file);
	said->ended = true;
}

static inline uint64_t
entry_of(const struct msg *m)
{
	return m->type == MSG_REQUEST_ROW ? m->request_row.entry
	    : m->type == MSG_CERT_ROW	  ? m->cert_row.entry
	    : m->type == MSG_EVENT_ROW	  ? m->event_row.entry
					  : 0;
}

static inline void
note_row(struct said *said, const struct msg *m)
{
	assert_true(said->rows <= REQUESTS_ROWS_MAX);
	said->type = m->type;
	said->entry[said->rows] = entry_of(m);
	if (said->rows < FIRST_ROWS)
		said->row[said->rows] = *m;
	said->rows++;
	if (m->type == MSG_REQUEST_ROW && m->request_row.file.len > 0)
		copy_file(said, m->request_row.file);
	if (m->type == MSG_CERT_ROW)
		said->der_len = m->cert_row.der.len;
}

/* All that is said could be sent, and to who is meant. */
static inline void
note(void *arg, const struct msg *m)
{
	struct office *o = arg;
	enum msg_role hearer =
	    m->type == MSG_OFFICE_FOUND ? MSG_ROLE_ISSUER : MSG_ROLE_DESK;
	OWN(char) frame = malloc(MSG_MAX_FRAME);
	struct fault f = { 0 };

	assert_non_null(frame);
	assert_false(o->said.ended);
	assert_true(msg_allowed(m->type, MSG_ROLE_KEEPER, hearer));
	if (msg_encode(m, (uint8_t *)frame, MSG_MAX_FRAME, &f) < 0)
		fail_msg("%s", f.text);
	if (m->type == MSG_OFFICE_FOUND) {
		o->said.row[0] = *m;
		note_found(&o->said, &m->office_found);
	} else if (m->type == MSG_KEPT) {
		assert_int_equal(m->kept.id, o->id);
		o->said.kept = m->kept;
		o->said.ended = true;
	} else {
		note_row(&o->said, m);
	}
}

static inline int
open_office(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	*state = o;
	keeper_open(&o->at);
	o->requests = (struct requests){ o->at.ledger, o->at.books, note, o };
	return 0;
}

static inline int
close_office(void **state)
{
	struct office *o = *state;

	keeper_close(&o->at);
	free(o);
	return 0;
}

/* The code of the fault that ${m} is answered with. */
static inline enum fault_code
take(struct office *o, const struct msg *m)
{
	memset(&o->said, 0, sizeof(o->said));
	assert_true(requests_take(&o->requests, m));
	assert_true(o->said.ended);
	return (enum fault_code)o->said.kept.fault;
}

#define TEXT(field, text) memcpy((field), (text), strlen(text) + 1)

/* ---- what is asked, each with a number of its own */

static inline enum fault_code
put(struct office *o, const char *ca, const char *id, const char *file)
{
	struct msg m = { .type = MSG_REQUEST_PUT };
	struct msg_request_put *p = &m.request_put;

	p->id = ++o->id;
	TEXT(p->ca, ca);
	TEXT(p->request, id);
	TEXT(p->who, "ann");
	TEXT(p->method, "uid 1000");
	TEXT(p->peer, "local");
	TEXT(p->subject, SUBJECT);
	TEXT(p->profile, "host");
	p->file = (struct wire_bytes){ (const uint8_t *)file, strlen(file) };
	return take(o, &m);
}

static inline enum fault_code
decide(struct office *o, const char *id, enum ledger_verdict verdict,
    const char *who)
{
	struct msg m = { .type = MSG_REQUEST_DECIDE };
	struct msg_request_decide *d = &m.request_decide;

	d->id = ++o->id;
	TEXT(d->ca, "sub");
	TEXT(d->request, id);
	d->verdict = verdict;
	TEXT(d->who, who);
	TEXT(d->method, "uid 1001");
	TEXT(d->text, "by telephone");
	return take(o, &m);
}

static inline enum fault_code
find(struct office *o, const char *ca, const char *id)
{
	struct msg m = { .type = MSG_REQUEST_FIND };

	m.request_find.id = ++o->id;
	TEXT(m.request_find.ca, ca);
	TEXT(m.request_find.request, id);
	return take(o, &m);
}

static inline enum fault_code
list(struct office *o, struct msg_request_list list)
{
	struct msg m = { .type = MSG_REQUEST_LIST, .request_list = list };

	m.request_list.id = ++o->id;
	return take(o, &m);
}

static inline enum fault_code
take_back(struct office *o, struct msg_cert_revoke wish)
{
	struct msg m = { .type = MSG_CERT_REVOKE, .cert_revoke = wish };

	m.cert_revoke.id = ++o->id;
	TEXT(m.cert_revoke.ca, "sub");
	TEXT(m.cert_revoke.who, "root");
	return take(o, &m);
}

static inline enum fault_code
certs(struct office *o, struct msg_cert_list list)
{
	struct msg m = { .type = MSG_CERT_LIST, .cert_list = list };

	m.cert_list.id = ++o->id;
	return take(o, &m);
}

static inline enum fault_code
events(struct office *o, uint64_t after, uint32_t limit)
{
	struct msg m = { .type = MSG_EVENT_LIST };

	m.event_list.id = ++o->id;
	m.event_list.after = after;
	m.event_list.limit = limit;
	return take(o, &m);
}

/* The state of the one certificate with this ${serial}, in hexadecimal. */
static inline unsigned
state_of(struct office *o, const char *serial)
{
	struct msg_cert_list by_serial = { .ca = "sub" };

	TEXT(by_serial.serial, serial);
	assert_int_equal(certs(o, by_serial), FAULT_NONE);
	assert_int_equal(o->said.rows, 1);
	return o->said.row[0].cert_row.state;
}

/* Issue one of ${who} by ${method}, whose number is 1000 and up. */
static inline void
issue(struct office *o, const char *who, const char *method, const char *cn,
    time_t not_after)
{
	const struct ledger_numbering numbering = { false, 1000, 50 };
	const struct ledger_intent intent = { .ca = "sub",
		.ref = "0123456789ab",
		.peer = "local",
		.username = who,
		.principal = who,
		.method = method,
		.subject = cn,
		.profile = "host",
		.not_before = 1,
		.not_after = not_after };
	struct fault f = { 0 };

	assert_int_equal(ledger_begin(o->at.ledger, &f), 0);
	(void)keeper_issue(o->at.ledger, &intent, &numbering);
	assert_int_equal(ledger_end(o->at.ledger, &f), 0);
}

#define AT_THE_OFFICE(test) \
	cmocka_unit_test_setup_teardown(test, open_office, close_office)

#endif
