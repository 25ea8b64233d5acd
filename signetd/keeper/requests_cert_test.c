#include "signetd/keeper/requests_probe.h"

/* ---- certificates */

static void
certificates_are_listed_without_and_found_with_their_der(void **state)
{
	struct office *o = *state;

	issue(o, "ann", "office", SUBJECT, 4000000000);
	issue(o, "bob", "office", SUBJECT "2", 4000000000);
	assert_int_equal(certs(o, (struct msg_cert_list){ .text = "CN=gw" }),
	    FAULT_NONE);
	assert_int_equal(o->said.rows, 2);
	assert_int_equal(o->said.der_len, 0);
	assert_string_equal(o->said.row[0].cert_row.serial, "03e8");
	assert_string_equal(o->said.row[1].cert_row.who, "bob");
	assert_int_equal(state_of(o, "03e9"), LEDGER_ISSUED);
	assert_true(o->said.der_len > 0);
	assert_int_equal(certs(o, (struct msg_cert_list){ .revoked_only = 1 }),
	    FAULT_NONE);
	assert_int_equal(o->said.rows, 0);
	assert_int_equal(certs(o, (struct msg_cert_list){ .limit = 1 }),
	    FAULT_NONE);
	assert_int_equal(o->said.rows, 1);
	assert_int_equal(o->said.kept.more, 1);
}

static void
one_is_revoked_by_its_serial_once(void **state)
{
	const struct msg_cert_revoke by_serial = { .serial = "03e8",
		.reason = COMPROMISE };
	struct office *o = *state;
	uint64_t entries;

	issue(o, "ann", "office", SUBJECT, 4000000000);
	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o, by_serial), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 1);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
	assert_int_equal(o->said.row[0].cert_row.reason, COMPROMISE);
	assert_int_equal(state_of(o, "03e9"), LEDGER_ISSUED);
	entries = ledger_entries(o->at.ledger);
	assert_int_equal(take_back(o, by_serial), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 0);
	assert_int_equal(ledger_entries(o->at.ledger), entries);
}

static void
all_of_a_subject_that_are_still_good_are_revoked(void **state)
{
	struct office *o = *state;

	issue(o, "ann", "office", SUBJECT, clock_wall() - 10);
	issue(o, "ann", "office", SUBJECT, clock_wall() + 1000);
	issue(o, "bob", "office", SUBJECT, clock_wall() + 1000);
	issue(o, "bob", "office", SUBJECT "2", clock_wall() + 1000);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){
				 .subject = SUBJECT, .reason = COMPROMISE }),
	    FAULT_NONE);
	assert_int_equal(o->said.kept.count, 2);
	assert_int_equal(state_of(o, "03e8"), LEDGER_ISSUED);
	assert_int_equal(state_of(o, "03e9"), LEDGER_REVOKED);
	assert_int_equal(state_of(o, "03ea"), LEDGER_REVOKED);
	assert_int_equal(state_of(o, "03eb"), LEDGER_ISSUED);
	/* One that has expired is revoked if it is meant itself. */
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){
				 .serial = "03e8", .reason = COMPROMISE }),
	    FAULT_NONE);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
}

static void
what_is_held_is_let_go_or_revoked(void **state)
{
	const struct msg_cert_revoke hold = { .serial = "03e8",
		.reason = HOLD };
	const struct msg_cert_revoke release = { .serial = "03e8",
		.release = 1 };
	const struct msg_cert_revoke proper = { .serial = "03e8",
		.reason = COMPROMISE };
	struct office *o = *state;

	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o, release), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 0);
	assert_int_equal(take_back(o, hold), FAULT_NONE);
	assert_int_equal(state_of(o, "03e8"), LEDGER_HELD);
	assert_int_equal(take_back(o, hold), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 0);
	assert_int_equal(take_back(o, release), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 1);
	assert_int_equal(state_of(o, "03e8"), LEDGER_ISSUED);
	assert_int_equal(take_back(o, hold), FAULT_NONE);
	assert_int_equal(take_back(o, proper), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 1);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
	/* That is for good. */
	assert_int_equal(take_back(o, release), FAULT_DENIED);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
	assert_int_equal(take_back(o, hold), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 0);
	assert_int_equal(state_of(o, "03e8"), LEDGER_REVOKED);
}

/* Who is no revoker: only what the office issued to himself. */
static void
an_asker_revokes_his_own_alone(void **state)
{
	struct msg_cert_revoke own = {
		.serial = "03e8", .reason = COMPROMISE, .only_of = "ann"
	};
	struct office *o = *state;

	issue(o, "bob", "office", SUBJECT, 4000000000);
	issue(o, "ann", "passwd", SUBJECT, 4000000000);
	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o, own), FAULT_DENIED);
	TEXT(own.serial, "03e9");
	assert_int_equal(take_back(o, own), FAULT_DENIED);
	/* By their subject: his own of them. */
	own.serial[0] = '\0';
	TEXT(own.subject, SUBJECT);
	assert_int_equal(take_back(o, own), FAULT_NONE);
	assert_int_equal(o->said.kept.count, 1);
	assert_int_equal(state_of(o, "03e8"), LEDGER_ISSUED);
	assert_int_equal(state_of(o, "03e9"), LEDGER_ISSUED);
	assert_int_equal(state_of(o, "03ea"), LEDGER_REVOKED);
}

static void
nothing_is_revoked_that_was_not_named(void **state)
{
	struct office *o = *state;

	issue(o, "ann", "office", SUBJECT, 4000000000);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){ .reason = COMPROMISE }),
	    FAULT_INPUT);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){
				 .serial = "03e9", .reason = COMPROMISE }),
	    FAULT_ABSENT);
	assert_int_equal(take_back(o,
			     (struct msg_cert_revoke){ .subject = SUBJECT "x",
				 .reason = COMPROMISE }),
	    FAULT_ABSENT);
	assert_int_equal(state_of(o, "03e8"), LEDGER_ISSUED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AT_THE_OFFICE(
		    certificates_are_listed_without_and_found_with_their_der),
		AT_THE_OFFICE(one_is_revoked_by_its_serial_once),
		AT_THE_OFFICE(all_of_a_subject_that_are_still_good_are_revoked),
		AT_THE_OFFICE(what_is_held_is_let_go_or_revoked),
		AT_THE_OFFICE(an_asker_revokes_his_own_alone),
		AT_THE_OFFICE(nothing_is_revoked_that_was_not_named),
	};

	return cmocka_run_group_tests_name("keeper/requests_cert", tests, NULL,
	    NULL);
}
