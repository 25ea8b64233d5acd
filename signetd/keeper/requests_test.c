#include "signetd/keeper/requests.h"

#include "base/clock.h"
#include "ledger/ledger_request.h"
#include "signetd/decided.h"
#include "signetd/keeper/keeper_probe.h"

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

static void
copy_file(struct said *said, struct wire_bytes file)
{
	assert_true(file.len < sizeof(said->file));
	if (file.len > 0)
		memcpy(said->file, file.data, file.len);
	said->file[file.len] = '\0';
}

static void
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

static uint64_t
entry_of(const struct msg *m)
{
	return m->type == MSG_REQUEST_ROW ? m->request_row.entry
	    : m->type == MSG_CERT_ROW	  ? m->cert_row.entry
	    : m->type == MSG_EVENT_ROW	  ? m->event_row.entry
					  : 0;
}

static void
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
static void
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

static int
open_office(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	*state = o;
	keeper_open(&o->at);
	o->requests = (struct requests){ o->at.ledger, o->at.books, note, o };
	return 0;
}

static int
close_office(void **state)
{
	struct office *o = *state;

	keeper_close(&o->at);
	free(o);
	return 0;
}

/* The code of the fault that ${m} is answered with. */
static enum fault_code
take(struct office *o, const struct msg *m)
{
	memset(&o->said, 0, sizeof(o->said));
	assert_true(requests_take(&o->requests, m));
	assert_true(o->said.ended);
	return (enum fault_code)o->said.kept.fault;
}

#define TEXT(field, text) memcpy((field), (text), strlen(text) + 1)

/* ---- what is asked, each with a number of its own */

static enum fault_code
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

static enum fault_code
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

static enum fault_code
find(struct office *o, const char *ca, const char *id)
{
	struct msg m = { .type = MSG_REQUEST_FIND };

	m.request_find.id = ++o->id;
	TEXT(m.request_find.ca, ca);
	TEXT(m.request_find.request, id);
	return take(o, &m);
}

static enum fault_code
list(struct office *o, struct msg_request_list list)
{
	struct msg m = { .type = MSG_REQUEST_LIST, .request_list = list };

	m.request_list.id = ++o->id;
	return take(o, &m);
}

static enum fault_code
take_back(struct office *o, struct msg_cert_revoke wish)
{
	struct msg m = { .type = MSG_CERT_REVOKE, .cert_revoke = wish };

	m.cert_revoke.id = ++o->id;
	TEXT(m.cert_revoke.ca, "sub");
	TEXT(m.cert_revoke.who, "root");
	return take(o, &m);
}

static enum fault_code
certs(struct office *o, struct msg_cert_list list)
{
	struct msg m = { .type = MSG_CERT_LIST, .cert_list = list };

	m.cert_list.id = ++o->id;
	return take(o, &m);
}

static enum fault_code
events(struct office *o, uint64_t after, uint32_t limit)
{
	struct msg m = { .type = MSG_EVENT_LIST };

	m.event_list.id = ++o->id;
	m.event_list.after = after;
	m.event_list.limit = limit;
	return take(o, &m);
}

/* The state of the one certificate with this ${serial}, in hexadecimal. */
static unsigned
state_of(struct office *o, const char *serial)
{
	struct msg_cert_list by_serial = { .ca = "sub" };

	TEXT(by_serial.serial, serial);
	assert_int_equal(certs(o, by_serial), FAULT_NONE);
	assert_int_equal(o->said.rows, 1);
	return o->said.row[0].cert_row.state;
}

/* Issue one of ${who} by ${method}, whose number is 1000 and up. */
static void
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

/* ---- requests */

