#include "signetd/desk/errand_probe.h"

/* ---- asking */

static void
submit(struct counter *c, struct filed *filed)
{
	json_t *ask;
	OWN(char) text = NULL;

	file_it(filed, "me");
	ask = json_pack("{s:s, s:s#}", "do", "submit", "file",
	    (const char *)filed->file.data, (int)filed->file.len);
	assert_non_null(text = json_dumps(ask, JSON_COMPACT));
	json_decref(ask);
	assert_int_equal(write(c->fd, text, strlen(text)), strlen(text));
	counter_say(c, c->fd, "\n");
}

static void
a_request_is_on_the_disk_before_it_is_answered(void **state)
{
	struct counter *c = counter_open(PROFILE, ASKER);
	struct filed filed;
	const struct msg_request_put *put = &c->said.request_put;

	(void)state;
	submit(c, &filed);
	(void)counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_PUT);
	assert_string_equal(put->request, filed.id);
	assert_string_equal(put->who, "me");
	assert_string_equal(put->ca, "sub");
	assert_string_equal(put->subject, COUNTER_SUBJECT);
	assert_int_equal(put->file.len, filed.file.len);
	assert_true(counter_is_silent(c->fd));
	counter_kept(c, put->id, FAULT_NONE);
	assert_true(counter_is_silent(c->fd));
	found(c, &filed, OPEN, no_votes);
	counter_ends(c, "open");
	nobody_is_asked(c);
	buf_free(&filed.file);
	/* What the keeper refuses is refused. */
	submit(c, &filed);
	counter_kept(c,
	    counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_PUT)->request_put.id,
	    FAULT_DENIED);
	counter_refuses(c, FAULT_DENIED, "no");
	nobody_is_asked(c);
	buf_free(&filed.file);
	counter_close(c);
}

static void
where_nobody_approves_it_is_signed_at_once(void **state)
{
	struct counter *c = counter_open(NONE, ASKER);
	struct filed filed;

	(void)state;
	submit(c, &filed);
	counter_kept(c,
	    counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_PUT)->request_put.id,
	    FAULT_NONE);
	found(c, &filed, OPEN, no_votes);
	issuer_says(c, FAULT_NONE);
	found(c, &filed, ISSUED, no_votes);
	counter_ends(c, "issued");
	assert_false(c->desk.owed);
	nobody_is_asked(c);
	buf_free(&filed.file);
	counter_close(c);
}

static void
for_names_that_one_may_not_ask_for_nothing_is_written(void **state)
{
	struct counter *c = counter_open(PROFILE,
	    COUNTER_ME "role me requester\nmay-ask me host gw.example.org\n");
	struct filed filed;

	(void)state;
	submit(c, &filed);
	counter_refuses(c, FAULT_DENIED, "data.example.org");
	nobody_is_asked(c);
	buf_free(&filed.file);
	counter_staff(c, COUNTER_ME "role me requester\nmay-ask me robot *\n");
	submit(c, &filed);
	counter_refuses(c, FAULT_DENIED, "gw.example.org");
	nobody_is_asked(c);
	buf_free(&filed.file);
	counter_close(c);
}

/* ---- deciding */

static void
approve(struct counter *c, struct filed *filed)
{
	struct msg_request_decide d;

	say_of(c, "approve", filed);
	found(c, filed, OPEN, no_votes);
	d = decided(c);
	assert_int_equal(d.verdict, OFFICE_APPROVE);
	assert_string_equal(d.who, "me");
	assert_string_equal(d.text, "so");
	counter_kept(c, d.id, FAULT_NONE);
}

static void
what_has_its_approvals_is_signed(void **state)
{
	struct counter *c = counter_open(TWO, APPROVER);
	struct filed filed;

	(void)state;
	file_it(&filed, "bob");
	approve(c, &filed);
	found(c, &filed, OPEN, mine);
	counter_ends(c, "open");
	nobody_is_asked(c);
	approve(c, &filed);
	found(c, &filed, OPEN, two);
	issuer_says(c, FAULT_NONE);
	found(c, &filed, ISSUED, two);
	counter_ends(c, "issued");
	buf_free(&filed.file);
	counter_close(c);
}

static void
who_is_no_approver_any_more_has_not_approved(void **state)
{
	struct counter *c = counter_open(TWO,
	    COUNTER_ME "role me approver\nadministrator bob account bob\n"
		       "role bob requester\nmay-ask bob * *\n"
		       "administrator cyd account cyd\nrole cyd auditor\n");
	struct filed filed;

	(void)state;
	file_it(&filed, "bob");
	approve(c, &filed);
	found(c, &filed, OPEN, two);
	counter_ends(c, "open");
	assert_int_equal(json_integer_value(json_object_get(c->answer.body,
			     "approvals")),
	    1);
	nobody_is_asked(c);
	buf_free(&filed.file);
	counter_close(c);
}

