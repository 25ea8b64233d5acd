#include "signetd/desk/errand_probe.h"

#define REJECT "{\"do\": \"reject\", \"reason\": \"so\", "
#define REVOKE "{\"do\": \"revoke\", \"cause\": "

/* ---- who may */

static void
each_verb_takes_its_role(void **state)
{
	static const struct {
		const char *line;
		const char *staff;
		const char *role;
	} table[] = {
		{ "{\"do\": \"submit\", \"file\": \"x\"}\n", APPROVER,
		    "requester" },
		{ "{\"do\": \"approve\", \"request\": \"x\"}\n", ASKER,
		    "approver" },
		{ REJECT "\"request\": \"x\"}\n", AUDITOR, "approver" },
		{ "{\"do\": \"withdraw\", \"request\": \"x\"}\n", APPROVER,
		    "requester" },
		{ "{\"do\": \"revoke\", \"serial\": \"1\", \"cause\": 1}\n",
		    AUDITOR, "revoker" },
		{ "{\"do\": \"release\", \"serial\": \"1\"}\n", ASKER,
		    "revoker" },
		{ "{\"do\": \"search\"}\n", ASKER, "auditor" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct counter *c = counter_open(PROFILE, table[i].staff);

		counter_say(c, c->fd, table[i].line);
		counter_refuses(c, FAULT_DENIED, table[i].role);
		nobody_is_asked(c);
		counter_close(c);
	}
}

static void
an_asker_is_shown_his_own_alone(void **state)
{
	struct counter *c = counter_open(PROFILE, ASKER);
	struct filed filed;
	struct msg event = { .type = MSG_EVENT_ROW };

	(void)state;
	counter_say(c, c->fd, "{\"do\": \"list\", \"who\": \"bob\"}\n");
	(void)counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST);
	assert_string_equal(c->said.request_list.who, "me");
	counter_kept(c, c->said.request_list.id, FAULT_NONE);
	counter_ends(c, NULL);
	file_it(&filed, "bob");
	say_of(c, "show", &filed);
	found(c, &filed, OPEN, no_votes);
	counter_refuses(c, FAULT_DENIED, "bob");
	say_of(c, "fetch", &filed);
	found(c, &filed, ISSUED, no_votes);
	counter_refuses(c, FAULT_DENIED, "bob");
	say_of(c, "withdraw", &filed);
	found(c, &filed, OPEN, no_votes);
	counter_refuses(c, FAULT_DENIED, "bob");
	/* What happens to others' is not told, either. */
	counter_say(c, c->fd, "{\"do\": \"watch\", \"limit\": 9}\n");
	event.event_row.id =
	    counter_hears(c, MSG_ROLE_KEEPER, MSG_EVENT_LIST)->event_list.id;
	memcpy(event.event_row.asked, "bob", sizeof("bob"));
	counter_tell(c, &event);
	memcpy(event.event_row.asked, "me", sizeof("me"));
	counter_tell(c, &event);
	counter_kept(c, event.event_row.id, FAULT_NONE);
	assert_int_equal(counter_answer(c)->kind, DESK_ITEM);
	assert_string_equal(counter_text(c, "asked"), "me");
	counter_ends(c, NULL);
	nobody_is_asked(c);
	buf_free(&filed.file);
	counter_close(c);
}

/* ---- revoking */

static void
one_thing_is_named_and_a_cause_that_is_given_here(void **state)
{
	static const char *const bad[] = {
		REVOKE "1}\n",
		REVOKE "1, \"serial\": \"1\", \"who\": \"bob\"}\n",
		REVOKE "2, \"serial\": \"1\"}\n",
		REVOKE "7, \"serial\": \"1\"}\n",
		REVOKE "1, \"subject\": \"gw\"}\n",
	};
	struct counter *c = counter_open(PROFILE, REVOKER);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		counter_say(c, c->fd, bad[i]);
		assert_int_equal(counter_answer(c)->kind, DESK_FAULT);
		assert_int_equal(c->answer.fault, FAULT_INPUT);
		nobody_is_asked(c);
	}
	counter_say(c, c->fd,
	    "{\"do\": \"revoke\", \"cause\": 1, \"serial\": \"0a\"}\n");
	(void)counter_hears(c, MSG_ROLE_KEEPER, MSG_CERT_REVOKE);
	assert_string_equal(c->said.cert_revoke.ca, "sub");
	assert_string_equal(c->said.cert_revoke.serial, "0a");
	assert_string_equal(c->said.cert_revoke.only_of, "");
	assert_int_equal(c->said.cert_revoke.release, 0);
	counter_kept(c, c->said.cert_revoke.id, FAULT_NONE);
	counter_ends(c, NULL);
	counter_close(c);
}