static void
a_request_is_found_whole_with_its_decisions_in_order(void **state)
{
	struct office *o = *state;
	const struct said *said = &o->said;

	assert_int_equal(put(o, "sub", "r1", FILE_TEXT), FAULT_NONE);
	assert_int_equal(decide(o, "r1", LEDGER_APPROVE, "bob"), FAULT_NONE);
	assert_int_equal(decide(o, "r1", LEDGER_APPROVE, "cyd"), FAULT_NONE);
	assert_int_equal(find(o, "sub", "r1"), FAULT_NONE);
	assert_int_equal(said->rows, 3);
	assert_int_equal(said->row[0].type, MSG_REQUEST_ROW);
	assert_string_equal(said->row[0].request_row.who, "ann");
	assert_string_equal(said->row[0].request_row.subject, SUBJECT);
	assert_int_equal(said->row[0].request_row.approvals, 2);
	assert_int_equal(said->row[0].request_row.id, o->id);
	assert_string_equal(said->file, FILE_TEXT);
	assert_int_equal(said->row[1].type, MSG_DECISION_ROW);
	assert_string_equal(said->row[1].decision_row.who, "bob");
	assert_string_equal(said->row[2].decision_row.who, "cyd");
	assert_string_equal(said->row[2].decision_row.text, "by telephone");
	assert_int_equal(said->kept.count, 1);
	/* Of whichever CA. */
	assert_int_equal(find(o, "", "r1"), FAULT_NONE);
	assert_int_equal(said->rows, 3);
}

static void
what_is_not_there_is_said_to_be_absent(void **state)
{
	struct office *o = *state;

	assert_int_equal(find(o, "sub", "r1"), FAULT_ABSENT);
	assert_int_equal(find(o, "", "r1"), FAULT_ABSENT);
	assert_int_equal(find(o, "sub", ""), FAULT_INPUT);
	assert_int_equal(o->said.rows, 0);
	assert_int_equal(put(o, "other", "r1", FILE_TEXT), FAULT_ABSENT);
	assert_non_null(strstr(o->said.kept.text, "other"));
	assert_int_equal(find(o, "", "r1"), FAULT_ABSENT);
	assert_int_equal(decide(o, "r1", LEDGER_APPROVE, "bob"), FAULT_ABSENT);
}

/* A fault takes back what it began: the next message finds no transaction. */
static void
the_same_again_is_no_fault_and_another_under_its_name_is(void **state)
{
	struct office *o = *state;
	uint64_t entries;

	assert_int_equal(put(o, "sub", "r1", FILE_TEXT), FAULT_NONE);
	entries = ledger_entries(o->at.ledger);
	assert_int_equal(put(o, "sub", "r1", FILE_TEXT), FAULT_NONE);
	assert_int_equal(put(o, "sub", "r1", "another\n"), FAULT_DENIED);
	assert_int_equal(put(o, "sub", "r2", ""), FAULT_INPUT);
	assert_int_equal(ledger_entries(o->at.ledger), entries);
	assert_int_equal(find(o, "sub", "r1"), FAULT_NONE);
	assert_string_equal(o->said.file, FILE_TEXT);
	assert_int_equal(put(o, "sub", "r2", FILE_TEXT), FAULT_NONE);
}

static void
what_has_come_to_its_end_is_decided_no_more(void **state)
{
	struct office *o = *state;

	assert_int_equal(put(o, "sub", "r1", FILE_TEXT), FAULT_NONE);
	assert_int_equal(decide(o, "r1", LEDGER_WITHDRAW, "bob"), FAULT_DENIED);
	assert_int_equal(decide(o, "r1", LEDGER_REJECT, "bob"), FAULT_NONE);
	assert_int_equal(decide(o, "r1", LEDGER_APPROVE, "cyd"), FAULT_DENIED);
	assert_int_equal(find(o, "sub", "r1"), FAULT_NONE);
	assert_int_equal(o->said.row[0].request_row.state,
	    LEDGER_REQUEST_REJECTED);
	assert_int_equal(o->said.rows, 2);
}