static void
who_asked_is_no_second_person_and_must_still_be_one_who_may(void **state)
{
	struct counter *c = counter_open(TWO,
	    COUNTER_ME "role me requester approver\nmay-ask me * *\n"
		       "administrator bob account bob\nrole bob auditor\n");
	struct filed filed;

	(void)state;
	file_it(&filed, "me");
	say_of(c, "approve", &filed);
	found(c, &filed, OPEN, no_votes);
	counter_refuses(c, FAULT_DENIED, "second person");
	buf_free(&filed.file);
	file_it(&filed, "bob");
	say_of(c, "approve", &filed);
	found(c, &filed, OPEN, no_votes);
	counter_refuses(c, FAULT_DENIED, "no requester any more");
	buf_free(&filed.file);
	nobody_is_asked(c);
	counter_close(c);
}

static void
what_could_not_be_signed_just_then_is_owed(void **state)
{
	static const struct {
		enum fault_code code;
		bool owed;
	} table[] = { { FAULT_LEDGER, true }, { FAULT_BUSY, true },
		{ FAULT_SYSTEM, true }, { FAULT_DENIED, false },
		{ FAULT_KEY, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct counter *c = counter_open(PROFILE, APPROVER);
		struct filed filed;

		file_it(&filed, "bob");
		approve(c, &filed);
		found(c, &filed, OPEN, mine);
		issuer_says(c, table[i].code);
		/* It is not tried again at once, though it has all it takes. */
		found(c, &filed, OPEN, mine);
		counter_ends(c, "open");
		assert_string_equal(counter_text(c, "problem"),
		    fault_name(table[i].code));
		assert_string_equal(counter_text(c, "problem_text"),
		    "disk full");
		assert_int_equal(c->desk.owed, table[i].owed);
		nobody_is_asked(c);
		buf_free(&filed.file);
		counter_close(c);
	}
}

static void
a_rejection_is_written_down(void **state)
{
	struct counter *c = counter_open(PROFILE, APPROVER);
	struct filed filed;
	struct msg_request_decide d;

	(void)state;
	file_it(&filed, "bob");
	say_of(c, "reject", &filed);
	found(c, &filed, OPEN, cyds);
	d = decided(c);
	assert_int_equal(d.verdict, OFFICE_REJECT);
	counter_kept(c, d.id, FAULT_NONE);
	found(c, &filed, REJECTED, no_votes);
	counter_ends(c, "rejected");
	nobody_is_asked(c);
	buf_free(&filed.file);
	counter_close(c);
}

/* ---- what was left undone */

static void
a_sweep_has_signed_what_has_its_approvals(void **state)
{
	struct counter *c = counter_open(PROFILE, AUDITOR);
	struct filed filed, short_of_one;
	uint32_t id;

	(void)state;
	file_it(&filed, "bob");
	file_it(&short_of_one, "bob");
	desk_sweep(&c->desk);
	id = counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST)
		 ->request_list.id;
	assert_int_equal(c->said.request_list.open_only, 1);
	filed.row.request_row.id = short_of_one.row.request_row.id = id;
	filed.row.request_row.approvals = 1;
	counter_tell(c, &short_of_one.row);
	counter_tell(c, &filed.row);
	counter_kept(c, id, FAULT_NONE);
	found(c, &filed, OPEN, cyds);
	issuer_says(c, FAULT_LEDGER);
	assert_true(c->desk.owed);
	assert_null(c->desk.errand[id % DESK_ERRANDS]);
	nobody_is_asked(c);
	/* The page of members is not told. */
	assert_true(counter_is_silent(c->fd));
	buf_free(&filed.file);
	buf_free(&short_of_one.file);
	counter_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_request_is_on_the_disk_before_it_is_answered),
		cmocka_unit_test(where_nobody_approves_it_is_signed_at_once),
		cmocka_unit_test(
		    for_names_that_one_may_not_ask_for_nothing_is_written),
		cmocka_unit_test(what_has_its_approvals_is_signed),
		cmocka_unit_test(who_is_no_approver_any_more_has_not_approved),
		cmocka_unit_test(
		    who_asked_is_no_second_person_and_must_still_be_one_who_may),
		cmocka_unit_test(what_could_not_be_signed_just_then_is_owed),
		cmocka_unit_test(a_rejection_is_written_down),
		cmocka_unit_test(a_sweep_has_signed_what_has_its_approvals),
	};

	return cmocka_run_group_tests_name("desk/errand_request", tests, NULL,
	    NULL);
}
