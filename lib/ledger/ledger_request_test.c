#include "ledger/ledger_request.h"

#include "ledger/ledger_book.h"
#include "ledger/ledger_unit.h"

#include <sys/wait.h>

#include <signal.h>

static struct ledger_request
a_request(const char *id, const char *file)
{
	return (struct ledger_request){
		.ca = "services",
		.id = id,
		.who = "ann",
		.method = "uid 1000",
		.peer = "local",
		.subject = "/DC=org/DC=ligo/CN=gw.phys.uwm.edu",
		.profile = "igtf-host",
		.file = { (const uint8_t *)file, strlen(file) },
	};
}

static void
put(struct ledger *l, const char *id)
{
	struct ledger_request r = a_request(id, "the file");
	struct fault f = { 0 };

	begin(l);
	if (ledger_request_put(l, &r, &f) < 0)
		fail_msg("%s", f.text);
	end(l);
}

/* The code of the fault, FAULT_NONE if there was none. */
static enum fault_code
decide(struct ledger *l, const char *id, enum ledger_verdict verdict,
    const char *who)
{
	struct ledger_decision d = { verdict, who, "uid 1001", "by telephone",
		0 };
	struct fault f = { 0 };
	int result;

	begin(l);
	result = ledger_request_decide(l, "services", id, &d, &f);
	end(l);
	assert_int_equal(result, f.code == FAULT_NONE ? 0 : -1);
	return f.code;
}

static enum fault_code
reserve_for(struct ledger *l, const char *id, struct serial *serial)
{
	struct ledger_intent intent = an_intent("services");
	struct fault f = { 0 };
	int result;

	intent.request = id;
	begin(l);
	result = ledger_reserve(l, &intent, &a_range, serial->data,
	    &serial->len, NULL, &f);
	end(l);
	assert_int_equal(result, f.code == FAULT_NONE ? 0 : -1);
	return f.code;
}

static void
commit_it(struct ledger *l, const struct serial *serial)
{
	struct fault f = { 0 };

	begin(l);
	if (commit(l, "services", serial, &f) < 0)
		fail_msg("%s", f.text);
	end(l);
}

static void
void_it(struct ledger *l, const struct serial *serial)
{
	struct fault f = { 0 };

	begin(l);
	if (ledger_void(l, "services", bytes(serial), &f) < 0)
		fail_msg("%s", f.text);
	end(l);
}

/* A request as it was read back. */
struct back {
	unsigned count;
	struct ledger_request r;
	char id[64];
	char who[64];
	char file[64];
	char serial[64];
};

static int
look(void *arg, const struct ledger_request *r)
{
	struct back *back = arg;

	back->count++;
	back->r = *r;
	return text_copy(back->id, sizeof(back->id), r->id) < 0 ||
	    text_copy(back->who, sizeof(back->who), r->who) < 0 ||
	    text_copy(back->serial, sizeof(back->serial),
		r->serial != NULL ? r->serial : "") < 0 ||
	    text_fmt(back->file, sizeof(back->file), "%.*s", (int)r->file.len,
		(const char *)r->file.data) < 0;
}

static struct back
find(struct ledger *l, const char *id)
{
	struct back back = { 0 }, any = { 0 };
	struct fault f = { 0 };
	int found = ledger_request_find(l, "services", id, look, &back, &f);

	if (found < 0)
		fail_msg("%s", f.text);
	assert_int_equal(found, back.count);
	/* Without its CA it is the same one. */
	assert_int_equal(ledger_request_find(l, NULL, id, look, &any, &f),
	    found);
	assert_int_equal(any.r.entry, back.r.entry);
	return back;
}

static struct back
requests(struct ledger *l, struct ledger_request_filter filter)
{
	struct back back = { 0 };
	struct fault f = { 0 };

	if (ledger_request_each(l, &filter, look, &back, &f) != 0)
		fail_msg("%s", f.text);
	return back;
}