static void
a_long_list_comes_in_pages(void **state)
{
	struct office *o = *state;
	const struct said *said = &o->said;
	uint64_t last = 0;

	for (unsigned i = 0; i < REQUESTS_ROWS_MAX + 5; i++) {
		char id[16];

		assert_int_equal(text_fmt(id, sizeof(id), "r%u", i), 0);
		assert_int_equal(put(o, "sub", id, FILE_TEXT), FAULT_NONE);
	}
	for (int page = 0; page < 2; page++) {
		struct msg_request_list next = { .after = last,
			.limit = page == 0 ? 0 : REQUESTS_ROWS_MAX + 1 };

		assert_int_equal(list(o, next), FAULT_NONE);
		assert_int_equal(said->rows, page == 0 ? REQUESTS_ROWS_MAX : 5);
		assert_int_equal(said->kept.count, said->rows);
		assert_int_equal(said->kept.more, page == 0);
		for (unsigned i = 0; i < said->rows; i++) {
			assert_true(said->entry[i] > last);
			last = said->entry[i];
		}
		assert_int_equal(said->kept.last, last);
		/* What is large is in none of them. */
		assert_string_equal(said->file, "");
	}
	assert_int_equal(list(o, (struct msg_request_list){ .after = last }),
	    FAULT_NONE);
	assert_int_equal(said->rows, 0);
	assert_int_equal(list(o, (struct msg_request_list){ .limit = 2 }),
	    FAULT_NONE);
	assert_int_equal(said->rows, 2);
	assert_int_equal(said->kept.more, 1);
}

static void
a_list_is_of_what_was_asked_for(void **state)
{
	static const struct {
		struct msg_request_list list;
		unsigned rows;
	} lists[] = { { { .open_only = 1 }, 1 }, { { .who = "ann" }, 2 },
		{ { .who = "bob" }, 0 }, { { .text = "CN=gw" }, 2 },
		{ { .text = "r2" }, 1 }, { { .text = "nothing" }, 0 },
		{ { .ca = "sub" }, 2 }, { { .ca = "other" }, 0 } };
	struct office *o = *state;

	assert_int_equal(put(o, "sub", "r1", FILE_TEXT), FAULT_NONE);
	assert_int_equal(put(o, "sub", "r2", FILE_TEXT), FAULT_NONE);
	assert_int_equal(decide(o, "r1", LEDGER_WITHDRAW, "ann"), FAULT_NONE);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		assert_int_equal(list(o, lists[i].list), FAULT_NONE);
		assert_int_equal(o->said.rows, lists[i].rows);
	}
}

/* ---- certificates */

static void
certificates_are_listed_without_and_found_with_their_der(void **state)
{
	struct office *o = *state;

	issue(o, "ann", "office", SUBJECT, 4000000000);
	issue(o, "bob", "office", SUBJECT "2", 4000000000);
	assert_int_equal(certs(o, (struct msg_cert_list){ .text = "CN=gw" }),
	    FAULT_NONE);
	assert_int_equal(o->said.rows, 2);
	assert_int_equal(o->said.der_len, 0);
	assert_string_equal(o->said.row[0].cert_row.serial, "03e8");
	assert_string_equal(o->said.row[1].cert_row.who, "bob");
	assert_int_equal(state_of(o, "03e9"), LEDGER_ISSUED);
	assert_true(o->said.der_len > 0);
	assert_int_equal(certs(o, (struct msg_cert_list){ .revoked_only = 1 }),
	    FAULT_NONE);
	assert_int_equal(o->said.rows, 0);
	assert_int_equal(certs(o, (struct msg_cert_list){ .limit = 1 }),
	    FAULT_NONE);
	assert_int_equal(o->said.rows, 1);
	assert_int_equal(o->said.kept.more, 1);
}

static void
one_is_revoked_by_its_serial_once(void **state)
{
	const struct msg_cert_revoke by_serial = { .serial = "03e8",
		.reason = COMPROMISE };
	struct office *o = *state;
	uint64_t entries;

	issue(o, "ann", "office", SUBJECT, 4000000000);
	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o, by_serial), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 1);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
	assert_int_equal(o->said.row[0].cert_row.reason, COMPROMISE);
	assert_int_equal(state_of(o, "03e9"), LEDGER_ISSUED);
	entries = ledger_entries(o->at.ledger);
	assert_int_equal(take_back(o, by_serial), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 0);
	assert_int_equal(ledger_entries(o->at.ledger), entries);
}

