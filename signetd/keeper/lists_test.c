#include "signetd/keeper/lists.h"

#include "base/file.h"
#include "base/log.h"
#include "signetd/keeper/keeper_probe.h"
#include "signetd/revoked.h"
#include "sys/sealed.h"
#include "x509/crl_list.h"

#define PATIENCE 2000 /* times 10 ms */

/* What the issuer of this test answers. */
enum answer {
	ANSWER_GOOD,
	ANSWER_FORGED, /* signed by another key */
	ANSWER_SHORT,  /* with an entry less */
	ANSWER_OTHER,  /* with another's serial for one of them */
	ANSWER_NUMBER, /* with another number */
	ANSWER_UNSEALED,
	ANSWER_FAILED
};

/* A ledger, a CA, and an issuer and signer in one. */
struct desk {
	struct keeper_place at;
	struct key *other;
	struct authority *a;
	struct loop *loop;
	struct loop_timer *timer;
	struct lists *lists;
	enum answer answer;
	unsigned asked;
	unsigned wait_for; /* that many answers, and what they lead to */
	unsigned patience;
	size_t entries; /* on the last list */
	struct revoked first;
	uint64_t number;
	unsigned told; /* to the parent: that one is in its place */
};

static int
seal(const struct buf *tbs, bool sealed)
{
	struct fault f = { 0 };
	int fd = sealed_new(&f);

	assert_true(fd >= 0);
	assert_int_equal(sealed_put(fd,
			     (struct wire_bytes){ tbs->data, tbs->len }, &f),
	    0);
	if (sealed)
		assert_int_equal(sealed_close(fd, &f), 0);
	return fd;
}

static void
read_list(struct desk *d, const struct msg_crl_list *m, int fd,
    struct crl_list *list)
{
	struct sealed sealed;
	struct fault f = { 0 };
	struct revoked r;
	struct wire_in in;

	assert_int_equal(sealed_map(&sealed, fd, 1u << 20, &f), 0);
	in = (struct wire_in){ .at = sealed.bytes.data,
		.left = sealed.bytes.len };
	for (d->entries = 0; revoked_next(&in, &r) == 1; d->entries++) {
		struct crl_entry e = { .serial_len = r.serial_len,
			.reason = r.reason,
			.when = r.when };

		memcpy(e.serial, r.serial, sizeof(e.serial));
		if (d->entries == 0)
			d->first = r;
		if (d->answer == ANSWER_OTHER && d->entries == 0)
			e.serial[e.serial_len - 1] ^= 0x40;
		if (d->answer != ANSWER_SHORT || d->entries > 0)
			assert_int_equal(crl_list_add(list, &e, &f), 0);
	}
	assert_true(wire_ended(&in));
	assert_int_equal(d->entries, m->count);
	sealed_unmap(&sealed);
}

/* Sign as issuer and signer would. */
static void
sign(struct desk *d, const struct msg_crl_list *m, struct crl_list *list)
{
	struct crl_span span = { .number = m->number };
	struct msg_crl_file file = { .number = m->number };
	OWN_BUF(tbs, 1u << 20);
	OWN_BUF(signature, 1024);
	struct fault f = { 0 };

	crl_span_set(&span, d->a, (time_t)m->this_update + CRL_BACKDATE, 0);
	if (d->answer == ANSWER_NUMBER)
		span.number++;
	assert_int_equal(crl_list_open(list, d->a, &span, &tbs, &f), 0);
	assert_int_equal(crl_list_write(list, SIZE_MAX, &tbs, &f), 0);
	assert_int_equal(key_sign(d->answer == ANSWER_FORGED ? d->other
							     : d->at.ca.key,
			     (struct wire_bytes){ tbs.data, tbs.len },
			     &signature, &f),
	    0);
	memcpy(file.ca, m->ca, sizeof(file.ca));
	file.signature = (struct wire_bytes){ signature.data, signature.len };
	lists_signed(d->lists, &file, seal(&tbs, d->answer != ANSWER_UNSEALED));
}

static void
answer(void *arg, const struct msg_crl_list *m, int fd)
{
	struct desk *d = arg;
	struct fault f = { 0 };
	OWN_STRUCT(crl_list) list = crl_list_new(&f);
	struct msg_crl_failed failed = { .number = m->number,
		.fault = FAULT_DENIED };

	assert_non_null(list);
	assert_true(m->number > d->number);
	d->number = m->number;
	d->asked++;
	if (d->answer == ANSWER_FAILED) {
		memcpy(failed.ca, m->ca, sizeof(failed.ca));
		lists_failed(d->lists, &failed);
		return;
	}
	read_list(d, m, fd, list);
	sign(d, m, list);
}

