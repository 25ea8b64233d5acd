#include "trust/upkeep.h"

#include "trust/long_probe.h"
#include "trust/verify_probe.h"

#include <dirent.h>

/* A directory, kept up, and a person who asks. */
struct yard {
	struct pki p;
	struct cert_list chain;
	struct upkeep *u;
	int complaints;
	char last[256];
};

static void
complain(void *arg, const char *file, const struct fault *f)
{
	struct yard *y = arg;

	y->complaints++;
	(void)snprintf(y->last, sizeof(y->last), "%s: %s", file, f->text);
}

static void
build(struct yard *y)
{
	memset(y, 0, sizeof(*y));
	pki_init(&y->p);
	pki_make(&y->p);
	pki_dir(&y->p);
	assert_true(pki_chain(&y->p, EEC, &y->chain));
}

static void
begin(struct yard *y)
{
	struct fault f = { 0 };

	y->u = upkeep_new(y->p.dir, true, complain, y, &f);
	if (y->u == NULL)
		fail_msg("%s", f.text);
}

static void
raze(struct yard *y)
{
	upkeep_free(y->u);
	cert_list_free(&y->chain);
	pki_free(&y->p);
}

/* What is said of the person now. */
static enum fault_code
ask(const struct yard *y)
{
	struct trust_verdict verdict;
	struct fault f = { 0 };

	return trust_verify(upkeep_store(y->u), &y->chain, PKI_NOW, 0, &verdict,
		   &f) == 0
	    ? FAULT_NONE
	    : f.code;
}

static void
turn(struct yard *y)
{
	struct fault f = { 0 };

	if (upkeep_turn(y->u, &f) < 0)
		fail_msg("%s", f.text);
}

static void
look(struct yard *y)
{
	struct fault f = { 0 };

	if (upkeep_look(y->u, &f) < 0)
		fail_msg("%s", f.text);
}

/* Turns until there is nothing to be done. */
static size_t
work(struct yard *y)
{
	size_t turns = 0;

	for (; upkeep_busy(y->u); turns++)
		turn(y);
	return turns;
}

static void
a_short_list_is_read_at_once_and_a_long_one_is_waited_for(void **state)
{
	size_t size, turns = 0;
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, 100, 0);
	begin(&y);
	assert_false(upkeep_busy(y.u));
	assert_int_equal(ask(&y), FAULT_NONE);
	assert_false(upkeep_busy(y.u));
	upkeep_free(y.u);
	size = long_list(&y.p, ROOT, LONG, 0);
	begin(&y);
	assert_false(upkeep_news(y.u));
	assert_int_equal(ask(&y), FAULT_BUSY);
	for (; !upkeep_news(y.u); turns++) {
		assert_true(upkeep_busy(y.u));
		assert_int_equal(ask(&y), FAULT_BUSY);
		turn(&y);
	}
	assert_true(turns >= size / (2 * UPKEEP_PIECE));
	assert_false(upkeep_busy(y.u));
	assert_int_equal(ask(&y), FAULT_NONE);
	assert_int_equal(y.complaints, 0);
	raze(&y);
}

static void
who_waits_hears_that_a_list_is_bad_or_that_he_is_revoked(void **state)
{
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, LONG, 1001);
	begin(&y);
	assert_int_equal(ask(&y), FAULT_BUSY);
	(void)work(&y);
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	assert_int_equal(y.complaints, 0);
	upkeep_free(y.u);
	/* Cut in its middle. */
	long_cut(&y.p, ROOT);
	begin(&y);
	assert_int_equal(ask(&y), FAULT_BUSY);
	(void)work(&y);
	assert_int_equal(y.complaints, 1);
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	raze(&y);
}

/* In every turn the old state answers, until the new one is whole. */
static void
the_old_store_answers_while_its_successor_is_made(void **state)
{
	const struct trust_store *old;
	size_t size, turns = 0;
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, 100, 0);
	begin(&y);
	assert_int_equal(ask(&y), FAULT_NONE);
	old = upkeep_store(y.u);
	look(&y);
	assert_ptr_equal(upkeep_store(y.u), old);
	assert_false(upkeep_busy(y.u));
	size = long_list(&y.p, ROOT, LONG, 1001);
	look(&y);
	for (; upkeep_store(y.u) == old; turns++) {
		assert_int_equal(ask(&y), FAULT_NONE);
		assert_true(upkeep_busy(y.u));
		look(&y); /* one is under way */
		turn(&y);
	}
	assert_true(turns >= size / (2 * UPKEEP_PIECE));
	assert_true(upkeep_news(y.u));
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	(void)work(&y);
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	look(&y);
	assert_false(upkeep_busy(y.u));
	raze(&y);
}