static void
all_of_a_subject_that_are_still_good_are_revoked(void **state)
{
	struct office *o = *state;

	issue(o, "ann", "office", SUBJECT, clock_wall() - 10);
	issue(o, "ann", "office", SUBJECT, clock_wall() + 1000);
	issue(o, "bob", "office", SUBJECT, clock_wall() + 1000);
	issue(o, "bob", "office", SUBJECT "2", clock_wall() + 1000);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){
				 .subject = SUBJECT, .reason = COMPROMISE }),
	    FAULT_NONE);
	assert_int_equal(o->said.kept.count, 2);
	assert_int_equal(state_of(o, "03e8"), LEDGER_ISSUED);
	assert_int_equal(state_of(o, "03e9"), LEDGER_REVOKED);
	assert_int_equal(state_of(o, "03ea"), LEDGER_REVOKED);
	assert_int_equal(state_of(o, "03eb"), LEDGER_ISSUED);
	/* One that has expired is revoked if it is meant itself. */
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){
				 .serial = "03e8", .reason = COMPROMISE }),
	    FAULT_NONE);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
}

static void
what_is_held_is_let_go_or_revoked(void **state)
{
	const struct msg_cert_revoke hold = { .serial = "03e8",
		.reason = HOLD };
	const struct msg_cert_revoke release = { .serial = "03e8",
		.release = 1 };
	const struct msg_cert_revoke proper = { .serial = "03e8",
		.reason = COMPROMISE };
	struct office *o = *state;

	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o, release), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 0);
	assert_int_equal(take_back(o, hold), FAULT_NONE);
	assert_int_equal(state_of(o, "03e8"), LEDGER_HELD);
	assert_int_equal(take_back(o, hold), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 0);
	assert_int_equal(take_back(o, release), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 1);
	assert_int_equal(state_of(o, "03e8"), LEDGER_ISSUED);
	assert_int_equal(take_back(o, hold), FAULT_NONE);
	assert_int_equal(take_back(o, proper), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 1);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
	/* That is for good. */
	assert_int_equal(take_back(o, release), FAULT_DENIED);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
	assert_int_equal(take_back(o, hold), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 0);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
}

/* Who is no revoker: only what the office issued to himself. */
static void
an_asker_revokes_his_own_alone(void **state)
{
	struct msg_cert_revoke own = {
		.serial = "03e8", .reason = COMPROMISE, .only_of = "ann"
	};
	struct office *o = *state;

	issue(o, "bob", "office", SUBJECT, 4000000000);
	issue(o, "ann", "passwd", SUBJECT, 4000000000);
	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o, own), FAULT_DENIED);
	TEXT(own.serial, "03e9");
	assert_int_equal(take_back(o, own), FAULT_DENIED);
	/* By their subject: his own of them. */
	own.serial[0] = '\0';
	TEXT(own.subject, SUBJECT);
	assert_int_equal(take_back(o, own), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 1);
	assert_int_equal(state_of(o, "03e8"), LEDGER_ISSUED);
	assert_int_equal(state_of(o, "03e9"), LEDGER_ISSUED);
	assert_int_equal(state_of(o, "03ea"), LEDGER_REVOKED);
}

static void
nothing_is_revoked_that_was_not_named(void **state)
{
	struct office *o = *state;

	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){ .reason = COMPROMISE }),
	    FAULT_INPUT);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){
				 .serial = "03e9", .reason = COMPROMISE }),
	    FAULT_ABSENT);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){ .subject = SUBJECT "x",
				 .reason = COMPROMISE }),
	    FAULT_ABSENT);
	assert_int_equal(state_of(o, "03e8"), LEDGER_ISSUED);
}

/* ---- events */

