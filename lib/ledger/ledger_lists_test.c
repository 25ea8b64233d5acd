#include "ledger/ledger_lists.h"

#include "ledger/ledger_unit.h"

#define MOST 16

/* What a list gathers. */
struct gathered {
	unsigned count;
	struct serial serial[MOST];
	int reason[MOST];
	time_t revoked[MOST];
	uint64_t entry[MOST];
};

static int
gather(void *arg, const struct ledger_verdict *v, struct fault *f)
{
	struct gathered *g = arg;

	(void)f;
	assert_true(g->count < MOST);
	assert_int_equal(v->not_after, 1790043200);
	memcpy(g->serial[g->count].data, v->serial.data, v->serial.len);
	g->serial[g->count].len = v->serial.len;
	g->reason[g->count] = v->reason;
	g->revoked[g->count] = v->revoked;
	g->entry[g->count++] = v->entry;
	return 0;
}

/* All of ${ca} up to the entry ${until}, ${most} at a time. */
static struct gathered
gathered(struct ledger *l, const char *ca, uint64_t until, size_t most)
{
	struct ledger_verdicts at = { .ca = ca, .until = until };
	struct gathered g = { 0 };
	struct fault f = { 0 };
	int more;

	while ((more = ledger_verdicts(l, &at, most, gather, &g, &f)) == 1)
		;
	if (more < 0)
		fail_msg("%s", f.text);
	return g;
}

static void
revoke_now(struct ledger *l, const char *ca, const struct serial *s, int reason)
{
	struct fault f = { 0 };

	begin(l);
	if (ledger_revoke(l, ca, bytes(s), reason, "root", 77, &f) < 0)
		fail_msg("%s", f.text);
	end(l);
}

static void
release_now(struct ledger *l, const struct serial *s)
{
	struct fault f = { 0 };

	begin(l);
	if (ledger_release(l, "slcs", bytes(s), "root", &f) < 0)
		fail_msg("%s", f.text);
	end(l);
}

static void
the_revoked_are_shown_in_pieces_as_of_an_entry(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial s[6];
	uint64_t then;

	for (int i = 0; i < 6; i++)
		s[i] = issue(l, i < 5 ? "slcs" : "other",
		    i % 2 ? &a_range : &at_random);
	revoke_now(l, "slcs", &s[0], 1);
	revoke_now(l, "slcs", &s[1], 6);
	revoke_now(l, "slcs", &s[2], 6);
	revoke_now(l, "slcs", &s[4], 0);
	revoke_now(l, "other", &s[5], 4);
	release_now(l, &s[1]);
	revoke_now(l, "slcs", &s[2], 1); /* held, then revoked */
	then = ledger_entries(l);
	revoke_now(l, "slcs", &s[3], 5);
	revoke_now(l, "slcs", &s[1], 6);
	for (size_t most = 1; most < 7; most++) {
		struct gathered g = gathered(l, "slcs", then, most);

		assert_int_equal(g.count, 3);
		assert_int_equal(g.serial[0].len, s[0].len);
		assert_memory_equal(g.serial[0].data, s[0].data, s[0].len);
		assert_int_equal(g.reason[0], 1);
		assert_int_equal(g.revoked[0], 77);
		assert_memory_equal(g.serial[1].data, s[2].data, s[2].len);
		assert_int_equal(g.reason[1], 1);
		assert_int_equal(g.entry[1], then);
		assert_memory_equal(g.serial[2].data, s[4].data, s[4].len);
		assert_int_equal(g.reason[2], 0);
		assert_int_equal(gathered(l, "slcs", ledger_entries(l), most)
				     .count,
		    5);
		assert_int_equal(gathered(l, "none", then, most).count, 0);
	}
}

static void
count_news(void *arg, const char *ca, uint64_t entry)
{
	unsigned *count = arg;

	assert_string_equal(ca, "slcs");
	assert_true(entry > 0);
	++*count;
}

