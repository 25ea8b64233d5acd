#include "signetd/keeper/heads.h"

#include "ledger/checkpoint.h"
#include "signetd/keeper/keeper_probe.h"

#define PATIENCE 5000 /* times a millisecond */
#define LONG 100000   /* an interval that none of this lasts */

/* A ledger, a log key, and whoever waits for the head. */
struct tower {
	struct keeper_place at;
	struct log_key *key;
	struct loop *loop;
	struct loop_timer *timer;
	struct heads *heads;
	uint64_t wait_for; /* a head of so many entries */
	unsigned patience;
};

static void
head_path(const struct tower *t, char path[PATH_MAX])
{
	assert_int_equal(text_fmt(path, PATH_MAX, "%s/log.head", t->at.dir), 0);
}

/* The head that is there, signed by the key; size 0 if there is none. */
static struct ledger_head
head_now(const struct tower *t)
{
	struct checkpoint c = { .head = { .size = 0 } };
	struct fault f = { 0 };
	char path[PATH_MAX];
	OWN_BUF(text, CHECKPOINT_MAX);

	head_path(t, path);
	if (file_read(path, &text, &f) == 0 &&
	    checkpoint_read((struct wire_bytes){ text.data, text.len },
		log_key_pub(t->key), &c, &f) < 0)
		c.head.size = 0;
	return c.head;
}

static void
look(void *arg)
{
	struct tower *t = arg;

	if (t->patience-- == 0 || head_now(t).size == t->wait_for)
		loop_stop(t->loop);
	else
		loop_timer_set(t->timer, 1);
}

/* Let it work until there is a head of ${size} entries, or so long. */
static void
run(struct tower *t, uint64_t size, unsigned patience)
{
	struct fault f = { 0 };

	t->wait_for = size;
	t->patience = patience;
	loop_timer_set(t->timer, 1);
	assert_int_equal(loop_run(t->loop, &f), 0);
}

static void
stop(struct tower *t)
{
	heads_free(t->heads);
	t->heads = NULL;
}

/* As the keeper begins, but at once. */
static void
start(struct tower *t)
{
	struct fault f = { 0 };
	OWN_BUF(pem, LOG_FILE_MAX);

	stop(t);
	assert_int_equal(log_key_write(t->key, &pem, &f), 0);
	t->heads = heads_new(t->loop, t->at.ledger, t->at.dir,
	    (struct wire_bytes){ pem.data, pem.len }, LONG, &f);
	if (t->heads == NULL)
		fail_msg("%s", f.text);
	heads_set_interval(t->heads, LONG + 1);
}

static int
open_tower(void **state)
{
	struct tower *t = calloc(1, sizeof(*t));
	struct fault f = { 0 };

	assert_non_null(t);
	*state = t;
	keeper_open(&t->at);
	assert_non_null(t->key = log_key_make("signet/test", &f));
	assert_non_null(t->loop = loop_new(&f));
	assert_non_null(t->timer = loop_timer_new(t->loop, look, t, &f));
	return 0;
}

static int
close_tower(void **state)
{
	struct tower *t = *state;

	stop(t);
	loop_timer_free(t->timer);
	loop_free(t->loop);
	log_key_free(t->key);
	keeper_close(&t->at);
	free(t);
	return 0;
}

/* ${count} certificates, each two entries. */
static void
issue(const struct tower *t, unsigned count)
{
	const struct ledger_numbering numbering = { .random = true };
	const struct ledger_intent intent = { .ca = "sub",
		.ref = "0123456789ab",
		.peer = "local",
		.username = "a",
		.principal = "a",
		.method = "m",
		.subject = "/CN=a",
		.profile = "p",
		.not_before = 1,
		.not_after = 4000000000 };
	struct fault f = { 0 };

	assert_int_equal(ledger_begin(t->at.ledger, &f), 0);
	for (unsigned i = 0; i < count; i++)
		(void)keeper_issue(t->at.ledger, &intent, &numbering);
	assert_int_equal(ledger_end(t->at.ledger, &f), 0);
}

/* The head as the ledger itself has it, read from the beginning. */
static void
is_the_ledgers(const struct tower *t, const struct ledger_head *head)
{
	struct ledger_head now;
	struct fault f = { 0 };
	char chain[65];

	if (ledger_check_heads(t->at.ledger, head, 1, chain, &now, &f) < 0)
		fail_msg("%s", f.text);
}

/* Another's word in the place of the head. */
static void
put_head(const struct tower *t, const struct ledger_head *head,
    const struct log_key *key)
{
	struct fault f = { 0 };
	char path[PATH_MAX];
	OWN_BUF(text, CHECKPOINT_MAX);

	head_path(t, path);
	assert_int_equal(checkpoint_write(head, key, &text, &f), 0);
	assert_int_equal(file_write(path, 0644, text.data, text.len, &f), 0);
}

static void
the_head_is_of_all_entries_and_the_key_beside_it_is_the_public_half(void *
	*state)
{
	struct tower *t = *state;
	struct ledger_head head;
	struct log_pub pub;
	struct fault f = { 0 };
	char path[PATH_MAX];
	OWN_BUF(text, LOG_FILE_MAX);

	/* More than a step's worth, and not a whole number of steps. */
	issue(t, 125);
	start(t);
	run(t, 250, PATIENCE);
	head = head_now(t);
	assert_int_equal(head.size, 250);
	is_the_ledgers(t, &head);
	assert_int_equal(text_fmt(path, sizeof(path), "%s/log.pub", t->at.dir),
	    0);
	assert_int_equal(file_read(path, &text, &f), 0);
	assert_int_equal(log_pub_read(text.data, text.len, &pub, &f), 0);
	assert_memory_equal(pub.key, log_key_pub(t->key)->key, LOG_KEY_SIZE);
}