static void
a_request_is_approved_signed_once_and_found(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial serial, again;
	struct back back;

	put(l, "a1");
	back = find(l, "a1");
	assert_int_equal(back.r.state, LEDGER_REQUEST_OPEN);
	assert_int_equal(back.r.approvals, 0);
	assert_string_equal(back.who, "ann");
	assert_string_equal(back.file, "the file");
	assert_null(back.r.serial);
	assert_in_range(back.r.when, time(NULL) - 60, time(NULL) + 60);
	assert_int_equal(decide(l, "a1", LEDGER_APPROVE, "bob"), FAULT_NONE);
	assert_int_equal(decide(l, "a1", LEDGER_APPROVE, "eve"), FAULT_NONE);
	assert_int_equal(find(l, "a1").r.approvals, 2);
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_NONE);
	back = find(l, "a1");
	assert_int_equal(back.r.state, LEDGER_REQUEST_SIGNING);
	assert_string_equal(back.serial, "03e8");
	assert_int_equal(reserve_for(l, "a1", &again), FAULT_BUSY);
	assert_int_equal(decide(l, "a1", LEDGER_REJECT, "eve"), FAULT_BUSY);
	commit_it(l, &serial);
	assert_int_equal(find(l, "a1").r.state, LEDGER_REQUEST_ISSUED);
	assert_int_equal(reserve_for(l, "a1", &again), FAULT_DENIED);
	assert_int_equal(decide(l, "a1", LEDGER_REJECT, "eve"), FAULT_DENIED);
	/* A command that is run again. */
	assert_int_equal(decide(l, "a1", LEDGER_APPROVE, "bob"), FAULT_NONE);
	assert_int_equal(checked(l), 5);
	assert_int_equal(find(l, "a2").count, 0);
	assert_int_equal(reserve_for(l, "a2", &again), FAULT_ABSENT);
	assert_int_equal(decide(l, "a2", LEDGER_APPROVE, "bob"), FAULT_ABSENT);
}

static void
an_intent_that_came_to_nothing_frees_the_request(void **state)
{
	struct ledger *l = opened(*state);
	struct serial serial;

	put(l, "a1");
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_NONE);
	void_it(l, &serial);
	assert_int_equal(find(l, "a1").r.state, LEDGER_REQUEST_OPEN);
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_NONE);
	/* As after a crash: who opens it next voids what was left. */
	ledger_free(l);
	l = opened(*state);
	assert_int_equal(find(l, "a1").r.state, LEDGER_REQUEST_OPEN);
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_NONE);
	commit_it(l, &serial);
	assert_string_equal(find(l, "a1").serial, "03ea");
	assert_int_equal(checked(l), 7);
	ledger_free(l);
}

