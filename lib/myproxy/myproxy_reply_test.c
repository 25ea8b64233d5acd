#include "myproxy/myproxy_reply.h"

#include "base/buf.h"
#include "base/unit.h"
#include "myproxy/myproxy_reply_probe.h"

#include <stdlib.h>
#include <string.h>

#define OK "VERSION=MYPROXYv2\nRESPONSE=0\n"

static void
put(struct buf *b, uint8_t count, size_t certs)
{
	buf_put_u8(b, count);
	for (size_t i = 0; i < certs; i++)
		buf_put(b, probe_cert, sizeof(probe_cert));
}

/* Read the first ${len} bytes of ${b}, in memory of exactly that size. */
static int
read_cut(const struct buf *b, size_t len, size_t *used, size_t *count,
    struct fault *f)
{
	struct cert_list chain = { .count = 0 };
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, b->data, len);
	result = myproxy_reply_read(copy, len, used, &chain, f);
	*count = chain.count;
	cert_list_free(&chain);
	free(copy);
	return result;
}

static void
certificates_are_cut_by_their_lengths_not_by_what_is_in_them(void **state)
{
	OWN_BUF(b, 8192);
	size_t used = 0, count = 0;
	struct fault f;

	(void)state;
	put(&b, 2, 2);
	buf_put(&b, OK, sizeof(OK));
	assert_int_equal(read_cut(&b, b.len, &used, &count, &f), 1);
	assert_int_equal(count, 2);
	assert_int_equal(used, 1 + 2 * sizeof(probe_cert));
}

static void
a_message_cut_anywhere_waits_for_more(void **state)
{
	OWN_BUF(b, 8192);
	size_t used = 0, count = 0;
	struct fault f;

	(void)state;
	put(&b, 2, 2);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(read_cut(&b, len, &used, &count, &f), 0);
	assert_int_equal(read_cut(&b, b.len, &used, &count, &f), 1);
}

static void
wrong_counts_and_what_is_no_certificate_are_refused(void **state)
{
	static const uint8_t wrong[][8] = {
		{ 0, 0x30, 0x82, 0x01, 0x00 },	/* no certificate */
		{ 33, 0x30, 0x82, 0x01, 0x00 }, /* more than a list holds */
		{ 1, 0x31, 0x82, 0x01, 0x00 },	/* a SET */
		{ 1, 0x30, 0x80, 0x00, 0x00 },	/* indefinite length */
		{ 1, 0x30, 0x83, 0x7f, 0xff, 0xff }, /* larger than any */
		{ 1, 0x30, 0x01, 0x00 },	     /* an empty thought */
	};
	OWN_BUF(b, 8192);
	size_t used = 0, count = 0;
	struct fault f;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		buf_clear(&b);
		buf_put(&b, wrong[i], sizeof(wrong[i]));
		assert_int_equal(read_cut(&b, b.len, &used, &count, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

static void
a_text_message_is_told_from_86_certificates(void **state)
{
	static const uint8_t text[] = OK;
	static const uint8_t certs[] = { 'V', 0x30, 0x82 };

	(void)state;
	assert_true(myproxy_reply_is_text(text, sizeof(text)));
	assert_false(myproxy_reply_is_text(certs, sizeof(certs)));
	assert_false(myproxy_reply_is_text(text, 1));
}

static void
what_servers_say_becomes_the_kind_of_failure_it_is(void **state)
{
	static const struct {
		const char *words;
		enum fault_code code;
	} said[] = {
		{ "invalid password", FAULT_LOGIN },
		{ "PAM authentication failed: Authentication failure",
		    FAULT_LOGIN },
		{ "unknown username: nobody", FAULT_LOGIN },
		{ "\"<anonymous>\" not authorized by server's "
		  "authorized_retrievers policy",
		    FAULT_DENIED },
		{ "Certificate generation failure. ", FAULT_KEY },
		{ "the user name or the password is wrong (reference 1)",
		    FAULT_LOGIN },
		{ "the server is busy; try again in a moment", FAULT_BUSY },
		{ "something else", FAULT_FAILED },
		{ "", FAULT_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		assert_int_equal(myproxy_error_code(said[i].words),
		    said[i].code);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    certificates_are_cut_by_their_lengths_not_by_what_is_in_them),
		cmocka_unit_test(a_message_cut_anywhere_waits_for_more),
		cmocka_unit_test(
		    wrong_counts_and_what_is_no_certificate_are_refused),
		cmocka_unit_test(a_text_message_is_told_from_86_certificates),
		cmocka_unit_test(
		    what_servers_say_becomes_the_kind_of_failure_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
