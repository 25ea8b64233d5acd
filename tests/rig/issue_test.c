/*
 * Issuer, signer and keeper together: what they promise each other, told with
 * the real processes.
 *
 *	issue_test FOLDER-OF-THE-ROLES
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"
#include "ledger/ledger.h"
#include "rig/issue_rig.h"
#include "x509/crl.h"
#include "x509/csr.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SUBJECT "/DC=org/O=Ex/OU=People/CN=user@EXAMPLE.ORG"
#define MANY 200

/* What every test begins with. */
struct stage {
	const char *programs;
	struct rig_wish wish;
	struct rig rig;
	struct key *key;
	struct buf csr;
};

static struct stage stage;

static void
open_stage(const char *serial, const char *usage)
{
	struct fault f = { 0 };

	stage.wish = (struct rig_wish){ .programs = stage.programs,
		.ca_key = "ec:P-256",
		.serial = serial,
		.usage = usage };
	rig_open(&stage.rig, &stage.wish);
	stage.key = key_make("ec:P-256", &f);
	assert_non_null(stage.key);
	stage.csr = rig_request(stage.key);
}

static void
close_stage(void)
{
	rig_close(&stage.rig);
	key_free(stage.key);
	buf_free(&stage.csr);
}

static struct wire_bytes
request(void)
{
	return (struct wire_bytes){ stage.csr.data, stage.csr.len };
}

static void
ask(uint32_t connection, const char *subject)
{
	uint8_t ticket[16];

	rig_vouch(&stage.rig, subject, ticket);
	rig_ask(&stage.rig, connection, ticket, request());
}

static struct msg_sign_done
answer(void)
{
	struct msg m;

	assert_true(rig_hear(&stage.rig, &m));
	assert_int_equal(m.type, MSG_SIGN_DONE);
	return m.sign_done;
}

/* What the ledger knows of ${serial}, or of all. */
struct found {
	unsigned count;
	unsigned states[LEDGER_HELD + 1];
	struct wire_bytes want;
	bool same;
};

static int
see(void *arg, const struct ledger_line *line)
{
	struct found *found = arg;

	found->count++;
	found->states[line->state]++;
	found->same = line->der.len == found->want.len &&
	    (found->want.len == 0 ||
		memcmp(line->der.data, found->want.data, found->want.len) == 0);
	return 0;
}

static struct found
look_up(const char *serial, struct wire_bytes want)
{
	const struct ledger_filter filter = { .serial = serial };
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open_read(stage.rig.ledger, &f);
	struct found found = { .want = want };

	if (l == NULL || ledger_each(l, &filter, see, &found, &f) != 0)
		fail_msg("%s", f.text);
	return found;
}

static struct found
look_up_all(void)
{
	return look_up(NULL, (struct wire_bytes){ NULL, 0 });
}

static void
check_book(void)
{
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open_read(stage.rig.ledger, &f);
	uint64_t entries;
	char head[65];

	if (l == NULL || ledger_check(l, head, &entries, &f) < 0)
		fail_msg("%s", f.text);
}

/* A certificate in hand is in the ledger, byte for byte. */
static void
expect_recorded(const struct msg_sign_done *done)
{
	struct fault f = { 0 };
	OWN_STRUCT(cert) cert = NULL;
	char serial[CERT_SERIAL_TEXT];
	struct found found;

	assert_int_equal(done->fault, FAULT_NONE);
	cert = cert_read(done->certificate, &f);
	assert_non_null(cert);
	cert_serial_text(cert, serial);
	found = look_up(serial, done->certificate);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.states[LEDGER_ISSUED], 1);
	assert_true(found.same);
}

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

/* From a child that has become who the keeper is: that is enough, where being
 * root may not be. */