static void
the_same_file_again_is_no_fault_and_another_is(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_request r = a_request("a1", "the file");
	struct ledger_request other = a_request("a1", "the fyle");
	struct ledger_request empty = a_request("a2", "");
	struct ledger_request nameless = a_request("", "file");
	struct ledger_request elsewhere = a_request("a1", "the fyle");
	struct fault f = { 0 };
	OWN_BUF(big, LEDGER_REQUEST_MAX + 1);

	elsewhere.ca = "slcs";
	begin(l);
	assert_int_equal(ledger_request_put(l, &r, &f), 0);
	assert_int_equal(ledger_request_put(l, &r, &f), 0);
	assert_int_equal(ledger_request_put(l, &other, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(ledger_request_put(l, &empty, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(ledger_request_put(l, &nameless, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(ledger_request_put(l, &elsewhere, &f), 0);
	assert_non_null(buf_room(&big, LEDGER_REQUEST_MAX + 1));
	memset(big.data, 'x', LEDGER_REQUEST_MAX + 1);
	empty.file = (struct wire_bytes){ big.data, LEDGER_REQUEST_MAX + 1 };
	assert_int_equal(ledger_request_put(l, &empty, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	empty.file.len--;
	assert_int_equal(ledger_request_put(l, &empty, &f), 0);
	assert_false(ledger_spoilt(l));
	end(l);
	assert_int_equal(checked(l), 3);
}

struct heard {
	unsigned count;
	enum ledger_verdict verdict[8];
	char text[8][32];
	char who[8][32];
};

static int
hear(void *arg, const struct ledger_decision *d)
{
	struct heard *heard = arg;
	unsigned at = heard->count++;

	heard->verdict[at] = d->verdict;
	assert_string_equal(d->method, "uid 1001");
	assert_in_range(d->when, time(NULL) - 60, time(NULL) + 60);
	return text_copy(heard->text[at], 32, d->text) < 0 ||
	    text_copy(heard->who[at], 32, d->who) < 0;
}

static void
a_rejection_ends_a_request_even_after_ones_own_approval(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct heard heard = { 0 };
	struct fault f = { 0 };
	struct serial serial;

	put(l, "a1");
	assert_int_equal(decide(l, "a1", LEDGER_APPROVE, "bob"), FAULT_NONE);
	assert_int_equal(decide(l, "a1", LEDGER_APPROVE, "bob"), FAULT_NONE);
	assert_int_equal(find(l, "a1").r.approvals, 1);
	assert_int_equal(decide(l, "a1", LEDGER_REJECT, "bob"), FAULT_NONE);
	assert_int_equal(decide(l, "a1", LEDGER_REJECT, "bob"), FAULT_NONE);
	assert_int_equal(find(l, "a1").r.state, LEDGER_REQUEST_REJECTED);
	assert_int_equal(decide(l, "a1", LEDGER_APPROVE, "eve"), FAULT_DENIED);
	assert_int_equal(decide(l, "a1", LEDGER_WITHDRAW, "ann"), FAULT_DENIED);
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_DENIED);
	assert_int_equal(ledger_request_decisions(l, "services", "a1", hear,
			     &heard, &f),
	    0);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.verdict[0], LEDGER_APPROVE);
	assert_int_equal(heard.verdict[1], LEDGER_REJECT);
	assert_string_equal(heard.text[1], "by telephone");
	assert_string_equal(heard.who[1], "bob");
	assert_int_equal(checked(l), 3);
}

static void
who_asked_withdraws_and_nobody_else(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial serial;

	put(l, "a1");
	assert_int_equal(decide(l, "a1", LEDGER_WITHDRAW, "bob"), FAULT_DENIED);
	assert_int_equal(decide(l, "a1", LEDGER_WITHDRAW, "ann"), FAULT_NONE);
	assert_int_equal(find(l, "a1").r.state, LEDGER_REQUEST_WITHDRAWN);
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_DENIED);
	assert_int_equal(decide(l, "a1", (enum ledger_verdict)0, "ann"),
	    FAULT_INPUT);
	assert_int_equal(decide(l, "a1", (enum ledger_verdict)4, "ann"),
	    FAULT_INPUT);
	assert_int_equal(checked(l), 2);
}

static void
what_is_listed_can_be_chosen(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial serial;

	put(l, "a1");
	put(l, "a2");
	put(l, "b3");
	assert_int_equal(decide(l, "a2", LEDGER_REJECT, "bob"), FAULT_NONE);
	assert_int_equal(reserve_for(l, "b3", &serial), FAULT_NONE);
	assert_int_equal(requests(l, (struct ledger_request_filter){ 0 }).count,
	    3);
	assert_string_equal(requests(l,
				(struct ledger_request_filter){
				    .open_only = true })
				.id,
	    "a1");
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){ .text = "a" })
			     .count,
	    3); /* the subject's */
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){ .text = "b3" })
			     .count,
	    1);
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){ .who = "an" })
			     .count,
	    0);
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){ .ca = "slcs" })
			     .count,
	    0);
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){ .limit = 2 })
			     .count,
	    2);
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){ .until = 9 })
			     .count,
	    0);
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){ .since = 9 })
			     .count,
	    3);
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){ .after = 1 })
			     .count,
	    2);
	assert_int_equal(requests(l,
			     (struct ledger_request_filter){
				 .after = UINT64_MAX })
			     .count,
	    0);
}