/* Nobody has asked for it: it is read neither at the start nor at a change. */
static void
what_is_not_in_use_is_not_read(void **state)
{
	const struct trust_store *old;
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, LONG, 0);
	begin(&y);
	old = upkeep_store(y.u);
	assert_int_equal(trust_read(old), 3);
	(void)long_list(&y.p, ROOT, LONG, 0);
	look(&y);
	(void)work(&y);
	assert_ptr_not_equal(upkeep_store(y.u), old);
	assert_int_equal(trust_at(upkeep_store(y.u), 0)->lists.state,
	    TRUST_LISTS_UNREAD);
	raze(&y);
}

static void
a_change_that_cannot_be_loaded_leaves_the_old_store(void **state)
{
	const struct trust_store *old;
	struct fault f = { 0 };
	char kept[80];
	struct yard y;

	(void)state;
	build(&y);
	begin(&y);
	old = upkeep_store(y.u);
	(void)snprintf(kept, sizeof(kept), "%s.kept", y.p.dir);
	assert_int_equal(rename(y.p.dir, kept), 0);
	assert_int_equal(symlink("/etc/passwd", y.p.dir), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(upkeep_look(y.u, &f), -1);
		assert_int_equal(f.code, FAULT_SYSTEM);
		assert_int_equal(upkeep_renew(y.u, y.p.dir, &f), -1);
		assert_ptr_equal(upkeep_store(y.u), old);
		assert_int_equal(ask(&y), FAULT_NONE);
		assert_false(upkeep_busy(y.u));
	}
	assert_int_equal(unlink(y.p.dir), 0);
	assert_int_equal(rename(kept, y.p.dir), 0);
	raze(&y);
}

/* Another directory takes its name: what is read later is of the old one still,
 * as all that was read before. */
static void
a_list_that_is_read_late_is_of_the_same_state(void **state)
{
	struct yard y, other;
	char kept[80];

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, LONG, 1001);
	begin(&y);
	build(&other);
	(void)snprintf(kept, sizeof(kept), "%s.kept", y.p.dir);
	assert_int_equal(rename(y.p.dir, kept), 0);
	assert_int_equal(rename(other.p.dir, y.p.dir), 0);
	assert_int_equal(ask(&y), FAULT_BUSY);
	(void)work(&y);
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	/* Of another root, so that he is not known there at all. */
	look(&y);
	(void)work(&y);
	assert_int_equal(trust_count(upkeep_store(y.u)), 1);
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	assert_int_equal(rename(y.p.dir, other.p.dir), 0);
	assert_int_equal(rename(kept, y.p.dir), 0);
	raze(&y);
	raze(&other);
}

/* It was there when the directory was loaded: what is there now is to say. */
static void
for_a_list_that_has_gone_the_directory_is_loaded_again_at_once(void **state)
{
	const struct trust_store *old;
	char path[PATH_MAX];
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, 100, 0);
	begin(&y);
	pki_path(&y.p, y.p.cert[ROOT], "r0", path);
	assert_int_equal(unlink(path), 0);
	old = upkeep_store(y.u);
	assert_int_equal(ask(&y), FAULT_BUSY);
	assert_int_equal(ask(&y), FAULT_BUSY);
	assert_true(upkeep_busy(y.u));
	(void)work(&y);
	assert_ptr_not_equal(upkeep_store(y.u), old);
	assert_true(upkeep_news(y.u));
	assert_int_equal(ask(&y), FAULT_NONE); /* it has crl_optional */
	assert_int_equal(y.complaints, 0);
	raze(&y);
}

static void
move_all(const char *from, const char *to)
{
	DIR *d = opendir(from);
	const struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		char old[PATH_MAX], now[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(old, sizeof(old), "%s/%s", from, entry->d_name);
		(void)snprintf(now, sizeof(now), "%s/%s", to, entry->d_name);
		assert_int_equal(rename(old, now), 0);
	}
	assert_int_equal(closedir(d), 0);
}

/* The generation that was loaded is cleared away before anyone asks. */
static void
a_list_of_a_generation_that_has_gone_is_read_from_its_successor(void **state)
{
	char kept[80];
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, LONG, 1001);
	begin(&y);
	(void)snprintf(kept, sizeof(kept), "%s.kept", y.p.dir);
	assert_int_equal(rename(y.p.dir, kept), 0);
	assert_int_equal(mkdir(y.p.dir, 0700), 0);
	move_all(kept, y.p.dir);
	assert_int_equal(rmdir(kept), 0);
	assert_int_equal(ask(&y), FAULT_BUSY);
	(void)work(&y);
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	assert_int_equal(y.complaints, 0);
	raze(&y);
}

