#include "server_ask.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

#define CSR                                     \
	"-----BEGIN CERTIFICATE REQUEST-----\n" \
	"MAMCAQA=\n"                            \
	"-----END CERTIFICATE REQUEST-----\n"
#define NEW_CSR                                     \
	"-----BEGIN NEW CERTIFICATE REQUEST-----\n" \
	"MAMCAQA=\n"                                \
	"-----END NEW CERTIFICATE REQUEST-----\n"

/* As a stock server writes it (facts: FEATURES 4). */
#define STOCK                                                            \
	"username=ann\npassphrase=sesame\nproxy_lifetime=43200\n"        \
	"retrievers=NULL\nrenewers=NULL\ncredname=NULL\ncreddesc=NULL\n" \
	"authzcreds=NULL\nkeyretrieve=NULL\ntrusted_retrievers=NULL\n"   \
	"max_cert_lifetime=3600\n\n" CSR

/* Read ${len} bytes from memory of just that size, which must be wiped. */
static enum fault_code
read_bytes(const void *data, size_t len, struct server_ask *ask)
{
	struct fault f = { 0 };
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, data, len);
	result = server_ask_read(ask, copy, len, &f);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(copy[i], 0);
	free(copy);
	buf_free(&ask->csr);
	assert_int_equal(result, f.code == FAULT_NONE ? 0 : -1);
	/* No fault quotes what may be a pass phrase. */
	assert_null(strstr(f.text, "sesame"));
	return f.code;
}

static enum fault_code
read_text(const char *text, struct server_ask *ask)
{
	return read_bytes(text, strlen(text), ask);
}

static void
what_a_stock_server_writes_is_understood(void **state)
{
	struct server_ask ask;
	struct fault f = { 0 };
	char text[] = STOCK;

	(void)state;
	assert_int_equal(server_ask_read(&ask, (uint8_t *)text, strlen(text),
			     &f),
	    0);
	assert_string_equal(ask.username, "ann");
	assert_string_equal(ask.profile, "");
	assert_int_equal(ask.lifetime, 3600);
	assert_int_equal(ask.csr.len, 5);
	assert_memory_equal(ask.csr.data, "\x30\x03\x02\x01\x00", 5);
	buf_free(&ask.csr);
}

static void
the_least_lifetime_counts_and_none_is_none(void **state)
{
	const struct {
		const char *lines;
		uint32_t lifetime;
	} cases[] = {
		{ "", 0 },
		{ "proxy_lifetime=NULL\nmax_cert_lifetime=NULL\n", 0 },
		{ "proxy_lifetime=0\nmax_cert_lifetime=0\n", 0 },
		{ "proxy_lifetime=60\nmax_cert_lifetime=0\n", 60 },
		{ "proxy_lifetime=0\nmax_cert_lifetime=60\n", 60 },
		{ "proxy_lifetime=59\nmax_cert_lifetime=60\n", 59 },
		{ "max_cert_lifetime=58\nproxy_lifetime=60\n", 58 },
		{ "proxy_lifetime=2147483647\n", INT32_MAX },
		{ "proxy_lifetime=4294967295\n", UINT32_MAX },
		{ "proxy_lifetime=4294967295\nmax_cert_lifetime=60\n", 60 },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct server_ask ask;

		(void)snprintf(text, sizeof(text), "username=ann\n%s\n%s",
		    cases[i].lines, CSR);
		assert_int_equal(read_text(text, &ask), FAULT_NONE);
		assert_int_equal(ask.lifetime, cases[i].lifetime);
	}
}

