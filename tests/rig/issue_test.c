/*
 * Issuer, signer and keeper together: what they promise each other, told with
 * the real processes.
 *
 *	issue_test FOLDER-OF-THE-ROLES
 */
#include "rig/issue_probe.h"
#include "x509/csr.h"

#include <poll.h>

static void
a_vouched_request_becomes_a_certificate(void **state)
{
	struct fault f = { 0 };
	struct cert *cert;
	struct msg_sign_done done;
	struct dn subject;

	(void)state;
	open_stage(NULL, NULL);
	ask(7, SUBJECT);
	done = answer();
	assert_int_equal(done.connection, 7);
	expect_recorded(&done);
	cert = cert_read(done.certificate, &f);
	assert_non_null(cert);
	assert_int_equal(cert_check_signature(cert, stage.rig.ca, &f), 0);
	assert_int_equal(cert->spki.der.len, key_spki(stage.key)->der.len);
	assert_memory_equal(cert->spki.der.data, key_spki(stage.key)->der.data,
	    cert->spki.der.len);
	assert_int_equal(dn_read_slash(&subject, SUBJECT, &f), 0);
	assert_true(dn_equal(&cert->subject, &subject));
	assert_false(cert->ca);
	assert_int_equal(done.chain.len, stage.rig.ca->len);
	assert_memory_equal(done.chain.data, stage.rig.ca->der,
	    stage.rig.ca->len);
	cert_free(cert);
	check_book();
	close_stage();
}

static void
a_ticket_is_good_once_and_a_made_up_one_never(void **state)
{
	uint8_t ticket[16], other[16] = { 0xff };

	(void)state;
	open_stage(NULL, NULL);
	rig_ask(&stage.rig, 1, other, request());
	assert_int_equal(answer().fault, FAULT_DENIED);
	rig_vouch(&stage.rig, SUBJECT, ticket);
	rig_ask(&stage.rig, 2, ticket, request());
	rig_ask(&stage.rig, 3, ticket, request());
	for (int i = 0; i < 2; i++) {
		struct msg_sign_done done = answer();

		assert_int_equal(done.fault,
		    done.connection == 2 ? FAULT_NONE : FAULT_DENIED);
	}
	assert_int_equal(look_up_all().count, 1);
	close_stage();
}

static void
a_bad_request_costs_no_serial(void **state)
{
	(void)state;
	open_stage(NULL, NULL);
	stage.csr.data[stage.csr.len - 1] ^= 1;
	ask(1, SUBJECT);
	assert_int_not_equal(answer().fault, FAULT_NONE);
	stage.csr.data[stage.csr.len - 1] ^= 1;
	stage.csr.len--;
	ask(2, SUBJECT);
	assert_int_equal(answer().fault, FAULT_INPUT);
	stage.csr.len++;
	ask(3, "/DC=org/O=Elsewhere/CN=user");
	assert_int_equal(answer().fault, FAULT_DENIED);
	assert_int_equal(look_up_all().count, 0);
	ask(4, SUBJECT);
	assert_int_equal(answer().fault, FAULT_NONE);
	close_stage();
}

static void
what_the_signer_refuses_is_voided(void **state)
{
	struct found found;

	(void)state;
	/* The profile grants what ca.conf does not let the CA certify. */
	open_stage(NULL, "usage nonRepudiation\n");
	ask(1, SUBJECT);
	assert_int_equal(answer().fault, FAULT_DENIED);
	/* The keeper reads in order: with this answer the VOID is durable. */
	ask(2, SUBJECT);
	assert_int_equal(answer().fault, FAULT_DENIED);
	ask(3, SUBJECT);
	assert_int_equal(answer().fault, FAULT_DENIED);
	found = look_up_all();
	assert_int_equal(found.count, 3);
	assert_true(found.states[LEDGER_VOID] >= 1);
	assert_int_equal(found.states[LEDGER_ISSUED], 0);
	check_book();
	close_stage();
}

static void
many_at_once_are_each_recorded_before_they_are_handed_out(void **state)
{
	uint8_t seen[MANY] = { 0 };

	(void)state;
	open_stage(NULL, NULL);
	for (uint32_t i = 0; i < MANY; i++)
		ask(i, SUBJECT);
	for (uint32_t i = 0; i < MANY; i++) {
		struct msg_sign_done done = answer();

		expect_recorded(&done);
		assert_true(done.connection < MANY);
		assert_int_equal(seen[done.connection]++, 0);
	}
	assert_int_equal(look_up_all().states[LEDGER_ISSUED], MANY);
	check_book();
	close_stage();
}