/* The message is answered when the lists have finished saying it. */
struct pending {
	struct desk *desk;
	struct msg_crl_list m;
	int fd;
	struct loop_timer *timer;
};

static void
answer_later(void *arg)
{
	struct pending *p = arg;

	answer(p->desk, &p->m, p->fd);
	(void)close(p->fd);
	loop_timer_free(p->timer);
	free(p);
}

static int
hear(void *arg, const struct msg *m, int fd, struct fault *f)
{
	struct pending *p;

	if (m->type == MSG_LIST_MADE) {
		struct desk *d = arg;

		/* It is there when that is said. */
		assert_int_equal(m->list_made.number, d->number);
		assert_int_equal(m->list_made.count, d->entries);
		assert_string_equal(m->list_made.ca, "sub");
		d->told++;
		return 0;
	}
	assert_non_null(p = calloc(1, sizeof(*p)));
	assert_int_equal(m->type, MSG_CRL_LIST);
	p->desk = arg;
	p->m = m->crl_list;
	p->fd = dup(fd);
	p->timer = loop_timer_new(p->desk->loop, answer_later, p, f);
	assert_non_null(p->timer);
	loop_timer_set(p->timer, 0);
	return 0;
}

static struct ledger_list
last_filed(const struct desk *d)
{
	struct ledger_list last = { 0 };
	struct fault f = { 0 };

	assert_int_equal(ledger_list_last(d->at.ledger, "sub", 0, &last, &f),
	    0);
	return last;
}

static void
watch(void *arg)
{
	struct desk *d = arg;
	bool filed = last_filed(d).number == d->number;

	assert_true(d->patience++ < PATIENCE);
	if (d->asked >= d->wait_for && (filed || d->answer != ANSWER_GOOD))
		loop_stop(d->loop);
	else
		loop_timer_set(d->timer, 10);
}

/* Until ${count} lists have been asked for, and the last has come to its end.
 */
static void
run_until(struct desk *d, unsigned count)
{
	struct fault f = { 0 };

	d->wait_for = count;
	d->patience = 0;
	loop_timer_set(d->timer, 10);
	if (loop_run(d->loop, &f) < 0)
		fail_msg("%s", f.text);
}

static void
open_lists(struct desk *d)
{
	struct fault f = { 0 };

	assert_non_null(d->loop = loop_new(&f));
	assert_non_null(d->timer = loop_timer_new(d->loop, watch, d, &f));
	assert_non_null(d->lists = lists_new(d->loop, d->at.ledger, d->at.dir,
			    hear, d, &f));
	if (lists_set_books(d->lists, d->at.books, 86400, &f) < 0)
		fail_msg("%s", f.text);
	lists_start(d->lists);
}

static void
close_lists(struct desk *d)
{
	lists_free(d->lists);
	loop_timer_free(d->timer);
	loop_free(d->loop);
}

static int
open_desk(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	struct fault f = { 0 };

	assert_non_null(d);
	*state = d;
	keeper_open(&d->at);
	d->a = probe_authority(&d->at.ca, KEEPER_CONF);
	assert_non_null(d->other = key_make("ec:P-256", &f));
	open_lists(d);
	return 0;
}

static int
close_desk(void **state)
{
	struct desk *d = *state;

	close_lists(d);
	keeper_close(&d->at);
	authority_clear(d->a);
	free(d->a);
	key_free(d->other);
	free(d);
	return 0;
}

/* A certificate that ends at ${not_after}, revoked, by another hand. */
static void
revoke_another(const struct desk *d, time_t not_after)
{
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open(d->at.path, NULL, &f);
	const struct ledger_numbering numbering = { false, 1000, 50 };
	const struct ledger_intent intent = { .ca = "sub",
		.ref = "0123456789ab",
		.peer = "local",
		.username = "a",
		.principal = "a",
		.method = "m",
		.subject = "/CN=a",
		.profile = "p",
		.not_before = 1,
		.not_after = not_after };
	struct keeper_serial serial;

	assert_non_null(l);
	assert_int_equal(ledger_begin(l, &f), 0);
	serial = keeper_issue(l, &intent, &numbering);
	if (ledger_revoke(l, "sub", keeper_bytes(&serial), 4, "root",
		1790000001, &f) < 0 ||
	    ledger_end(l, &f) < 0)
		fail_msg("%s", f.text);
}

