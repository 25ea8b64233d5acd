#include "ledger/ledger_exposed.h"

#include "ledger/ledger_unit.h"

static const char key[] = "0123456789abcdef";
static const struct wire_bytes spki = { (const uint8_t *)key, sizeof(key) - 1 };

/* A certificate with ${key} in it. */
static struct serial
issue_for_key(struct ledger *l)
{
	struct fault f = { 0 };
	struct serial serial;
	OWN_BUF(der, 2000);
	size_t certificate, tbs, version;

	begin(l);
	serial = reserve(l, "services", &a_range);
	certificate = der_open(&der, DER_SEQUENCE);
	tbs = der_open(&der, DER_SEQUENCE);
	version = der_open(&der, DER_CONTEXT_C(0));
	der_put_u64(&der, 2);
	der_close(&der, version);
	der_put_positive(&der, serial.data, serial.len);
	buf_put(&der, key, sizeof(key) - 1);
	der_close(&der, tbs);
	der_close(&der, certificate);
	if (ledger_commit(l, "services", bytes(&serial),
		(struct wire_bytes){ der.data, der.len }, &f) < 0)
		fail_msg("%s", f.text);
	end(l);
	return serial;
}

static void
revoke_for(struct ledger *l, const struct serial *serial, int reason)
{
	struct fault f = { 0 };

	begin(l);
	if (ledger_revoke(l, "services", bytes(serial), reason, "sue", 1, &f) <
	    0)
		fail_msg("%s", f.text);
	end(l);
}

static void
a_key_that_others_know_is_refused_and_no_other(void **state)
{
	OWN_STRUCT(ledger) l = opened(*state);
	OWN_STRUCT(ledger) reader = NULL;
	const struct wire_bytes other = { (const uint8_t *)"fedcba", 6 };
	const struct wire_bytes none = { NULL, 0 };
	struct serial first = issue_for_key(l), second = issue_for_key(l);
	struct fault f = { 0 };

	assert_int_equal(ledger_key_refuse(l, spki, &f), 0);
	revoke_for(l, &first, 4);
	assert_int_equal(ledger_key_refuse(l, spki, &f), 0);
	revoke_for(l, &second, 1);
	assert_int_equal(ledger_key_refuse(l, spki, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_non_null(strstr(f.text, "of services"));
	assert_int_equal(ledger_key_refuse(l, other, &f), 0);
	assert_int_equal(ledger_key_refuse(l, none, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	reader = ledger_open_read(((const struct place *)*state)->path, &f);
	assert_non_null(reader);
	assert_int_equal(ledger_key_refuse(reader, spki, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_PLACE(a_key_that_others_know_is_refused_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