/* Wait until no intent is without outcome, at most ten seconds. */
static struct found
wait_for_outcomes(unsigned count)
{
	struct found found = { 0 };

	for (int i = 0; i < 1000; i++) {
		found = look_up_all();
		if (found.count == count && found.states[LEDGER_RESERVED] == 0)
			return found;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("%u intents, %u without outcome", found.count,
	    found.states[LEDGER_RESERVED]);
	return found;
}

static void
what_is_on_its_way_is_recorded_though_the_front_dies(void **state)
{
	(void)state;
	open_stage(NULL, NULL);
	for (uint32_t i = 0; i < 20; i++)
		ask(i, SUBJECT);
	(void)answer();
	(void)close(stage.rig.front);
	stage.rig.front = -1;
	assert_int_equal(wait_for_outcomes(20).states[LEDGER_ISSUED], 20);
	check_book();
	close_stage();
}

static void
past_the_end_of_the_range_nothing_is_issued(void **state)
{
	(void)state;
	open_stage("range 100000000 3", NULL);
	for (uint32_t i = 0; i < 5; i++) {
		ask(i, SUBJECT);
		assert_int_equal(answer().fault,
		    i < 3 ? FAULT_NONE : FAULT_USED_UP);
	}
	assert_int_equal(look_up("5f5e100", (struct wire_bytes){ NULL, 0 })
			     .states[LEDGER_ISSUED],
	    1);
	assert_int_equal(look_up("5f5e103", (struct wire_bytes){ NULL, 0 })
			     .count,
	    0);
	close_stage();
}

static void
the_front_end_cannot_vouch(void **state)
{
	uint8_t ticket[16];
	struct msg m;
	int auth;

	(void)state;
	open_stage(NULL, NULL);
	/* The front end says what only auth may. */
	auth = stage.rig.auth;
	stage.rig.auth = stage.rig.front;
	rig_vouch(&stage.rig, SUBJECT, ticket);
	stage.rig.auth = auth;
	assert_false(rig_hear(&stage.rig, &m));
	assert_int_equal(look_up_all().count, 0);
	close_stage();
}

/* The lifetime of a certificate that is got now, from this moment on. */
static int64_t
lifetime_of_one(void)
{
	struct fault f = { 0 };
	OWN_STRUCT(cert) cert = NULL;
	struct msg_sign_done done;

	ask(1, SUBJECT);
	done = answer();
	assert_int_equal(done.fault, FAULT_NONE);
	cert = cert_read(done.certificate, &f);
	assert_non_null(cert);
	return cert->not_after - time(NULL);
}

static void
a_reload_changes_what_is_issued_or_nothing(void **state)
{
	struct rig_wish wish;

	(void)state;
	open_stage(NULL, NULL);
	wish = stage.wish;
	assert_in_range(lifetime_of_one(), 43100, 43200);
	wish.lifetime = "1h";
	for (int r = 0; r < RIG_ROLES; r++)
		assert_true(rig_reload(&stage.rig, &wish, (enum rig_role)r));
	assert_in_range(lifetime_of_one(), 3500, 3600);
	wish.lifetime = "2h";
	wish.usage = "usage keyCertSign\n";
	assert_false(rig_reload(&stage.rig, &wish, RIG_ISSUER));
	wish.serial = "range of something";
	assert_false(rig_reload(&stage.rig, &wish, RIG_KEEPER));
	assert_false(rig_reload(&stage.rig, &wish, RIG_SIGNER));
	assert_in_range(lifetime_of_one(), 3500, 3600);
	check_book();
	close_stage();
}

static void
a_key_of_another_certificate_is_not_signed_with(void **state)
{
	struct rig_wish wish = { .programs = stage.programs,
		.ca_key = "ec:P-256" };
	struct fault f = { 0 };
	struct key *other = key_make("ec:P-256", &f);
	OWN_BUF(pem, 8192);
	struct rig rig;

	(void)state;
	assert_non_null(other);
	assert_int_equal(key_write_pem(other, NULL, &pem, &f), 0);
	key_free(other);
	wish.signer_key = buf_cstr(&pem);
	assert_non_null(wish.signer_key);
	assert_true(rig_refuses(&rig, &wish, RIG_SIGNER));
	rig_close(&rig);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vouched_request_becomes_a_certificate),
		cmocka_unit_test(a_ticket_is_good_once_and_a_made_up_one_never),
		cmocka_unit_test(a_bad_request_costs_no_serial),
		cmocka_unit_test(what_the_signer_refuses_is_voided),
		cmocka_unit_test(
		    many_at_once_are_each_recorded_before_they_are_handed_out),
		cmocka_unit_test(
		    what_is_on_its_way_is_recorded_though_the_front_dies),
		cmocka_unit_test(past_the_end_of_the_range_nothing_is_issued),
		cmocka_unit_test(the_front_end_cannot_vouch),
		cmocka_unit_test(a_reload_changes_what_is_issued_or_nothing),
		cmocka_unit_test(
		    a_key_of_another_certificate_is_not_signed_with),
	};

	if (argc != 2)
		return 2;
	stage.programs = argv[1];
	return cmocka_run_group_tests_name("rig/issue", tests, NULL, NULL);
}