/* Whether what is filed as DER and as PEM is the list ${number}. */
static bool
is_there(const struct desk *d, const char *der_name, const char *pem_name,
    uint64_t number)
{
	OWN_BUF(der, 65536);
	OWN_BUF(pem, 131072);
	OWN_BUF(inside, 65536);
	char path[PATH_MAX];
	struct fault f = { 0 };
	struct crl crl;
	size_t at = 0;

	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s", d->at.dir,
			     der_name),
	    0);
	if (file_read(path, &der, &f) < 0)
		return false;
	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s", d->at.dir,
			     pem_name),
	    0);
	assert_int_equal(file_read(path, &pem, &f), 0);
	assert_int_equal(pem_next(pem.data, pem.len, &at, "X509 CRL", &inside,
			     &f),
	    1);
	assert_int_equal(inside.len, der.len);
	assert_memory_equal(inside.data, der.data, der.len);
	assert_int_equal(crl_read(&crl,
			     (struct wire_bytes){ der.data, der.len }, &f),
	    0);
	assert_int_equal(crl_check_signature(&crl, d->a->cert, &f), 0);
	return crl.number == number;
}

static void
a_list_is_made_at_the_start_and_after_a_revocation_by_others(void **state)
{
	struct desk *d = *state;
	uint64_t first;

	run_until(d, 1);
	first = d->number;
	assert_int_equal(d->entries, 0);
	assert_true(is_there(d, "sub.crl", "sub.r0", first));
	assert_int_equal(last_filed(d).number, first);
	assert_in_range(last_filed(d).this_update, time(NULL) - 330,
	    time(NULL) - 300);
	assert_int_equal(last_filed(d).next_update - last_filed(d).this_update,
	    30 * 86400 + 300);
	/* Two in a burst share a list. */
	revoke_another(d, time(NULL) + 1000);
	revoke_another(d, time(NULL) + 1000);
	run_until(d, 2);
	assert_int_equal(d->entries, 2);
	assert_int_equal(d->first.serial_len, 2);
	assert_memory_equal(d->first.serial, "\x03\xe8", 2);
	assert_int_equal(d->first.reason, 4);
	assert_int_equal(d->first.when, 1790000001);
	assert_true(is_there(d, "sub.crl", "sub.r0", d->number));
	/* The one before is kept. */
	assert_true(is_there(d, "sub.crl.old", "sub.r0.old", first));
}

static void
an_expired_certificate_is_on_one_list_more(void **state)
{
	struct desk *d = *state;

	run_until(d, 1);
	revoke_another(d, time(NULL) - 10000);
	run_until(d, 2);
	assert_int_equal(d->entries, 1);
	revoke_another(d, time(NULL) + 10000);
	run_until(d, 3);
	assert_int_equal(d->entries, 1);
	assert_memory_equal(d->first.serial, "\x03\xe9", 2);
}

static void
after_a_restart_nothing_is_made_that_is_not_due(void **state)
{
	struct desk *d = *state;
	uint64_t first;

	run_until(d, 1);
	first = d->number;
	close_lists(d);
	open_lists(d);
	/* The news of the second start is what makes the second list. */
	revoke_another(d, time(NULL) + 1000);
	run_until(d, 2);
	assert_int_equal(d->asked, 2);
	assert_int_equal(d->entries, 1);
	assert_true(is_there(d, "sub.crl.old", "sub.r0.old", first));
}

static void
a_list_that_is_not_what_was_asked_for_is_not_filed(void **state)
{
	static const enum answer answers[] = { ANSWER_FORGED, ANSWER_SHORT,
		ANSWER_OTHER, ANSWER_NUMBER, ANSWER_UNSEALED, ANSWER_FAILED };
	struct desk *d = *state;
	uint64_t good;

	revoke_another(d, time(NULL) + 1000);
	run_until(d, 1);
	good = d->number;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		d->answer = answers[i];
		close_lists(d);
		revoke_another(d, time(NULL) + 1000);
		open_lists(d);
		run_until(d, d->asked + 1);
		/* Time to file it, if it were. */
		d->wait_for = d->asked;
		for (int turn = 0; turn < 5; turn++)
			run_until(d, d->asked);
		assert_true(is_there(d, "sub.crl", "sub.r0", good));
		assert_int_equal(last_filed(d).number, good);
	}
}

