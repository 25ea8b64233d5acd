#include "ledger/checkpoint.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static struct log_key *
a_key(void)
{
	struct fault f = { 0 };
	struct log_key *key = log_key_make("signet/uwm-1", &f);

	if (key == NULL)
		fail_msg("%s", f.text);
	return key;
}

static const struct ledger_head a_head = { 1207, { 1, 2, 3 } };

/* The code that reading ${text} fails with, FAULT_NONE if it does not. */
static enum fault_code
try(const char *text, size_t len, const struct log_pub *pub)
{
	uint8_t *exact = malloc(len + 1);
	struct fault f = { 0 };
	struct checkpoint c;
	int result;

	assert_non_null(exact);
	memcpy(exact, text, len);
	result =
	    checkpoint_read((struct wire_bytes){ exact, len }, pub, &c, &f);
	free(exact);
	assert_int_equal(result, f.code == FAULT_NONE ? 0 : -1);
	return f.code;
}

static void
what_is_signed_is_read_and_no_change_of_it(void **state)
{
	OWN_STRUCT(log_key) key = a_key();
	OWN_STRUCT(log_key) other = a_key();
	struct checkpoint c;
	struct fault f = { 0 };
	OWN_BUF(out, CHECKPOINT_MAX);

	(void)state;
	assert_int_equal(checkpoint_write(&a_head, key, &out, &f), 0);
	assert_int_equal(checkpoint_read((struct wire_bytes){ out.data,
					     out.len },
			     log_key_pub(key), &c, &f),
	    0);
	assert_string_equal(c.origin, log_key_pub(key)->name);
	assert_memory_equal(&c.head, &a_head, sizeof(a_head));
	assert_int_equal(try((char *)out.data, out.len, log_key_pub(other)),
	    FAULT_UNTRUSTED);
	for (size_t i = 0; i < out.len; i++) {
		out.data[i] ^= 4;
		assert_int_not_equal(try((char *)out.data, out.len,
					 log_key_pub(key)),
		    FAULT_NONE);
		out.data[i] ^= 4;
	}
	for (size_t i = 0; i < out.len; i++)
		assert_int_not_equal(try((char *)out.data, i, log_key_pub(key)),
		    FAULT_NONE);
}

static void
signatures_of_others_are_passed_over(void **state)
{
	OWN_STRUCT(log_key) key = a_key();
	struct fault f = { 0 };
	OWN_BUF(out, CHECKPOINT_MAX);

	(void)state;
	assert_int_equal(checkpoint_write(&a_head, key, &out, &f), 0);
	buf_text(&out, "\xe2\x80\x94 witness.example AAAAAAAA\n");
	assert_int_equal(try((char *)out.data, out.len, log_key_pub(key)),
	    FAULT_NONE);
	for (int i = 0; i < CHECKPOINT_SIGNATURES; i++)
		buf_text(&out, "\xe2\x80\x94 witness.example AAAAAAAA\n");
	assert_int_equal(try((char *)out.data, out.len, log_key_pub(key)),
	    FAULT_INPUT);
}

static void
malformed_heads_are_refused(void **state)
{
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define BY "\n\xe2\x80\x94 a AAAAAAAA\n"
	static const char *const bad[] = {
		"",
		"\n",
		"a\n",
		"a\n5\n",
		"a\n5\n" ROOT,
		"a\n5\n" ROOT "\n",
		"a b\n5\n" ROOT BY,
		"a+b\n5\n" ROOT BY,
		"\n5\n" ROOT BY,
		"a\n05\n" ROOT BY,
		"a\n+5\n" ROOT BY,
		"a\n-5\n" ROOT BY,
		"a\n \n" ROOT BY,
		"a\n99999999999999999999\n" ROOT BY,
		"a\n5\nAAAA\n" BY,
		"a\n5\n" ROOT "more\n" BY,
		"a\n5\n" ROOT "\n- a AAAAAAAA\n",
		"a\n5\n" ROOT "\n\xe2\x80\x94 a AAAA\n",
		"a\n5\n" ROOT "\n\xe2\x80\x94 a AAAAAAAA",
		"a\n5\n" ROOT "\n\xe2\x80\x94  AAAAAAAA\n",
		"a\n5\n" ROOT "\n\xe2\x80\x94 a+b AAAAAAAA\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(try(bad[i], strlen(bad[i]), NULL),
		    FAULT_INPUT);
	assert_int_equal(try("a\n5\n" ROOT BY, strlen("a\n5\n" ROOT BY), NULL),
	    FAULT_NONE);
	assert_int_equal(try("a\0b\n5\n" ROOT BY, 4 + strlen("5\n" ROOT BY),
			     NULL),
	    FAULT_INPUT);
}

static void
keys_are_written_and_read(void **state)
{
	OWN_STRUCT(log_key) key = a_key();
	OWN_STRUCT(log_key) again = NULL;
	OWN_STRUCT(log_key) nameless = NULL;
	struct fault f = { 0 };
	struct log_pub pub;
	const char *pem;
	OWN_BUF(private, LOG_FILE_MAX);
	OWN_BUF(public, LOG_FILE_MAX);

	(void)state;
	assert_int_equal(log_key_write(key, &private, &f), 0);
	again = log_key_read(private.data, private.len, "other", &f);
	assert_non_null(again);
	assert_memory_equal(log_key_pub(again), log_key_pub(key), sizeof(pub));
	pem = strstr(buf_cstr(&private), "-----BEGIN");
	assert_non_null(pem);
	nameless = log_key_read(pem, strlen(pem), "signet/uwm-1", &f);
	assert_non_null(nameless);
	assert_memory_equal(log_key_pub(nameless), log_key_pub(key),
	    sizeof(pub));
	assert_null(log_key_read(pem, 40, "signet", &f));
	assert_int_equal(f.code, FAULT_KEY);
	assert_int_equal(log_pub_write(log_key_pub(key), &public, &f), 0);
	assert_int_equal(log_pub_read(public.data, public.len, &pub, &f), 0);
	assert_memory_equal(&pub, log_key_pub(key), sizeof(pub));
	for (size_t i = 0; i < public.len - 1; i++) {
		public.data[i] ^= 1;
		if (log_pub_read(public.data, public.len, &pub, &f) == 0)
			fail_msg("octet %zu", i);
		public.data[i] ^= 1;
	}
	for (size_t i = 0; i < public.len - 1; i++)
		assert_int_equal(log_pub_read(public.data, i, &pub, &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_read_and_no_change_of_it),
		cmocka_unit_test(signatures_of_others_are_passed_over),
		cmocka_unit_test(malformed_heads_are_refused),
		cmocka_unit_test(keys_are_written_and_read),
	};

	return cmocka_run_group_tests_name("ledger/checkpoint", tests, NULL,
	    NULL);
}
