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
static void
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

static void
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
static void
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
static void
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

static struct msg_request_decide
decided(struct counter *c)
{
	return counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_DECIDE)
	    ->request_decide;
}

static void
issuer_says(struct counter *c, enum fault_code code)
{
	struct msg m = { .type = MSG_OFFICE_SIGNED };

	m.office_signed.id =
	    counter_hears(c, MSG_ROLE_ISSUER, MSG_OFFICE_SIGN)->office_sign.id;
	m.office_signed.fault = code;
	memcpy(m.office_signed.text, "disk full", sizeof("disk full"));
	counter_tell(c, &m);
}

static void
nobody_is_asked(struct counter *c)
{
	assert_true(counter_is_silent(c->keeper_fd));
	assert_true(counter_is_silent(c->issuer_fd));
}

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
		{ "{\"do\": \"reject\", \"request\": \"x\", \"reason\": "
		  "\"so\"}\n",
		    AUDITOR, "approver" },
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

/* ---- revoking */

static void
one_thing_is_named_and_a_cause_that_is_given_here(void **state)
{
	static const char *const bad[] = {
		"{\"do\": \"revoke\", \"cause\": 1}\n",
		"{\"do\": \"revoke\", \"cause\": 1, \"serial\": \"1\", "
		"\"who\": \"bob\"}\n",
		"{\"do\": \"revoke\", \"cause\": 2, \"serial\": \"1\"}\n",
		"{\"do\": \"revoke\", \"cause\": 7, \"serial\": \"1\"}\n",
		"{\"do\": \"revoke\", \"cause\": 1, \"subject\": \"gw\"}\n",
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
		cmocka_unit_test(each_verb_takes_its_role),
		cmocka_unit_test(an_asker_is_shown_his_own_alone),
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
		cmocka_unit_test(a_sweep_has_signed_what_has_its_approvals),
	};

	return cmocka_run_group_tests_name("desk/errand", tests, NULL, NULL);
}