static void
a_certificate_is_found_by_who_asked_for_it(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial serial;

	put(l, "a1");
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_NONE);
	commit_it(l, &serial);
	(void)issue(l, "services", &a_range);
	assert_int_equal(list(l, (struct ledger_filter){ .asker = "ann" })
			     .count,
	    1);
	assert_int_equal(list(l,
			     (struct ledger_filter){ .asker = "scott.koranda" })
			     .count,
	    2);
	assert_int_equal(list(l,
			     (struct ledger_filter){
				 .subject = "/DC=org/DC=ligo" })
			     .count,
	    0);
	assert_int_equal(list(l, (struct ledger_filter){ .after = 1 }).count,
	    2);
	assert_int_equal(list(l, (struct ledger_filter){ .after = 2 }).count,
	    1);
	assert_int_equal(list(l, (struct ledger_filter){ .after = UINT64_MAX })
			     .count,
	    0);
}

/* What cannot be written through the interface, chained all the same. */
static void
slip(struct ledger *l, enum ledger_kind kind, int64_t about, int reason)
{
	static const uint8_t serial[20] = { 7 };
	struct ledger_entry e = { 0 };
	struct fault f = { 0 };

	begin(l);
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, kind);
	ledger_entry_number(&e, LEDGER_COLUMN_INTENT, about);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, "services");
	ledger_entry_text(&e, LEDGER_COLUMN_REF, "a1");
	ledger_entry_text(&e, LEDGER_COLUMN_USERNAME, "eve");
	if (reason > 0)
		ledger_entry_number(&e, LEDGER_COLUMN_REASON, reason);
	if (kind == LEDGER_KIND_RESERVE)
		ledger_entry_bytes(&e, LEDGER_COLUMN_SERIAL,
		    (struct wire_bytes){ serial, sizeof(serial) });
	assert_int_equal(ledger_put(l, &e, &f), 0);
	if (kind == LEDGER_KIND_RESERVE)
		assert_int_equal(sqlite3_exec(l->db,
				     "INSERT INTO pending SELECT max(id)"
				     " FROM entry",
				     NULL, NULL, NULL),
		    SQLITE_OK);
	end(l);
}

static void
expect_found(struct ledger *l, const char *complaint)
{
	struct fault f = { 0 };
	uint64_t entries;
	char head[65];

	assert_int_equal(ledger_check(l, head, &entries, &f), -1);
	if (strstr(f.text, complaint) == NULL)
		fail_msg("\"%s\" is not \"%s\"", f.text, complaint);
}

static void
anew(void **state, struct ledger **l)
{
	ledger_free(*l);
	assert_int_equal(clear_place(state), 0);
	assert_int_equal(make_place(state), 0);
	*l = opened(*state);
	put(*l, "a1");
}

