/*
 * Issuer, signer and keeper together, when a disk is full or one of them is
 * killed; and the list of what was revoked.
 *
 *	issue_loss_test FOLDER-OF-THE-ROLES
 */
#include "rig/issue_probe.h"
#include "x509/crl.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <poll.h>
#include <signal.h>

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
		cmocka_unit_test(a_full_disk_is_said_and_nothing_is_lost),
		cmocka_unit_test(
		    a_role_that_is_killed_takes_no_certificate_along),
		cmocka_unit_test(revocations_are_on_the_next_list),
	};

	if (argc != 2)
		return 2;
	stage.programs = argv[1];
	return cmocka_run_group_tests_name("rig/issue_loss", tests, NULL, NULL);
}