/* Nor is there anything that could be loaded: nobody waits for ever. */
static void
without_a_successor_a_list_that_has_gone_lets_nobody_in(void **state)
{
	struct fault f = { 0 };
	char path[PATH_MAX], kept[80];
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, 100, 0);
	begin(&y);
	pki_path(&y.p, y.p.cert[ROOT], "r0", path);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(kept, sizeof(kept), "%s.kept", y.p.dir);
	assert_int_equal(rename(y.p.dir, kept), 0);
	assert_int_equal(symlink("/etc/passwd", y.p.dir), 0);
	assert_int_equal(ask(&y), FAULT_BUSY);
	assert_int_equal(upkeep_turn(y.u, &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	assert_true(upkeep_news(y.u));
	assert_false(upkeep_busy(y.u));
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	assert_int_equal(unlink(y.p.dir), 0);
	assert_int_equal(rename(kept, y.p.dir), 0);
	/* It comes back, and is asked as before. */
	look(&y);
	(void)work(&y);
	assert_int_equal(ask(&y), FAULT_NONE);
	raze(&y);
}

/* All that is not long holds at once, and for the rest people wait: nobody is
 * judged by what was before. */
static void
a_renewal_holds_at_once_and_reads_long_lists_in_turns(void **state)
{
	struct fault f = { 0 };
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, LONG, 0);
	begin(&y);
	trust_demand(upkeep_store(y.u), TRUST_NO_DRAFT);
	assert_int_equal(ask(&y), FAULT_BUSY);
	(void)work(&y);
	assert_int_equal(ask(&y), FAULT_NONE);
	/* Nothing has changed, and the list is long settled: it is at hand. */
	long_settle(&y.p, ROOT, 1000000000);
	look(&y);
	(void)work(&y);
	assert_int_equal(upkeep_renew(y.u, y.p.dir, &f), 0);
	assert_int_equal(ask(&y), FAULT_NONE);
	(void)long_list(&y.p, ROOT, LONG, 1001);
	assert_int_equal(upkeep_renew(y.u, y.p.dir, &f), 0);
	assert_int_equal(trust_demands(upkeep_store(y.u)), TRUST_NO_DRAFT);
	assert_int_equal(ask(&y), FAULT_BUSY);
	/* Another while that one is read, and a change as well. */
	assert_int_equal(upkeep_renew(y.u, y.p.dir, &f), 0);
	turn(&y);
	pki_text(&y.p, y.p.cert[ROOT], "namespaces", "\n");
	look(&y);
	assert_int_equal(ask(&y), FAULT_BUSY);
	(void)work(&y);
	assert_int_equal(ask(&y), FAULT_UNTRUSTED);
	raze(&y);
}

static void
it_can_be_ended_at_any_turn(void **state)
{
	struct yard y;

	(void)state;
	build(&y);
	(void)long_list(&y.p, ROOT, LONG, 0);
	for (size_t turns = 0; turns < 12; turns++) {
		begin(&y);
		assert_int_equal(ask(&y), FAULT_BUSY);
		for (size_t i = 0; i < turns; i++)
			turn(&y);
		if (turns % 2 == 1) {
			pki_text(&y.p, y.p.cert[SUB], "namespaces", "\n");
			look(&y);
			turn(&y);
		}
		upkeep_free(y.u);
	}
	begin(&y);
	raze(&y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_short_list_is_read_at_once_and_a_long_one_is_waited_for),
		cmocka_unit_test(
		    who_waits_hears_that_a_list_is_bad_or_that_he_is_revoked),
		cmocka_unit_test(
		    the_old_store_answers_while_its_successor_is_made),
		cmocka_unit_test(what_is_not_in_use_is_not_read),
		cmocka_unit_test(
		    a_change_that_cannot_be_loaded_leaves_the_old_store),
		cmocka_unit_test(a_list_that_is_read_late_is_of_the_same_state),
		cmocka_unit_test(
		    for_a_list_that_has_gone_the_directory_is_loaded_again_at_once),
		cmocka_unit_test(
		    a_list_of_a_generation_that_has_gone_is_read_from_its_successor),
		cmocka_unit_test(
		    without_a_successor_a_list_that_has_gone_lets_nobody_in),
		cmocka_unit_test(
		    a_renewal_holds_at_once_and_reads_long_lists_in_turns),
		cmocka_unit_test(it_can_be_ended_at_any_turn),
	};

	return cmocka_run_group_tests_name("trust/upkeep", tests, NULL, NULL);
}
