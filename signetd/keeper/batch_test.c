#include "signetd/keeper/batch.h"

#include "base/file.h"
#include "base/log.h"
#include "signetd/keeper/keeper_probe.h"

#include <sys/stat.h>

#define ANSWERS_MAX 1100

/* A ledger, a CA, and what was answered. */
struct desk {
	struct keeper_place at;
	struct batch *batch;
	unsigned answers;
	struct answered {
		enum msg_type type;
		uint32_t id;
		uint32_t fault;
		uint8_t serial[20];
		size_t serial_len;
	} answer[ANSWERS_MAX];
};

static void
note(void *arg, const struct msg *m)
{
	struct desk *d = arg;
	struct answered *a = &d->answer[d->answers++];

	assert_true(d->answers <= ANSWERS_MAX);
	memset(a, 0, sizeof(*a));
	a->type = m->type;
	if (m->type == MSG_RESERVED) {
		a->id = m->reserved.id;
		a->fault = m->reserved.fault;
		a->serial_len = m->reserved.serial.len;
		if (a->serial_len > 0)
			memcpy(a->serial, m->reserved.serial.data,
			    a->serial_len);
	}
	if (m->type == MSG_COMMITTED) {
		a->id = m->committed.id;
		a->fault = m->committed.fault;
	}
}

static void
open_batch(struct desk *d)
{
	struct fault f = { 0 };

	d->batch = batch_new(d->at.ledger, d->at.books, note, d, &f);
	assert_non_null(d->batch);
}

static int
open_desk(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	*state = d;
	keeper_open(&d->at);
	open_batch(d);
	return 0;
}

static int
close_desk(void **state)
{
	struct desk *d = *state;

	batch_free(d->batch);
	keeper_close(&d->at);
	free(d);
	return 0;
}

static void
take_reserve(struct desk *d, uint32_t id)
{
	struct msg m = { .type = MSG_RESERVE,
		.reserve = { .id = id,
		    .ca = "sub",
		    .ref = "0123456789ab",
		    .subject = "/DC=org/O=Ex/OU=People/CN=a",
		    .not_before = 1790000000,
		    .not_after = 4000000000 } };

	batch_take(d->batch, &m);
}

static void
take_commit(struct desk *d, uint32_t id, const struct answered *reserved)
{
	struct msg m = { .type = MSG_COMMIT,
		.commit = { .id = id, .ca = "sub" } };
	OWN_BUF(der, 256);

	keeper_put_der(&der,
	    (struct wire_bytes){ reserved->serial, reserved->serial_len });
	m.commit.serial =
	    (struct wire_bytes){ reserved->serial, reserved->serial_len };
	m.commit.der = (struct wire_bytes){ der.data, der.len };
	batch_take(d->batch, &m);
}

static void
take_void(struct desk *d, const struct answered *reserved)
{
	struct msg m = { .type = MSG_VOID, .void_ = { .ca = "sub" } };

	m.void_.serial =
	    (struct wire_bytes){ reserved->serial, reserved->serial_len };
	batch_take(d->batch, &m);
}

static int
count_state(void *arg, const struct ledger_line *line)
{
	unsigned *states = arg;

	states[line->state]++;
	return 0;
}

/* How many certificates there are in ${state}, as another reader sees it. */
static unsigned
count_of(const struct desk *d, enum ledger_state state)
{
	unsigned states[LEDGER_HELD + 1] = { 0 };
	const struct ledger_filter all = { 0 };
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open_read(d->at.path, &f);

	assert_non_null(l);
	assert_int_equal(ledger_each(l, &all, count_state, states, &f), 0);
	return states[state];
}

static void
nothing_is_answered_before_it_is_durable(void **state)
{
	struct desk *d = *state;

	take_reserve(d, 1);
	take_reserve(d, 2);
	assert_int_equal(d->answers, 0);
	assert_int_equal(count_of(d, LEDGER_RESERVED), 0);
	batch_end(d->batch);
	assert_int_equal(d->answers, 2);
	assert_int_equal(count_of(d, LEDGER_RESERVED), 2);
	assert_int_equal(d->answer[1].type, MSG_RESERVED);
	assert_int_equal(d->answer[1].id, 2);
	assert_int_equal(d->answer[1].fault, FAULT_NONE);
	assert_memory_equal(d->answer[1].serial, "\x03\xe9", 2);
}

