#include "ledger/ledger.h"

#include "ledger/ledger_unit.h"

#include <sys/stat.h>

static void
a_certificate_is_reserved_issued_and_found(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial serial = issue(l, "slcs", &a_range);
	struct seen seen = list(l, (struct ledger_filter){ .ca = "slcs" });

	assert_int_equal(serial.len, 2);
	assert_memory_equal(serial.data, "\x03\xe8", 2);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.state, LEDGER_ISSUED);
	assert_string_equal(seen.serial, "03e8");
	assert_string_equal(seen.subject,
	    "/DC=org/DC=ligo/CN=scott.koranda@LIGO.ORG");
	assert_true(seen.der > 1200);
	assert_int_equal(checked(l), 2);
}

static void
a_range_counts_up_and_refuses_past_its_end(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_numbering two = { false, 254, 3 };
	struct ledger_intent intent = an_intent("slcs");
	struct fault f = { 0 };
	struct serial serial;
	uint64_t left;

	begin(l);
	assert_memory_equal(reserve(l, "slcs", &two).data, "\xfe", 1);
	assert_memory_equal(reserve(l, "slcs", &two).data, "\xff", 1);
	assert_int_equal(ledger_reserve(l, &intent, &two, serial.data,
			     &serial.len, &left, &f),
	    0);
	assert_int_equal(serial.len, 2);
	assert_memory_equal(serial.data, "\x01\x00", 2);
	assert_int_equal(left, 0);
	assert_int_equal(ledger_reserve(l, &intent, &two, serial.data,
			     &serial.len, &left, &f),
	    -1);
	assert_int_equal(f.code, FAULT_USED_UP);
	assert_non_null(strstr(f.text,
	    "the serial range of slcs is used up: give it"));
	assert_false(ledger_spoilt(l));
	end(l);
	assert_int_equal(checked(l), 3);
}

static void
a_range_of_nothing_or_past_64_bits_gives_no_serial_twice(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_numbering none = { false, 5, 0 };
	struct ledger_numbering over = { false, UINT64_MAX, 5 };
	struct ledger_intent intent = an_intent("slcs");
	struct fault f = { 0 };
	struct serial serial;

	begin(l);
	assert_int_equal(ledger_reserve(l, &intent, &none, serial.data,
			     &serial.len, NULL, &f),
	    -1);
	assert_int_equal(ledger_reserve(l, &intent, &over, serial.data,
			     &serial.len, NULL, &f),
	    -1);
	end(l);
	assert_int_equal(checked(l), 0);
}

static void
a_range_goes_on_where_it_was_after_reopening(void **state)
{
	struct ledger *l = opened(*state);
	struct serial serial;

	(void)issue(l, "slcs", &a_range);
	begin(l);
	(void)reserve(l, "slcs", &a_range); /* stays without outcome */
	end(l);
	ledger_free(l);
	l = opened(*state);
	serial = issue(l, "slcs", &a_range);
	assert_memory_equal(serial.data, "\x03\xea", 2);
	ledger_free(l);
}

static void
each_ca_has_serials_of_its_own(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);

	assert_memory_equal(issue(l, "one", &a_range).data, "\x03\xe8", 2);
	assert_memory_equal(issue(l, "two", &a_range).data, "\x03\xe8", 2);
	assert_int_equal(list(l, (struct ledger_filter){ .serial = "3E8" })
			     .count,
	    2);
	assert_int_equal(list(l,
			     (struct ledger_filter){
				 .serial = "0003e8", .ca = "two" })
			     .count,
	    1);
}

static void
random_serials_are_positive_and_differ(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial one = issue(l, "slcs", &at_random);
	struct serial two = issue(l, "slcs", &at_random);

	assert_in_range(one.len, 16, 20);
	assert_true(one.len < 20 || one.data[0] < 0x80);
	assert_memory_not_equal(one.data, two.data, 16);
}

