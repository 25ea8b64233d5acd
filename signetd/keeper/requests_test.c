#include "signetd/keeper/requests_probe.h"

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
		AT_THE_OFFICE(events_go_on_from_where_one_was),
		AT_THE_OFFICE(the_issuer_hears_file_and_decisions),
		AT_THE_OFFICE(what_others_are_to_hear_is_left_to_them),
	};

	return cmocka_run_group_tests_name("keeper/requests", tests, NULL,
	    NULL);
}