static void
different_questions_share_a_transaction(void **state)
{
	struct desk *d = *state;

	for (uint32_t i = 0; i < 3; i++)
		take_reserve(d, i);
	batch_end(d->batch);
	take_commit(d, 0, &d->answer[0]);
	take_void(d, &d->answer[1]);
	take_reserve(d, 3);
	take_commit(d, 2, &d->answer[2]);
	batch_end(d->batch);
	/* A VOID has no answer. */
	assert_int_equal(d->answers, 6);
	assert_int_equal(d->answer[3].type, MSG_COMMITTED);
	assert_int_equal(d->answer[4].type, MSG_RESERVED);
	assert_int_equal(d->answer[5].id, 2);
	assert_int_equal(count_of(d, LEDGER_ISSUED), 2);
	assert_int_equal(count_of(d, LEDGER_VOID), 1);
	batch_end(d->batch);
	assert_int_equal(d->answers, 6);
}

static void
what_is_withheld_is_revoked_from_the_first_moment(void **state)
{
	struct desk *d = *state;
	struct fault f = { 0 };
	OWN_BUF(der, 256);
	struct msg m = { .type = MSG_COMMIT,
		.commit = { .id = 7, .ca = "sub", .withheld = 1 } };
	uint64_t entries;
	char head[65];

	take_reserve(d, 1);
	batch_end(d->batch);
	m.commit.serial =
	    (struct wire_bytes){ d->answer[0].serial, d->answer[0].serial_len };
	keeper_put_der(&der, m.commit.serial);
	m.commit.der = (struct wire_bytes){ der.data, der.len };
	batch_take(d->batch, &m);
	batch_take(d->batch, &m);
	batch_end(d->batch);
	assert_int_equal(d->answer[1].fault, FAULT_NONE);
	assert_int_equal(d->answer[2].fault, FAULT_DENIED);
	assert_int_equal(count_of(d, LEDGER_REVOKED), 1);
	assert_int_equal(count_of(d, LEDGER_ISSUED), 0);
	if (ledger_check(d->at.ledger, head, &entries, &f) < 0)
		fail_msg("%s", f.text);
}

static void
one_that_is_refused_does_not_hurt_the_others(void **state)
{
	struct desk *d = *state;
	struct answered never = { .serial = { 9 }, .serial_len = 1 };

	take_reserve(d, 1);
	take_commit(d, 2, &never);
	take_reserve(d, 3);
	batch_end(d->batch);
	assert_int_equal(d->answers, 3);
	assert_int_equal(d->answer[0].fault, FAULT_NONE);
	assert_int_equal(d->answer[1].fault, FAULT_DENIED);
	assert_int_equal(d->answer[2].fault, FAULT_NONE);
	assert_int_equal(count_of(d, LEDGER_RESERVED), 2);
}

static void
a_full_batch_ends_by_itself(void **state)
{
	struct desk *d = *state;

	for (uint32_t i = 0; i < BATCH_MAX + 1; i++)
		take_reserve(d, i);
	assert_int_equal(d->answers, BATCH_MAX);
	/* The range has fifty. */
	assert_int_equal(d->answer[49].fault, FAULT_NONE);
	assert_int_equal(d->answer[50].fault, FAULT_USED_UP);
	assert_int_equal(count_of(d, LEDGER_RESERVED), 50);
	batch_end(d->batch);
	assert_int_equal(d->answers, BATCH_MAX + 1);
}

/* With a second writer in the way, a transaction cannot begin: what a disk
 * that fails looks like from here, without waiting for one. */