static void
an_asker_may_revoke_only_of_his_own(void **state)
{
	struct counter *c = counter_open(PROFILE, ASKER);

	(void)state;
	counter_say(c, c->fd,
	    "{\"do\": \"revoke\", \"cause\": 1, \"who\": \"bob\"}\n");
	(void)counter_hears(c, MSG_ROLE_KEEPER, MSG_CERT_REVOKE);
	assert_string_equal(c->said.cert_revoke.requester, "bob");
	assert_string_equal(c->said.cert_revoke.only_of, "me");
	counter_kept(c, c->said.cert_revoke.id, FAULT_DENIED);
	counter_refuses(c, FAULT_DENIED, "no");
	counter_close(c);
}

/* ---- looking */

static void
a_list_of_a_ca_that_is_unknown_is_no_empty_list(void **state)
{
	struct counter *c = counter_open(PROFILE, AUDITOR);

	(void)state;
	counter_say(c, c->fd,
	    "{\"do\": \"list\", \"ca\": \"sbu\", \"limit\": 1000}\n");
	(void)counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST);
	assert_string_equal(c->said.request_list.ca, "sbu");
	assert_int_equal(c->said.request_list.limit, 100);
	counter_kept(c, c->said.request_list.id, FAULT_NONE);
	counter_refuses(c, FAULT_ABSENT, "those served: sub");
	counter_say(c, c->fd, "{\"do\": \"search\", \"limit\": 7}\n");
	(void)counter_hears(c, MSG_ROLE_KEEPER, MSG_CERT_LIST);
	assert_int_equal(c->said.cert_list.limit, 7);
	counter_kept(c, c->said.cert_list.id, FAULT_NONE);
	counter_ends(c, NULL);
	counter_close(c);
}

static uint32_t
watch(struct counter *c, uint64_t after)
{
	(void)counter_hears(c, MSG_ROLE_KEEPER, MSG_EVENT_LIST);
	assert_int_equal(c->said.event_list.after, after);
	return c->said.event_list.id;
}

static void
who_watches_waits_until_something_is_new(void **state)
{
	struct counter *c = counter_open(PROFILE, AUDITOR);
	struct msg event = { .type = MSG_EVENT_ROW };
	struct msg kept = { .type = MSG_KEPT };
	int64_t now = clock_mono();

	(void)state;
	counter_say(c, c->fd,
	    "{\"do\": \"watch\", \"after\": 5, \"limit\": 9}\n");
	kept.kept.id = watch(c, 5);
	kept.kept.last = 8;
	counter_tell(c, &kept);
	assert_true(counter_is_silent(c->fd));
	nobody_is_asked(c);
	/* Others write to the ledger, too: it looks again by itself. */
	errands_tick(&c->desk, now + 1000);
	nobody_is_asked(c);
	errands_tick(&c->desk, now + 3000);
	kept.kept.id = watch(c, 8);
	counter_tell(c, &kept);
	errand_changed(&c->desk);
	event.event_row.id = kept.kept.id = watch(c, 8);
	event.event_row.entry = kept.kept.last = 9;
	memcpy(event.event_row.kind, "issued", sizeof("issued"));
	counter_tell(c, &event);
	counter_tell(c, &kept);
	assert_int_equal(counter_answer(c)->kind, DESK_ITEM);
	assert_string_equal(counter_text(c, "event"), "issued");
	counter_ends(c, NULL);
	assert_int_equal(json_integer_value(json_object_get(c->answer.body,
			     "last")),
	    9);
	counter_close(c);
}