static void
a_serial_has_one_outcome(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial serial = issue(l, "slcs", &a_range);
	struct fault f = { 0 };

	begin(l);
	assert_int_equal(commit(l, "slcs", &serial, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(ledger_void(l, "slcs", bytes(&serial), &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	serial = reserve(l, "slcs", &a_range);
	assert_int_equal(ledger_void(l, "slcs", bytes(&serial), &f), 0);
	assert_int_equal(commit(l, "slcs", &serial, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	end(l);
	assert_int_equal(checked(l), 4);
	assert_int_equal(list(l, (struct ledger_filter){ 0 })
			     .states[LEDGER_VOID],
	    1);
}

static void
a_serial_never_reserved_is_refused(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial mine = issue(l, "slcs", &a_range);
	struct serial other = { { 0x55 }, 1 };
	struct fault f = { 0 };

	begin(l);
	assert_int_equal(commit(l, "slcs", &other, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(commit(l, "another", &mine, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	other.len = 0;
	assert_int_equal(ledger_void(l, "slcs", bytes(&other), &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	end(l);
	assert_int_equal(checked(l), 2);
}

static void
a_certificate_with_another_serial_is_refused(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial serial, other = { { 0x77 }, 1 };
	struct fault f = { 0 };
	OWN_BUF(der, 2000);

	put_der(&der, bytes(&other), 10);
	begin(l);
	serial = reserve(l, "slcs", &a_range);
	assert_int_equal(ledger_commit(l, "slcs", bytes(&serial),
			     (struct wire_bytes){ der.data, der.len }, &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(ledger_commit(l, "slcs", bytes(&serial),
			     (struct wire_bytes){ der.data, 3 }, &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	end(l);
}

static void
a_cancelled_transaction_leaves_nothing(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial first, again;

	begin(l);
	first = reserve(l, "slcs", &a_range);
	ledger_cancel(l);
	assert_int_equal(checked(l), 0);
	again = issue(l, "slcs", &a_range);
	assert_memory_equal(first.data, again.data, 2);
	assert_int_equal(checked(l), 2);
}

static void
a_transaction_is_settled_by_what_came_of_it(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct fault f = { 0 };

	begin(l);
	(void)reserve(l, "slcs", &a_range);
	assert_int_equal(ledger_settle(l, -1, &f), -1);
	assert_int_equal(checked(l), 0);
	begin(l);
	(void)reserve(l, "slcs", &a_range);
	assert_int_equal(ledger_settle(l, 0, &f), 0);
	assert_int_equal(checked(l), 1);
	/* None has begun. */
	assert_int_equal(ledger_settle(l, 0, &f), -1);
	assert_int_equal(f.code, FAULT_INTERNAL);
}

static void
writing_without_a_transaction_is_refused(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct ledger_intent intent = an_intent("slcs");
	struct fault f = { 0 };
	struct serial serial;

	assert_int_equal(ledger_reserve(l, &intent, &a_range, serial.data,
			     &serial.len, NULL, &f),
	    -1);
	assert_int_equal(f.code, FAULT_INTERNAL);
	assert_int_equal(ledger_end(l, &f), -1);
	begin(l);
	assert_int_equal(ledger_begin(l, &f), -1);
	ledger_cancel(l);
}

static void
intents_without_outcome_are_voided_at_the_next_opening(void **state)
{
	const struct place *p = *state;
	struct ledger *l = opened(p);
	struct fault f = { 0 };
	unsigned voided = 99;
	struct serial serial;

	(void)issue(l, "slcs", &a_range);
	begin(l);
	(void)reserve(l, "slcs", &a_range);
	serial = reserve(l, "slcs", &a_range);
	end(l);
	ledger_free(l);
	l = ledger_open(p->path, &voided, &f);
	assert_non_null(l);
	assert_int_equal(voided, 2);
	assert_int_equal(list(l, (struct ledger_filter){ 0 })
			     .states[LEDGER_VOID],
	    2);
	begin(l);
	assert_int_equal(commit(l, "slcs", &serial, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	end(l);
	assert_int_equal(checked(l), 6);
	ledger_free(l);
}

static void
a_second_writer_leaves_the_first_ones_intents_alone(void **state)
{
	const struct place *p = *state;
	OWN_STRUCT(ledger) first = opened(p);
	struct fault f = { 0 };
	unsigned voided = 99;
	struct serial serial;
	struct ledger *second;

	begin(first);
	serial = reserve(first, "slcs", &a_range);
	end(first);
	second = ledger_open(p->path, &voided, &f);
	assert_non_null(second);
	assert_int_equal(voided, 0);
	(void)issue(second, "slcs", &a_range);
	begin(first);
	assert_int_equal(commit(first, "slcs", &serial, &f), 0);
	end(first);
	ledger_free(second);
	assert_int_equal(checked(first), 4);
}

static void
revocation_is_for_ever_and_holding_is_not(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial one = issue(l, "slcs", &a_range);
	struct serial two = issue(l, "slcs", &a_range);
	struct serial three;
	struct fault f = { 0 };
	struct seen seen;

	begin(l);
	three = reserve(l, "slcs", &a_range);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&three), 1, "root", 5,
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&one), 7, "root", 5,
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&one), 1, "root", 77,
			     &f),
	    0);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&one), 4, "root", 78,
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(ledger_release(l, "slcs", bytes(&one), "root", &f),
	    -1);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&two), 6, "root", 79,
			     &f),
	    0);
	end(l);

	seen = list(l, (struct ledger_filter){ .revoked_only = true });
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.states[LEDGER_REVOKED], 1);
	assert_int_equal(seen.states[LEDGER_HELD], 1);
	seen = list(l,
	    (struct ledger_filter){ .revoked_only = true, .serial = "3e8" });
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.reason, 1);
	assert_int_equal(seen.revoked, 77);

	begin(l);
	assert_int_equal(ledger_release(l, "slcs", bytes(&two), "root", &f), 0);
	end(l);
	seen = list(l, (struct ledger_filter){ .revoked_only = true });
	assert_int_equal(seen.count, 1);
	begin(l);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&two), 6, "root", 80,
			     &f),
	    0);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&two), 1, "root", 81,
			     &f),
	    0);
	end(l);
	assert_int_equal(list(l, (struct ledger_filter){ 0 })
			     .states[LEDGER_REVOKED],
	    2);
	assert_int_equal(checked(l), 10);
}

static void
crl_numbers_rise_and_a_later_revocation_makes_a_list_stale(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct serial serial = issue(l, "slcs", &a_range);
	struct wire_bytes der = { (const uint8_t *)"list", 4 };
	struct ledger_crl last = { 9, 9, true };
	struct fault f = { 0 };
	uint64_t number, first;

	assert_int_equal(ledger_crl_last(l, "slcs", &last, &f), 0);
	assert_int_equal(last.number, 0);
	assert_false(last.stale);
	begin(l);
	assert_int_equal(ledger_crl_number(l, "slcs", &first, &f), 0);
	/* The clock's, so that another book of this CA does not begin alike. */
	assert_in_range(first, time(NULL) - 60, time(NULL) + 60);
	assert_int_equal(ledger_crl_number(l, "slcs", &number, &f), 0);
	assert_true(number > first);
	assert_int_equal(ledger_crl_number(l, "other", &first, &f), 0);
	assert_in_range(first, time(NULL) - 60, time(NULL) + 60);
	assert_int_equal(ledger_crl_filed(l, "slcs", number + 1, der, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(ledger_crl_filed(l, "slcs", number, der, &f), 0);
	assert_int_equal(ledger_crl_filed(l, "slcs", number, der, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	end(l);
	assert_int_equal(ledger_crl_last(l, "slcs", &last, &f), 0);
	assert_int_equal(last.number, number);
	assert_true(last.taken > 1700000000);
	assert_false(last.stale);
	begin(l);
	assert_int_equal(ledger_revoke(l, "slcs", bytes(&serial), 1, "root", 77,
			     &f),
	    0);
	end(l);
	assert_int_equal(ledger_crl_last(l, "slcs", &last, &f), 0);
	assert_true(last.stale);
	assert_int_equal(checked(l), 7);
}

static void
what_is_listed_can_be_chosen(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	struct fault f = { 0 };

	for (int i = 0; i < 5; i++)
		(void)issue(l, i < 3 ? "one" : "two", &a_range);
	assert_int_equal(list(l, (struct ledger_filter){ .ca = "two" }).count,
	    2);
	assert_int_equal(list(l, (struct ledger_filter){ .limit = 4 }).count,
	    4);
	assert_int_equal(list(l, (struct ledger_filter){ .text = "koranda" })
			     .count,
	    5);
	assert_int_equal(list(l, (struct ledger_filter){ .text = "192.0.2" })
			     .count,
	    5);
	assert_int_equal(list(l, (struct ledger_filter){ .text = "k%da" })
			     .count,
	    0);
	assert_int_equal(list(l, (struct ledger_filter){ .since = 4000000000 })
			     .count,
	    0);
	assert_int_equal(list(l, (struct ledger_filter){ .until = 1700000000 })
			     .count,
	    0);
	assert_int_equal(list(l, (struct ledger_filter){ .since = 1700000000 })
			     .count,
	    5);
	assert_int_equal(ledger_each(l,
			     &(struct ledger_filter){ .serial = "xyz" }, see,
			     &(struct seen){ 0 }, &f),
	    -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

static void
a_ledger_is_claimed_by_one_daemon_at_a_time(void **state)
{
	struct ledger *first = opened(*state), *second = opened(*state);
	struct fault f = { 0 };

	assert_int_equal(ledger_claim(first, &f), 0);
	assert_int_equal(ledger_claim(second, &f), -1);
	assert_int_equal(f.code, FAULT_LEDGER);
	assert_non_null(strstr(f.text, "in use"));
	(void)issue(second, "slcs", &a_range);
	ledger_free(first);
	assert_int_equal(ledger_claim(second, &f), 0);
	ledger_free(second);
}

static void
room_that_was_made_holds_no_entries(void **state)
{
	const struct place *p = *state;
	char log[PATH_MAX + 8];
	struct fault f = { 0 };
	struct ledger *l = opened(p);
	struct stat st;

	assert_int_equal(text_fmt(log, sizeof(log), "%s-wal", p->path), 0);
	assert_int_equal(ledger_make_room(l, &f), 0);
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size > 16 * 1024 * 1024);
	(void)issue(l, "slcs", &a_range);
	assert_int_equal(ledger_make_room(l, &f), 0);
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size < 20 * 1024 * 1024);
	assert_int_equal(checked(l), 2);
	begin(l);
	assert_int_equal(ledger_make_room(l, &f), -1);
	ledger_cancel(l);
	ledger_free(l);
	l = opened(p);
	assert_int_equal(checked(l), 2);
	ledger_free(l);
}

static void
what_is_missing_or_no_ledger_is_said(void **state)
{
	const struct place *p = *state;
	struct fault f = { 0 };
	FILE *out;

	assert_null(ledger_open_read(p->path, &f));
	assert_int_equal(f.code, FAULT_ABSENT);
	out = fopen(p->path, "we");
	assert_non_null(out);
	assert_true(fputs("this is not a database, and longer than a page's "
			  "head of one hundred octets, so that it is seen at "
			  "once",
			out) > 0);
	assert_int_equal(fclose(out), 0);
	assert_null(ledger_open_read(p->path, &f));
	assert_int_equal(f.code, FAULT_LEDGER);
	assert_null(ledger_open(p->path, NULL, &f));
	assert_int_equal(f.code, FAULT_LEDGER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_PLACE(a_certificate_is_reserved_issued_and_found),
		ON_A_PLACE(a_range_counts_up_and_refuses_past_its_end),
		ON_A_PLACE(
		    a_range_of_nothing_or_past_64_bits_gives_no_serial_twice),
		ON_A_PLACE(a_range_goes_on_where_it_was_after_reopening),
		ON_A_PLACE(each_ca_has_serials_of_its_own),
		ON_A_PLACE(random_serials_are_positive_and_differ),
		ON_A_PLACE(a_serial_has_one_outcome),
		ON_A_PLACE(a_serial_never_reserved_is_refused),
		ON_A_PLACE(a_certificate_with_another_serial_is_refused),
		ON_A_PLACE(a_cancelled_transaction_leaves_nothing),
		ON_A_PLACE(a_transaction_is_settled_by_what_came_of_it),
		ON_A_PLACE(writing_without_a_transaction_is_refused),
		ON_A_PLACE(
		    intents_without_outcome_are_voided_at_the_next_opening),
		ON_A_PLACE(a_second_writer_leaves_the_first_ones_intents_alone),
		ON_A_PLACE(revocation_is_for_ever_and_holding_is_not),
		ON_A_PLACE(
		    crl_numbers_rise_and_a_later_revocation_makes_a_list_stale),
		ON_A_PLACE(what_is_listed_can_be_chosen),
		ON_A_PLACE(a_ledger_is_claimed_by_one_daemon_at_a_time),
		ON_A_PLACE(room_that_was_made_holds_no_entries),
		ON_A_PLACE(what_is_missing_or_no_ledger_is_said),
	};

	return cmocka_run_group_tests_name("ledger/ledger", tests, NULL, NULL);
}