static void
the_next_head_adds_to_the_last_also_after_a_restart(void **state)
{
	struct tower *t = *state;
	struct ledger_head head;

	issue(t, 3);
	start(t);
	run(t, 6, PATIENCE);
	issue(t, 2);
	heads_set_interval(t->heads, LONG);
	run(t, 10, PATIENCE);
	head = head_now(t);
	assert_int_equal(head.size, 10);
	is_the_ledgers(t, &head);
	issue(t, 150);
	start(t);
	run(t, 310, PATIENCE);
	head = head_now(t);
	assert_int_equal(head.size, 310);
	is_the_ledgers(t, &head);
}

static void
there_is_a_head_of_what_there_is(void **state)
{
	struct tower *t = *state;
	char path[PATH_MAX];

	head_path(t, path);
	issue(t, 1);
	start(t);
	run(t, 2, PATIENCE);
	assert_int_equal(head_now(t).size, 2);
	assert_int_equal(unlink(path), 0);
	heads_set_interval(t->heads, LONG);
	run(t, 2, PATIENCE);
	assert_int_equal(head_now(t).size, 2);
	/* The same interval again is no news. */
	assert_int_equal(unlink(path), 0);
	heads_set_interval(t->heads, LONG);
	run(t, 2, 20);
	assert_int_equal(head_now(t).size, 0);
}

/* A ledger that came from a backup: what others have seen of it is more. */
static void
a_ledger_shorter_than_its_head_gets_no_other(void **state)
{
	struct tower *t = *state;
	struct ledger_head head = { .size = 7, .root = { 1, 2, 3 } };

	issue(t, 3);
	put_head(t, &head, t->key);
	start(t);
	run(t, 6, 50);
	assert_int_equal(head_now(t).size, 7);
}

static void
a_ledger_that_was_changed_under_its_head_gets_no_other(void **state)
{
	struct tower *t = *state;
	struct ledger_head head = { .size = 6, .root = { 1, 2, 3 } };

	issue(t, 3);
	put_head(t, &head, t->key);
	start(t);
	run(t, 0, 50);
	assert_memory_equal(head_now(t).root, head.root, sizeof(head.root));
	/* Not when there is more, either. */
	issue(t, 1);
	heads_set_interval(t->heads, LONG);
	run(t, 8, 50);
	assert_int_equal(head_now(t).size, 6);
}

static void
what_another_key_signed_says_nothing_of_this_log(void **state)
{
	struct tower *t = *state;
	struct ledger_head head = { .size = 7, .root = { 1, 2, 3 } };
	struct fault f = { 0 };
	OWN_STRUCT(log_key) other = log_key_make("signet/test", &f);
	char path[PATH_MAX];

	assert_non_null(other);
	issue(t, 3);
	put_head(t, &head, other);
	start(t);
	run(t, 6, PATIENCE);
	assert_int_equal(head_now(t).size, 6);
	head_path(t, path);
	assert_int_equal(file_write(path, 0644, "rubbish\n", 8, &f), 0);
	start(t);
	run(t, 6, PATIENCE);
	assert_int_equal(head_now(t).size, 6);
}

/* Somebody has put an old one back in its place. */
static void
an_earlier_head_of_the_same_entries_is_no_hindrance(void **state)
{
	struct tower *t = *state;
	struct ledger_head early;

	issue(t, 60);
	start(t);
	run(t, 120, PATIENCE);
	early = head_now(t);
	issue(t, 60);
	heads_set_interval(t->heads, LONG);
	run(t, 240, PATIENCE);
	put_head(t, &early, t->key);
	start(t);
	run(t, 240, PATIENCE);
	assert_int_equal(head_now(t).size, 240);
}

static void
what_is_no_log_key_is_refused_and_nothing_is_written(void **state)
{
	static const char *const bad[] = {
		"", "rubbish",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
	};
	struct tower *t = *state;
	char path[PATH_MAX];

	assert_int_equal(text_fmt(path, sizeof(path), "%s/log.pub", t->at.dir),
	    0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_null(heads_new(t->loop, t->at.ledger, t->at.dir,
		    (struct wire_bytes){
			(const uint8_t *)bad[i], strlen(bad[i]) },
		    LONG, &f));
		assert_int_equal(f.code, FAULT_KEY);
		assert_int_equal(access(path, F_OK), -1);
	}
}

#define AT_THE_TOWER(test) \
	cmocka_unit_test_setup_teardown(test, open_tower, close_tower)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AT_THE_TOWER(
		    the_head_is_of_all_entries_and_the_key_beside_it_is_the_public_half),
		AT_THE_TOWER(
		    the_next_head_adds_to_the_last_also_after_a_restart),
		AT_THE_TOWER(there_is_a_head_of_what_there_is),
		AT_THE_TOWER(a_ledger_shorter_than_its_head_gets_no_other),
		AT_THE_TOWER(
		    a_ledger_that_was_changed_under_its_head_gets_no_other),
		AT_THE_TOWER(what_another_key_signed_says_nothing_of_this_log),
		AT_THE_TOWER(
		    an_earlier_head_of_the_same_entries_is_no_hindrance),
		AT_THE_TOWER(
		    what_is_no_log_key_is_refused_and_nothing_is_written),
	};

	return cmocka_run_group_tests_name("keeper/heads", tests, NULL, NULL);
}