static void
revocations_are_news_once(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial s = issue(l, "slcs", &at_random);
	uint64_t since = 0;
	unsigned count = 0;
	struct fault f = { 0 };

	assert_int_equal(ledger_news(l, &since, count_news, &count, &f), 0);
	assert_int_equal(count, 0);
	assert_int_equal(since, 2);
	revoke_now(l, "slcs", &s, 6);
	release_now(l, &s);
	(void)issue(l, "slcs", &at_random);
	assert_int_equal(ledger_news(l, &since, count_news, &count, &f), 0);
	assert_int_equal(count, 2);
	assert_int_equal(since, 6);
	assert_int_equal(ledger_news(l, &since, count_news, &count, &f), 0);
	assert_int_equal(count, 2);
}

static uint64_t
file(struct ledger *l, time_t this_update, time_t next_update)
{
	struct wire_bytes content = { (const uint8_t *)"list", 4 };
	struct ledger_list list = { .this_update = this_update,
		.next_update = next_update };
	struct fault f = { 0 };

	begin(l);
	if (ledger_crl_number(l, "slcs", &list.number, &f) < 0 ||
	    ledger_list_file(l, "slcs", &list, content, &f) < 0)
		fail_msg("%s", f.text);
	end(l);
	return list.number;
}

static struct ledger_list
last_by(struct ledger *l, time_t by)
{
	struct ledger_list last = { 0 };
	struct fault f = { 0 };

	if (ledger_list_last(l, "slcs", by, &last, &f) < 0)
		fail_msg("%s", f.text);
	return last;
}

static void
filed_lists_are_found_by_their_times(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	const time_t now = time(NULL);
	struct fault f = { 0 };
	struct ledger_list last;
	uint64_t first, ahead;
	time_t floor = 9;

	assert_int_equal(last_by(l, 0).number, 0);
	assert_int_equal(ledger_list_floor(l, "slcs", now + 9, &floor, &f), 0);
	assert_int_equal(floor, 0);
	first = file(l, now - 300, now + 1000);
	ahead = file(l, now + 86400, now + 96400);
	assert_true(ahead > first);
	last = last_by(l, 0);
	assert_int_equal(last.number, ahead);
	assert_int_equal(last.next_update, now + 96400);
	last = last_by(l, now);
	assert_int_equal(last.number, first);
	assert_int_equal(last.entry, 1);
	assert_int_equal(last.this_update, now - 300);
	assert_in_range(last.taken, now, now + 60);
	/* What was made before its time moves no other list. */
	assert_int_equal(ledger_list_floor(l, "slcs", now + 9, &floor, &f), 0);
	assert_int_equal(floor, now - 300);
	assert_int_equal(ledger_list_floor(l, "slcs", now - 301, &floor, &f),
	    0);
	assert_int_equal(floor, 0);
	assert_int_equal(checked(l), 4);
}

static void
a_number_is_filed_once_and_only_if_it_was_taken(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct wire_bytes content = { (const uint8_t *)"list", 4 };
	struct ledger_list list = { .number = file(l, 5, 6) };
	struct fault f = { 0 };

	begin(l);
	assert_int_equal(ledger_list_file(l, "slcs", &list, content, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	list.number++;
	assert_int_equal(ledger_list_file(l, "slcs", &list, content, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	list.number = UINT64_MAX;
	assert_int_equal(ledger_list_file(l, "slcs", &list, content, &f), -1);
	end(l);
	assert_int_equal(checked(l), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_PLACE(the_revoked_are_shown_in_pieces_as_of_an_entry),
		ON_A_PLACE(revocations_are_news_once),
		ON_A_PLACE(filed_lists_are_found_by_their_times),
		ON_A_PLACE(a_number_is_filed_once_and_only_if_it_was_taken),
	};

	return cmocka_run_group_tests_name("ledger/lists", tests, NULL, NULL);
}