static void
set_file_limit(rlim_t limit)
{
	const struct rlimit set = { limit, RLIM_INFINITY };
	pid_t keeper = stage.rig.pid[RIG_KEEPER];
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(1);
		_exit(prlimit(keeper, RLIMIT_FSIZE, &set, NULL) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
a_full_disk_is_said_and_nothing_is_lost(void **state)
{
	unsigned good = 0, refused = 0;

	(void)state;
	open_stage(NULL, NULL);
	set_file_limit(200000);
	for (uint32_t i = 0; i < 100; i++) {
		struct msg_sign_done done;

		ask(i, SUBJECT);
		done = answer();
		good += done.fault == FAULT_NONE;
		refused += done.fault == FAULT_LEDGER;
		if (done.fault == FAULT_NONE)
			expect_recorded(&done);
	}
	assert_int_equal(good + refused, 100);
	assert_true(good > 0 && refused > 0);
	set_file_limit(RLIM_INFINITY);
	for (uint32_t i = 0; i < 10; i++, good++) {
		struct msg_sign_done done;

		ask(i, SUBJECT);
		done = answer();
		expect_recorded(&done);
	}
	/* What was reserved and not recorded has been voided meanwhile. */
	assert_int_equal(look_up_all().states[LEDGER_RESERVED], 0);
	assert_int_equal(look_up_all().states[LEDGER_ISSUED], good);
	check_book();
	close_stage();
}

/* Kill one of them in the middle of the work; the others must end too. */
static void
kill_one(enum rig_role role, uint32_t after, uint8_t (*serials)[20],
    unsigned *count)
{
	struct msg m;
	int status;

	for (uint32_t i = 0; i < 64; i++)
		ask(i, SUBJECT);
	for (uint32_t i = 0; rig_hear(&stage.rig, &m); i++) {
		struct fault f = { 0 };
		OWN_STRUCT(cert) cert = NULL;

		if (i == after)
			assert_int_equal(kill(stage.rig.pid[role], SIGKILL), 0);
		/* The issuer may find the others gone before it ends. */
		if (m.sign_done.fault != FAULT_NONE)
			continue;
		cert = cert_read(m.sign_done.certificate, &f);
		assert_non_null(cert);
		assert_true(cert->serial_len <= 20);
		memset(serials[*count], 0, 20);
		memcpy(serials[*count] + 20 - cert->serial_len, cert->serial,
		    cert->serial_len);
		++*count;
	}
	assert_int_equal(waitpid(stage.rig.pid[RIG_ISSUER], &status, 0),
	    stage.rig.pid[RIG_ISSUER]);
	rig_stop(&stage.rig);
}

static void
a_role_that_is_killed_takes_no_certificate_along(void **state)
{
	static uint8_t serials[64 * 12][20];
	unsigned count = 0;

	(void)state;
	open_stage("range 1000 100000", NULL);
	for (uint32_t round = 0; round < 9; round++) {
		kill_one((enum rig_role)(round % RIG_ROLES), 5 * round, serials,
		    &count);
		rig_restart(&stage.rig, &stage.wish);
		assert_int_equal(look_up_all().states[LEDGER_RESERVED], 0);
		check_book();
	}
	assert_true(count > 9);
	for (unsigned i = 0; i < count; i++) {
		char hex[41];

		text_hex(serials[i], 20, hex);
		assert_int_equal(look_up(hex, (struct wire_bytes){ NULL, 0 })
				     .states[LEDGER_ISSUED],
		    1);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(serials[i], serials[j], 20);
	}
	close_stage();
}

/* Whether the book has the list ${number} as filed: it is beside the ledger a
 * moment before. */
static bool
is_filed(uint64_t number)
{
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open(stage.rig.ledger, NULL, &f);
	struct ledger_crl last;

	if (l == NULL || ledger_crl_last(l, "rig", &last, &f) < 0)
		fail_msg("%s", f.text);
	return last.number >= number;
}

/* The list beside the ledger, once it has ${number}. */
static struct buf
wait_for_crl(uint64_t number)
{
	struct buf der = BUF(65536);
	char path[PATH_MAX];

	assert_int_equal(text_fmt(path, sizeof(path), "%s/rig.crl",
			     stage.rig.dir),
	    0);
	for (int i = 0; i < 1000; i++) {
		struct fault f = { 0 };
		struct crl crl;

		buf_clear(&der);
		if (file_read(path, &der, &f) == 0 &&
		    crl_read(&crl, (struct wire_bytes){ der.data, der.len },
			&f) == 0 &&
		    crl.number >= number && is_filed(number))
			return der;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("no CRL %u", (unsigned)number);
	return der;
}

static void
revoke_one(struct wire_bytes serial)
{
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open(stage.rig.ledger, NULL, &f);

	if (l == NULL || ledger_begin(l, &f) < 0 ||
	    ledger_revoke(l, "rig", serial, 1, "test", 1790000000, &f) < 0 ||
	    ledger_end(l, &f) < 0)
		fail_msg("%s", f.text);
}

static void
revocations_are_on_the_next_list(void **state)
{
	struct fault f = { 0 };
	struct crl_entry entry;
	struct cert *cert;
	struct crl crl;
	struct buf der;
	uint64_t first, second;

	(void)state;
	open_stage(NULL, NULL);
	der = wait_for_crl(1);
	assert_int_equal(crl_read(&crl,
			     (struct wire_bytes){ der.data, der.len }, &f),
	    0);
	assert_int_equal(crl_check_signature(&crl, stage.rig.ca, &f), 0);
	/* Numbers come from the clock. */
	first = crl.number;
	assert_true(first > 1790000000);
	ask(1, SUBJECT);
	cert = cert_read(answer().certificate, &f);
	assert_non_null(cert);
	assert_int_equal(crl_find(&crl,
			     (struct wire_bytes){
				 cert->serial, cert->serial_len },
			     &entry),
	    0);
	buf_free(&der);
	/* As signet-ca would, while they run; at a start a list is due. */
	revoke_one((struct wire_bytes){ cert->serial, cert->serial_len });
	rig_stop(&stage.rig);
	rig_restart(&stage.rig, &stage.wish);
	der = wait_for_crl(first + 1);
	assert_int_equal(crl_read(&crl,
			     (struct wire_bytes){ der.data, der.len }, &f),
	    0);
	second = crl.number;
	assert_int_equal(crl_find(&crl,
			     (struct wire_bytes){
				 cert->serial, cert->serial_len },
			     &entry),
	    1);
	assert_int_equal(entry.reason, 1);
	assert_int_equal(entry.when, 1790000000);
	buf_free(&der);
	/* And now none is. */
	rig_stop(&stage.rig);
	rig_restart(&stage.rig, &stage.wish);
	ask(2, SUBJECT);
	assert_int_equal(answer().fault, FAULT_NONE);
	der = wait_for_crl(second);
	assert_int_equal(crl_read(&crl,
			     (struct wire_bytes){ der.data, der.len }, &f),
	    0);
	assert_int_equal(crl.number, second);
	buf_free(&der);
	cert_free(cert);
	check_book();
	close_stage();
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
		cmocka_unit_test(a_full_disk_is_said_and_nothing_is_lost),
		cmocka_unit_test(
		    a_role_that_is_killed_takes_no_certificate_along),
		cmocka_unit_test(revocations_are_on_the_next_list),
	};

	if (argc != 2)
		return 2;
	stage.programs = argv[1];
	return cmocka_run_group_tests_name("rig/issue", tests, NULL, NULL);
}