static void
what_was_half_written_goes_at_the_start(void **state)
{
	static const char *const names[] = { "sub.crl.aB3xYz", "sub.r0.aB3xYz",
		"sub.crl.older", "other.crl.aB3xYz" };
	struct desk *d = *state;
	char path[4][PATH_MAX];
	struct fault f = { 0 };

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(text_fmt(path[i], PATH_MAX, "%s/%s", d->at.dir,
				     names[i]),
		    0);
		assert_int_equal(file_write(path[i], 0600, "x", 1, &f), 0);
	}
	close_lists(d);
	open_lists(d);
	assert_int_equal(access(path[0], F_OK), -1);
	assert_int_equal(access(path[1], F_OK), -1);
	assert_int_equal(access(path[2], F_OK), 0);
	assert_int_equal(access(path[3], F_OK), 0);
}

static void
what_is_due(void **state)
{
	const time_t now = 1800000000;
	const int64_t day = 86400, month = 30 * day;
	const struct ledger_list fresh = { .number = 1,
		.taken = now - 100,
		.this_update = now - 400,
		.next_update = now + month };
	struct ledger_list last = { .number = 0 };

	(void)state;
	assert_true(lists_due(&last, false, month, day, now));
	assert_false(lists_due(&fresh, false, month, day, now));
	assert_true(lists_due(&fresh, true, month, day, now));
	assert_true(lists_due(&fresh, false, month, 100, now));
	assert_true(lists_due(&fresh, false, 700, day, now));
	/* By a clock that was ahead, and long before its time. */
	last = fresh;
	last.taken = now + 1;
	assert_true(lists_due(&last, false, month, day, now));
	last = fresh;
	last.this_update = now + 3 * day;
	assert_true(lists_due(&last, false, month, day, now));
}

#define AT_A_DESK(test) \
	cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

static void
a_list_that_is_asked_for_is_made_though_none_is_due(void **state)
{
	struct desk *d = *state;

	run_until(d, 1);
	assert_int_equal(d->told, 1);
	lists_now(d->lists);
	run_until(d, 2);
	assert_int_equal(d->told, 2);
	assert_int_equal(last_filed(d).number, d->number);
}

/* What has failed waits for minutes, unless somebody asks; and what he asked
 * for is not forgotten if that fails too. */
static void
one_that_failed_is_tried_again_when_asked_for(void **state)
{
	struct desk *d = *state;

	d->answer = ANSWER_FAILED;
	run_until(d, 1);
	lists_now(d->lists);
	run_until(d, 2);
	assert_int_equal(d->told, 0);
	d->answer = ANSWER_GOOD;
	lists_now(d->lists);
	run_until(d, 3);
	assert_int_equal(d->told, 1);
}

/* Not even begun, which takes a number; and made as soon as it can be. */
static void
one_waits_for_the_token_and_is_made_when_it_is_back(void **state)
{
	struct desk *d = *state;
	uint64_t entries;

	lists_can(d->lists, "sub", false);
	entries = ledger_entries(d->at.ledger);
	lists_now(d->lists);
	run_until(d, 0);
	assert_int_equal(d->asked, 0);
	assert_int_equal(ledger_entries(d->at.ledger), entries);
	lists_can(d->lists, "sub", true);
	d->answer = ANSWER_FAILED;
	run_until(d, 1);
	lists_can(d->lists, "sub", false);
	lists_can(d->lists, "sub", true);
	d->answer = ANSWER_GOOD;
	run_until(d, 2);
	assert_int_equal(d->told, 1);
}

static void
one_that_was_asked_for_outlives_a_reload(void **state)
{
	struct desk *d = *state;
	struct fault f = { 0 };

	run_until(d, 1);
	lists_can(d->lists, "sub", false);
	lists_now(d->lists);
	assert_int_equal(lists_set_books(d->lists, d->at.books, 86400, &f), 0);
	run_until(d, 1);
	lists_can(d->lists, "sub", true);
	run_until(d, 2);
	assert_int_equal(d->told, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_DESK(
		    a_list_is_made_at_the_start_and_after_a_revocation_by_others),
		AT_A_DESK(an_expired_certificate_is_on_one_list_more),
		AT_A_DESK(after_a_restart_nothing_is_made_that_is_not_due),
		AT_A_DESK(a_list_that_is_not_what_was_asked_for_is_not_filed),
		AT_A_DESK(what_was_half_written_goes_at_the_start),
		cmocka_unit_test(what_is_due),
		AT_A_DESK(a_list_that_is_asked_for_is_made_though_none_is_due),
		AT_A_DESK(one_that_failed_is_tried_again_when_asked_for),
		AT_A_DESK(one_waits_for_the_token_and_is_made_when_it_is_back),
		AT_A_DESK(one_that_was_asked_for_outlives_a_reload),
	};

	return cmocka_run_group_tests_name("keeper/lists", tests, NULL, NULL);
}