static void
a_failed_transaction_is_taken_back_and_voids_are_owed(void **state)
{
	struct desk *d = *state;
	struct fault f = { 0 };
	struct ledger *other;

	take_reserve(d, 1);
	batch_end(d->batch);
	assert_non_null(other = ledger_open(d->at.path, NULL, &f));
	assert_int_equal(ledger_begin(other, &f), 0);
	take_void(d, &d->answer[0]);
	take_reserve(d, 2);
	batch_end(d->batch);
	assert_int_equal(d->answers, 2);
	assert_int_equal(d->answer[1].fault, FAULT_LEDGER);
	assert_int_equal(d->answer[1].serial_len, 0);
	assert_int_equal(count_of(d, LEDGER_VOID), 0);
	ledger_cancel(other);
	ledger_free(other);
	/* What was to be voided is, with whatever comes next. */
	take_reserve(d, 3);
	batch_end(d->batch);
	assert_int_equal(d->answer[2].fault, FAULT_NONE);
	assert_int_equal(count_of(d, LEDGER_VOID), 1);
	assert_int_equal(count_of(d, LEDGER_RESERVED), 1);
}

static void
a_ca_that_is_not_ours_is_refused(void **state)
{
	struct desk *d = *state;
	struct msg m = { .type = MSG_RESERVE,
		.reserve = { .id = 5, .ca = "other" } };

	batch_take(d->batch, &m);
	batch_end(d->batch);
	assert_int_equal(d->answer[0].fault, FAULT_DENIED);
	assert_int_equal(count_of(d, LEDGER_RESERVED), 0);
}

static void
a_name_that_is_no_file_name_is_refused(void **state)
{
	static const char *const names[] = { "../sub", "a/b", ".sub", "a b",
		"sub" };
	struct desk *d = *state;
	struct fault f = { 0 };
	OWN_BUF(pem, 65536);

	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ d->at.ca.der.data, d->at.ca.der.len });
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		OWN_BUF(conf, 1024);

		buf_fmt(&conf, "%s", KEEPER_CONF);
		buf_eat(&conf, strlen("name sub"));
		{
			OWN_BUF(whole, 2048);

			buf_fmt(&whole, "name %s", names[i]);
			buf_put(&whole, conf.data, conf.len);
			assert_int_equal(books_add(d->at.books,
					     (struct wire_bytes){
						 whole.data, whole.len },
					     (struct wire_bytes){
						 pem.data, pem.len },
					     &f),
			    -1);
			assert_int_equal(f.code, FAULT_CONFIG);
		}
	}
	assert_int_equal(books_count(d->at.books), 1);
}

static void
the_last_tenth_of_a_range_is_announced_and_not_at_each_serial(void **state)
{
	struct book book = { .numbering = { false, 1, 1000 },
		.warned = UINT64_MAX };
	unsigned said = 0;

	(void)state;
	for (uint64_t left = 999; left > 100; left--)
		assert_false(books_low(&book, left));
	assert_true(books_low(&book, 100));
	for (uint64_t left = 99; left > 0; left--)
		said += books_low(&book, left);
	assert_int_equal(said, 9);
	assert_true(books_low(&book, 0));
	book.numbering.random = true;
	assert_false(books_low(&book, 0));
}

#define AT_A_DESK(test) \
	cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_DESK(nothing_is_answered_before_it_is_durable),
		AT_A_DESK(different_questions_share_a_transaction),
		AT_A_DESK(what_is_withheld_is_revoked_from_the_first_moment),
		AT_A_DESK(one_that_is_refused_does_not_hurt_the_others),
		AT_A_DESK(a_full_batch_ends_by_itself),
		AT_A_DESK(
		    a_failed_transaction_is_taken_back_and_voids_are_owed),
		AT_A_DESK(a_ca_that_is_not_ours_is_refused),
		AT_A_DESK(a_name_that_is_no_file_name_is_refused),
		cmocka_unit_test(
		    the_last_tenth_of_a_range_is_announced_and_not_at_each_serial),
	};

	/* What is refused here is meant to be. */
	log_open("test", 0);
	return cmocka_run_group_tests_name("keeper/batch", tests, NULL, NULL);
}
