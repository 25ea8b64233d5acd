#include "holding.h"

#include "trust/pki_probe.h"
#include "trust/verify.h"

#include <sys/stat.h>

#include <unistd.h>

static struct pki pki;
static char path[PATH_MAX];

static int
set_up(void **state)
{
	(void)state;
	pki_init(&pki);
	pki_make(&pki);
	pki_dir(&pki);
	(void)snprintf(path, sizeof(path), "%s/proxy", pki.dir);
	(void)setenv("KRB5CCNAME", "FILE:/nonexistent/cache", 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pki_remove(pki.dir);
	for (int i = 0; i < PKI_COUNT; i++) {
		EVP_PKEY_free(pki.key[i]);
		X509_free(pki.cert[i]);
	}
	return 0;
}

/* A proxy file, with or without its key. */
static void
put_proxy(bool key)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_int_equal(fchmod(fileno(out), 0600), 0);
	assert_int_equal(PEM_write_X509(out, pki.cert[PROXY]), 1);
	if (key)
		assert_int_equal(PEM_write_PrivateKey(out, pki.key[PROXY], NULL,
				     NULL, 0, NULL, NULL),
		    1);
	assert_int_equal(PEM_write_X509(out, pki.cert[EEC]), 1);
	assert_int_equal(PEM_write_X509(out, pki.cert[SUB]), 1);
	assert_int_equal(fclose(out), 0);
}

static void
state_is(time_t now, enum holding_state wanted, enum fault_code code)
{
	struct holding_credential h;

	holding_proxy(&h, path, now);
	assert_int_equal(h.state, wanted);
	if (code != FAULT_NONE)
		assert_int_equal(h.why.code, code);
	assert_string_equal(h.path, path);
	assert_int_equal(h.verdict, HOLDING_UNKNOWN);
	assert_int_equal(h.credential.chain.count > 0,
	    wanted == HOLDING_GOOD || wanted == HOLDING_EXPIRED);
	holding_clear(&h);
}

static void
a_proxy_is_good_until_its_last_second(void **state)
{
	const time_t end = PKI_NOW + 2 * PKI_DAY;

	(void)state;
	put_proxy(true);
	state_is(PKI_NOW, HOLDING_GOOD, FAULT_NONE);
	state_is(end - 1, HOLDING_GOOD, FAULT_NONE);
	state_is(end, HOLDING_EXPIRED, FAULT_NONE);
	state_is(end + 1, HOLDING_EXPIRED, FAULT_NONE);
}

static void
what_is_no_proxy_says_why(void **state)
{
	FILE *out;

	(void)state;
	put_proxy(false);
	state_is(PKI_NOW, HOLDING_BAD, FAULT_INPUT);
	put_proxy(true);
	assert_int_equal(chmod(path, 0640), 0);
	state_is(PKI_NOW, HOLDING_BAD, FAULT_DENIED);
	assert_int_equal(chmod(path, 0600), 0);
	assert_non_null(out = fopen(path, "we"));
	assert_true(fputs("junk\n", out) >= 0);
	assert_int_equal(fclose(out), 0);
	state_is(PKI_NOW, HOLDING_BAD, FAULT_INPUT);
	assert_int_equal(unlink(path), 0);
	state_is(PKI_NOW, HOLDING_NONE, FAULT_ABSENT);
}

static void
verdict_is(const struct trust_store *store, time_t now,
    enum holding_verdict wanted, const char *reason)
{
	const struct fault why = { .code = FAULT_UNTRUSTED,
		.text = "no directory" };
	struct holding_credential h;

	holding_proxy(&h, path, now);
	holding_judge(&h, store, &why, now);
	assert_int_equal(h.verdict, wanted);
	if (reason != NULL && strstr(h.refusal.text, reason) == NULL)
		fail_msg("%s", h.refusal.text);
	holding_clear(&h);
}

static void
the_verdict_is_the_verifiers(void **state)
{
	struct fault f;
	OWN_STRUCT(trust_store)
	store = trust_load(pki.dir, false, NULL, NULL, &f);

	(void)state;
	assert_non_null(store);
	put_proxy(true);
	verdict_is(store, PKI_NOW, HOLDING_ACCEPTED, NULL);
	verdict_is(store, PKI_NOW + 3 * PKI_DAY, HOLDING_REFUSED, "expired");
	verdict_is(NULL, PKI_NOW, HOLDING_UNKNOWN, "no directory");
	pki_policy(&pki, pki.cert[SUB], "/DC=elsewhere/*");
	{
		OWN_STRUCT(trust_store)
		stricter = trust_load(pki.dir, false, NULL, NULL, &f);

		assert_non_null(stricter);
		verdict_is(stricter, PKI_NOW, HOLDING_REFUSED,
		    "signing policy");
	}
	assert_int_equal(unlink(path), 0);
	verdict_is(store, PKI_NOW, HOLDING_UNKNOWN, NULL);
}

static void
without_a_cache_there_is_no_ticket(void **state)
{
	struct holding_ticket t;

	(void)state;
	holding_ticket(&t, PKI_NOW);
	assert_int_equal(t.state, HOLDING_NONE);
	assert_string_equal(t.ticket.principal, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proxy_is_good_until_its_last_second),
		cmocka_unit_test(what_is_no_proxy_says_why),
		cmocka_unit_test(the_verdict_is_the_verifiers),
		cmocka_unit_test(without_a_cache_there_is_no_ticket),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