static void
what_is_wrong_is_refused(void **state)
{
	const char *const texts[] = {
		"",
		"\n" CSR,
		"username=NULL\n\n" CSR,
		"username=\n\n" CSR,
		"passphrase=sesame\n\n" CSR,
		"username=ann\n" CSR,
		"username=ann\n\n",
		"username=ann\n\nsesame\n",
		"username=ann\n\n" CSR CSR,
		"username=ann\n\n" CSR NEW_CSR,
		"username=ann\nusername=bob\n\n" CSR,
		"username=ann\nsesame\n\n" CSR,
		"username=a\x01n\n\n" CSR,
		"username=\xff\n\n" CSR,
		"username=ann\nproxy_lifetime=-1\n\n" CSR,
		"username=ann\nproxy_lifetime=\n\n" CSR,
		"username=ann\nproxy_lifetime=12h\n\n" CSR,
		"username=ann\nmax_cert_lifetime=4294967296\n\n" CSR,
		"username=ann\nmax_cert_lifetime=99999999999999999999\n\n" CSR,
		"username=ann\n\n-----BEGIN CERTIFICATE REQUEST-----\nMAMC\n",
		"username=ann\n\n-----BEGIN CERTIFICATE REQUEST-----\n"
		"-----END CERTIFICATE REQUEST-----\n",
		"username=ann\n\n-----BEGIN CERTIFICATE REQUEST-----\n!!!!\n"
		"-----END CERTIFICATE REQUEST-----\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct server_ask ask;

		if (read_text(texts[i], &ask) != FAULT_INPUT)
			fail_msg("taken: %s", texts[i]);
	}
}

static void
other_forms_of_the_same_are_taken(void **state)
{
	const char *const texts[] = {
		"username=ann\r\nproxy_lifetime=60\r\n\r\n" CSR,
		"future=1\n=\nusername=ann\n\nsome text\n" NEW_CSR "more\n",
		"passphrase=a=b=c\nusername=ann\ncredname=robot\n\n" CSR,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct server_ask ask;

		assert_int_equal(read_text(texts[i], &ask), FAULT_NONE);
		assert_string_equal(ask.username, "ann");
	}
}

/* ${count} bytes of chatter in the field ${key}. */
static enum fault_code
read_with(const char *key, size_t count, char what, struct server_ask *ask)
{
	OWN_BUF(text, SERVER_ASK_MAX);

	buf_fmt(&text, "%s=", key);
	for (size_t i = 0; i < count; i++)
		buf_put_u8(&text, (uint8_t)what);
	buf_text(&text, "\nusername=ann\n\n" CSR);
	assert_false(text.failed);
	return read_bytes(text.data, text.len, ask);
}

static void
fields_of_any_length_are_passed_over_but_ours_must_fit(void **state)
{
	struct server_ask ask;

	(void)state;
	assert_int_equal(read_with("retrievers", 20480, 'x', &ask), FAULT_NONE);
	assert_int_equal(read_with("passphrase", 20480, 'x', &ask), FAULT_NONE);
	assert_int_equal(read_with("chatter", 65536, '=', &ask), FAULT_NONE);
	assert_int_equal(read_with("chatter", 4, '\0', &ask), FAULT_INPUT);
	assert_int_equal(read_with("passphrase", 4, '\0', &ask), FAULT_INPUT);
	assert_int_equal(read_with("credname", 20480, 'x', &ask), FAULT_INPUT);
	assert_int_equal(read_with("credname", CALLOUT_PROFILE_SIZE - 1, 'x',
			     &ask),
	    FAULT_NONE);
	assert_int_equal(read_with("credname", CALLOUT_PROFILE_SIZE, 'x', &ask),
	    FAULT_INPUT);
	assert_int_equal(read_with("proxy_lifetime", 20480, '1', &ask),
	    FAULT_INPUT);
}

static void
each_cut_is_refused(void **state)
{
	static const char text[] = STOCK;
	struct server_ask ask;

	(void)state;
	/* The newline after the last line need not be there. */
	for (size_t len = 0; len < sizeof(text) - 2; len++)
		assert_int_equal(read_bytes(text, len, &ask), FAULT_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_stock_server_writes_is_understood),
		cmocka_unit_test(the_least_lifetime_counts_and_none_is_none),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(other_forms_of_the_same_are_taken),
		cmocka_unit_test(
		    fields_of_any_length_are_passed_over_but_ours_must_fit),
		cmocka_unit_test(each_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