static void
a_chain_that_breaks_the_rules_of_requests_is_found(void **state)
{
	struct ledger *l = NULL;
	struct serial serial;

	assert_int_equal(clear_place(state), 0);
	assert_int_equal(make_place(state), 0);
	anew(state, &l);
	slip(l, LEDGER_KIND_DECISION, 77, LEDGER_APPROVE);
	expect_found(l, "entry 2 decides on what was never asked");
	anew(state, &l);
	slip(l, LEDGER_KIND_DECISION, 1, 4);
	expect_found(l, "entry 2 decides on what was never asked");
	anew(state, &l);
	slip(l, LEDGER_KIND_DECISION, 1, LEDGER_REJECT);
	slip(l, LEDGER_KIND_DECISION, 1, LEDGER_APPROVE);
	expect_found(l, "entry 3 decides on a request that had come");
	anew(state, &l);
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_NONE);
	commit_it(l, &serial);
	slip(l, LEDGER_KIND_DECISION, 1, LEDGER_APPROVE);
	expect_found(l, "entry 4 decides on a request that had come");
	anew(state, &l);
	slip(l, LEDGER_KIND_RESERVE, 5, 0);
	expect_found(l, "entry 2 answers what was never asked");
	anew(state, &l);
	slip(l, LEDGER_KIND_DECISION, 1, LEDGER_WITHDRAW);
	slip(l, LEDGER_KIND_RESERVE, 1, 0);
	expect_found(l, "entry 3 answers a request that was refused");
	anew(state, &l);
	assert_int_equal(reserve_for(l, "a1", &serial), FAULT_NONE);
	slip(l, LEDGER_KIND_RESERVE, 1, 0);
	expect_found(l, "entry 3 answers a request that has its answer");
	anew(state, &l);
	slip(l, (enum ledger_kind)11, 1, 0);
	expect_found(l, "entry 2 is of no kind that is known");
	ledger_free(l);
}

/* Ask, approve and sign for as long as we live: each request is signed once,
 * in whatever life. */
static void
work_until_killed(const struct place *p)
{
	struct ledger_numbering wide = { false, 1000, 60000 };
	struct ledger *l = opened(p);

	for (unsigned n = 0;; n++) {
		struct ledger_intent intent = an_intent("services");
		struct fault f = { 0 };
		struct serial serial;
		char id[16];

		if (text_fmt(id, sizeof(id), "r%u", n) < 0)
			_exit(1);
		put(l, id);
		if (find(l, id).r.state == LEDGER_REQUEST_ISSUED)
			continue;
		if (decide(l, id, LEDGER_APPROVE, "bob") != FAULT_NONE)
			_exit(1);
		intent.request = id;
		begin(l);
		if (ledger_reserve(l, &intent, &wide, serial.data, &serial.len,
			NULL, &f) < 0)
			_exit(1);
		end(l);
		commit_it(l, &serial);
	}
}

static void
no_request_is_signed_twice_whatever_is_killed(void **state)
{
	const struct place *p = *state;
	struct ledger *l = opened(p);
	struct seen seen;
	struct back back;
	int status;

	put(l, "r0"); /* something is there, however slow the machine */
	ledger_free(l);
	for (unsigned round = 0; round < 20; round++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			work_until_killed(p);
		(void)usleep(5000 + 2917 * round);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	l = opened(p);
	(void)checked(l);
	seen = list(l, (struct ledger_filter){ 0 });
	back = requests(l, (struct ledger_request_filter){ 0 });
	assert_int_equal(seen.states[LEDGER_RESERVED], 0);
	assert_true(seen.states[LEDGER_ISSUED] > 0);
	assert_int_equal(seen.states[LEDGER_ISSUED],
	    back.count -
		requests(l, (struct ledger_request_filter){ .open_only = true })
		    .count);
	ledger_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_PLACE(a_request_is_approved_signed_once_and_found),
		ON_A_PLACE(an_intent_that_came_to_nothing_frees_the_request),
		ON_A_PLACE(the_same_file_again_is_no_fault_and_another_is),
		ON_A_PLACE(
		    a_rejection_ends_a_request_even_after_ones_own_approval),
		ON_A_PLACE(who_asked_withdraws_and_nobody_else),
		ON_A_PLACE(what_is_listed_can_be_chosen),
		ON_A_PLACE(a_certificate_is_found_by_who_asked_for_it),
		ON_A_PLACE(a_chain_that_breaks_the_rules_of_requests_is_found),
		ON_A_PLACE(no_request_is_signed_twice_whatever_is_killed),
	};

	return cmocka_run_group_tests_name("ledger/ledger_request", tests, NULL,
	    NULL);
}