static void
who_watched_and_left_leaves_nothing_behind(void **state)
{
	struct counter *c = counter_open(PROFILE, AUDITOR);
	uint32_t id;

	(void)state;
	counter_say(c, c->fd, "{\"do\": \"watch\", \"limit\": 9}\n");
	id = watch(c, 0);
	counter_kept(c, id, FAULT_NONE);
	assert_true(c->desk.errand[id % DESK_ERRANDS]->parked);
	(void)close(c->fd);
	counter_turn(c);
	assert_null(c->desk.errand[id % DESK_ERRANDS]);
	errand_changed(&c->desk);
	nobody_is_asked(c);
	c->fd = counter_enter(c, &c->local, NULL);
	counter_close(c);
}

/* ---- when nobody answers */

static void
what_is_not_answered_in_time_is_given_up_and_answers_nobody(void **state)
{
	struct counter *c = counter_open(PROFILE, AUDITOR);
	uint32_t late, next;

	(void)state;
	counter_say(c, c->fd, "{\"do\": \"list\"}\n");
	late = counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST)
		   ->request_list.id;
	errands_tick(&c->desk, clock_mono() + 59000);
	assert_true(counter_is_silent(c->fd));
	errands_tick(&c->desk, clock_mono() + 60001);
	counter_refuses(c, FAULT_TIMEOUT, "ask again");
	/* The next one has its place, but not its number. */
	counter_say(c, c->fd, "{\"do\": \"list\"}\n");
	next = counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST)
		   ->request_list.id;
	assert_int_equal(late % DESK_ERRANDS, next % DESK_ERRANDS);
	assert_int_not_equal(late, next);
	counter_kept(c, late, FAULT_DENIED);
	assert_true(counter_is_silent(c->fd));
	counter_kept(c, next, FAULT_NONE);
	counter_ends(c, NULL);
	counter_close(c);
}

static void
before_the_keeper_is_there_the_desk_is_busy(void **state)
{
	struct counter *c = counter_open(PROFILE, AUDITOR);
	struct channel *keeper = c->desk.keeper;

	(void)state;
	c->desk.keeper = NULL;
	counter_say(c, c->fd, "{\"do\": \"list\"}\n");
	counter_refuses(c, FAULT_BUSY, "starting");
	c->desk.keeper = keeper;
	counter_close(c);
}

static void
there_is_an_end_to_how_many_there_are(void **state)
{
	struct counter *c = counter_open(PROFILE, AUDITOR);
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < DESK_ERRANDS; i++) {
		struct errand *e = errand_new(&c->desk, &f);

		assert_non_null(e);
		assert_int_equal(e->id % DESK_ERRANDS, i);
	}
	assert_null(errand_new(&c->desk, &f));
	assert_int_equal(f.code, FAULT_BUSY);
	counter_say(c, c->fd, "{\"do\": \"whoami\"}\n");
	counter_refuses(c, FAULT_BUSY, "too many");
	errand_end(c->desk.errand[77]);
	counter_say(c, c->fd, "{\"do\": \"whoami\"}\n");
	counter_ends(c, NULL);
	counter_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verb_takes_its_role),
		cmocka_unit_test(an_asker_is_shown_his_own_alone),
		cmocka_unit_test(
		    one_thing_is_named_and_a_cause_that_is_given_here),
		cmocka_unit_test(an_asker_may_revoke_only_of_his_own),
		cmocka_unit_test(
		    a_list_of_a_ca_that_is_unknown_is_no_empty_list),
		cmocka_unit_test(who_watches_waits_until_something_is_new),
		cmocka_unit_test(who_watched_and_left_leaves_nothing_behind),
		cmocka_unit_test(
		    what_is_not_answered_in_time_is_given_up_and_answers_nobody),
		cmocka_unit_test(before_the_keeper_is_there_the_desk_is_busy),
		cmocka_unit_test(there_is_an_end_to_how_many_there_are),
	};

	return cmocka_run_group_tests_name("desk/errand", tests, NULL, NULL);
}