static void
events_go_on_from_where_one_was(void **state)
{
	struct office *o = *state;
	uint64_t end;

	assert_int_equal(put(o, "sub", "r1", FILE_TEXT), FAULT_NONE);
	assert_int_equal(decide(o, "r1", LEDGER_REJECT, "bob"), FAULT_NONE);
	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){
				 .serial = "03e8", .reason = COMPROMISE }),
	    FAULT_NONE);
	/* Where the end is, without what lies before. */
	assert_int_equal(events(o, 0, 0), FAULT_NONE);
	assert_int_equal(o->said.rows, 0);
	end = o->said.kept.last;
	assert_int_equal(events(o, 0, 2), FAULT_NONE);
	assert_int_equal(o->said.rows, 2);
	assert_int_equal(o->said.kept.more, 1);
	assert_string_equal(o->said.row[0].event_row.kind, "asked");
	assert_string_equal(o->said.row[1].event_row.kind, "rejected");
	assert_string_equal(o->said.row[1].event_row.asked, "ann");
	assert_int_equal(events(o, o->said.kept.last, 2), FAULT_NONE);
	/* What was issued to nobody's request is no event. */
	assert_int_equal(o->said.rows, 1);
	assert_string_equal(o->said.row[0].event_row.kind, "revoked");
	assert_int_equal(o->said.kept.more, 0);
	assert_int_equal(o->said.kept.last, end);
	assert_int_equal(events(o, end, 2), FAULT_NONE);
	assert_int_equal(o->said.rows, 0);
	assert_int_equal(o->said.kept.last, end);
}

/* ---- the issuer's question */

static void
the_issuer_hears_file_and_decisions(void **state)
{
	struct office *o = *state;
	struct msg m = { .type = MSG_OFFICE_FIND };
	const struct msg_office_found *found = &o->said.row[0].office_found;

	assert_int_equal(put(o, "sub", "r1", FILE_TEXT), FAULT_NONE);
	assert_int_equal(decide(o, "r1", LEDGER_APPROVE, "bob"), FAULT_NONE);
	m.office_find.id = 77;
	TEXT(m.office_find.ca, "sub");
	TEXT(m.office_find.request, "r1");
	assert_int_equal(take(o, &m), FAULT_NONE);
	assert_int_equal(found->id, 77);
	assert_int_equal(found->fault, FAULT_NONE);
	assert_string_equal(found->who, "ann");
	assert_string_equal(o->said.file, FILE_TEXT);
	assert_int_equal(o->said.decisions, 1);
	assert_string_equal(o->said.decided[0].who, "bob");
	assert_int_equal(o->said.decided[0].verdict, LEDGER_APPROVE);
	TEXT(m.office_find.request, "r2");
	assert_int_equal(take(o, &m), FAULT_NONE);
	assert_int_equal(found->id, 77);
	assert_int_equal(found->fault, FAULT_ABSENT);
	assert_string_equal(o->said.file, "");
}

static void
what_others_are_to_hear_is_left_to_them(void **state)
{
	struct office *o = *state;
	const struct msg reserve = { .type = MSG_RESERVE };

	assert_false(requests_take(&o->requests, &reserve));
	assert_false(o->said.ended);
}

#define AT_THE_OFFICE(test) \
	cmocka_unit_test_setup_teardown(test, open_office, close_office)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AT_THE_OFFICE(
		    a_request_is_found_whole_with_its_decisions_in_order),
		AT_THE_OFFICE(what_is_not_there_is_said_to_be_absent),
		AT_THE_OFFICE(
		    the_same_again_is_no_fault_and_another_under_its_name_is),
		AT_THE_OFFICE(what_has_come_to_its_end_is_decided_no_more),
		AT_THE_OFFICE(a_long_list_comes_in_pages),
		AT_THE_OFFICE(a_list_is_of_what_was_asked_for),
		AT_THE_OFFICE(
		    certificates_are_listed_without_and_found_with_their_der),
		AT_THE_OFFICE(one_is_revoked_by_its_serial_once),
		AT_THE_OFFICE(all_of_a_subject_that_are_still_good_are_revoked),
		AT_THE_OFFICE(what_is_held_is_let_go_or_revoked),
		AT_THE_OFFICE(an_asker_revokes_his_own_alone),
		AT_THE_OFFICE(nothing_is_revoked_that_was_not_named),
		AT_THE_OFFICE(events_go_on_from_where_one_was),
		AT_THE_OFFICE(the_issuer_hears_file_and_decisions),
		AT_THE_OFFICE(what_others_are_to_hear_is_left_to_them),
	};

	return cmocka_run_group_tests_name("keeper/requests", tests, NULL,
	    NULL);
}
