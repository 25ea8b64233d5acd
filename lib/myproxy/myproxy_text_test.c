#include "myproxy/myproxy_text.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

#define A_REQUEST                                        \
	"VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=alice\n" \
	"PASSPHRASE=secret123\nLIFETIME=43200\n"

/* Read from memory that ends where the text does, so ASan sees a slip. */
static int
read_len(struct myproxy_request *r, const char *text, size_t len,
    struct fault *f)
{
	char *exact = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(exact);
	memcpy(exact, text, len);
	result = myproxy_request_read(r, exact, len, f);
	free(exact);
	return result;
}

static int
read_text(struct myproxy_request *r, const char *text, struct fault *f)
{
	return read_len(r, text, strlen(text), f);
}

static void
refused(const char *text, const char *why)
{
	struct fault f = { 0 };
	struct myproxy_request r;

	assert_int_equal(read_text(&r, text, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_string_equal(f.text, why);
	assert_string_equal(r.passphrase, "");
}

static void
a_request_is_read(void **state)
{
	struct fault f = { 0 };
	struct myproxy_request r;

	(void)state;
	assert_int_equal(read_text(&r,
			     A_REQUEST "CRED_NAME=robot\nTRUSTED_CERTS=1\n",
			     &f),
	    0);
	assert_int_equal(r.command, MYPROXY_GET);
	assert_string_equal(r.username, "alice");
	assert_string_equal(r.passphrase, "secret123");
	assert_string_equal(r.cred_name, "robot");
	assert_int_equal(r.lifetime, 43200);
	assert_true(r.trusted_certs);
}

static void
order_unknown_lines_blanks_and_the_last_newline_do_not_matter(void **state)
{
	struct fault f = { 0 };
	struct myproxy_request r;

	(void)state;
	assert_int_equal(read_text(&r,
			     "LIFETIME=0x10\nFAVOURITE=blue\nnonsense\n\n"
			     "PASSPHRASE=\n COMMAND=07\nVONAME=a\nVONAME=b\n"
			     "USERNAME=\nVERSION=MYPROXYv2",
			     &f),
	    0);
	assert_int_equal(r.command, MYPROXY_GET_TRUSTROOTS);
	assert_int_equal(r.lifetime, 16);
	assert_false(r.trusted_certs);
}

static void
a_pass_phrase_may_hold_what_looks_like_a_field(void **state)
{
	struct fault f = { 0 };
	struct myproxy_request r;

	(void)state;
	assert_int_equal(read_text(&r,
			     "VERSION=MYPROXYv2\nCOMMAND=0\n"
			     "USERNAME=CRED_NAME=x\n"
			     "PASSPHRASE= LIFETIME=1=\t \nLIFETIME=5\n",
			     &f),
	    0);
	assert_string_equal(r.username, "CRED_NAME=x");
	assert_string_equal(r.passphrase, " LIFETIME=1=\t ");
	assert_string_equal(r.cred_name, "");
	assert_int_equal(r.lifetime, 5);
}

static void
names_that_end_alike_are_told_apart(void **state)
{
	struct fault f = { 0 };
	struct myproxy_request r;

	(void)state;
	assert_int_equal(read_text(&r,
			     A_REQUEST "RETRIEVER=a\nCRED_RETRIEVER=b\n"
				       "NAME=n\nXUSERNAME=mallory\n",
			     &f),
	    0);
	assert_string_equal(r.username, "alice");
	assert_string_equal(r.cred_name, "");
}

static void
every_field_that_must_be_there_must_be_there(void **state)
{
	static const char *const lines[] = { "VERSION=MYPROXYv2\n",
		"COMMAND=0\n", "USERNAME=alice\n", "PASSPHRASE=\n",
		"LIFETIME=0\n" };

	(void)state;
	for (size_t left_out = 0; left_out < 5; left_out++) {
		OWN_BUF(text, 512);

		for (size_t i = 0; i < 5; i++)
			if (i != left_out)
				buf_text(&text, lines[i]);
		refused(buf_cstr(&text), "error parsing request");
		assert_false(myproxy_request_whole((const char *)text.data,
		    text.len));
		buf_text(&text, lines[left_out]);
		assert_true(myproxy_request_whole((const char *)text.data,
		    text.len));
	}
}

static void
a_field_given_twice_is_refused(void **state)
{
	(void)state;
	refused(A_REQUEST "USERNAME=bob\n", "error parsing request");
	refused(A_REQUEST "LIFETIME=43200\n", "error parsing request");
	refused(A_REQUEST "NEW_PHRASE=a\nNEW_PHRASE=a\n",
	    "error parsing request");
}

static void
carriage_returns_and_nuls_are_refused(void **state)
{
	static const char hidden[] = A_REQUEST "CRED_NAME=a\0b\n";
	struct fault f = { 0 };
	struct myproxy_request r;

	(void)state;
	refused("VERSION=MYPROXYv2\r\nCOMMAND=0\r\nUSERNAME=alice\r\n"
		"PASSPHRASE=secret123\r\nLIFETIME=43200\r\n",
	    "error parsing request");
	refused(A_REQUEST "CRED_NAME=a\r\n", "error parsing request");
	assert_int_equal(read_len(&r, hidden, sizeof(hidden) - 1, &f), -1);
}

static void
numbers_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "", "12h", " ", "1 ", "0x", "-",
		"99999999999999999999", "000000000000000000000000000000001" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[256];

		assert_int_equal(text_fmt(text, sizeof(text),
				     "VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME="
				     "a\n"
				     "PASSPHRASE=\nLIFETIME=%s\n",
				     bad[i]),
		    0);
		refused(text, "error parsing request");
	}
}

static void
a_negative_lifetime_counts_as_none(void **state)
{
	struct fault f = { 0 };
	struct myproxy_request r;

	(void)state;
	assert_int_equal(read_text(&r,
			     "VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=a\n"
			     "PASSPHRASE=\nLIFETIME=-5\n",
			     &f),
	    0);
	assert_int_equal(r.lifetime, 0);
}

static void
what_is_wrong_is_said_as_the_stock_server_says_it(void **state)
{
	(void)state;
	refused("", "error parsing request");
	refused("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "error parsing request");
	refused("VERSION=MYPROXYv3\nCOMMAND=0\nUSERNAME=a\nPASSPHRASE=\n"
		"LIFETIME=0\n",
	    "Invalid version number received.");
	refused("VERSION=MYPROXYv2\nCOMMAND=8\nUSERNAME=a\nPASSPHRASE=\n"
		"LIFETIME=0\n",
	    "UNKNOWN command in request.");
	refused("VERSION=MYPROXYv2\nCOMMAND=-1\nUSERNAME=a\nPASSPHRASE=\n"
		"LIFETIME=0\n",
	    "UNKNOWN command in request.");
	refused("VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=\nPASSPHRASE=\n"
		"LIFETIME=0\n",
	    "Invalid username received.");
	refused("VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=a\tb\nPASSPHRASE=\n"
		"LIFETIME=0\n",
	    "Invalid username received.");
	refused("VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=\xff\nPASSPHRASE=\n"
		"LIFETIME=0\n",
	    "Invalid username received.");
}

static void
values_may_fill_their_fields_and_no_more(void **state)
{
	struct fault f = { 0 };
	struct myproxy_request r;
	char longest[1026];

	(void)state;
	memset(longest, 'p', sizeof(longest));
	for (size_t len = 1024; len <= 1025; len++) {
		OWN_BUF(text, 4096);

		buf_text(&text,
		    "VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=a\n"
		    "LIFETIME=0\nPASSPHRASE=");
		buf_put(&text, longest, len);
		assert_int_equal(read_len(&r, (const char *)text.data, text.len,
				     &f),
		    len == 1024 ? 0 : -1);
	}
	longest[256] = '\0';
	for (size_t len = 256; len >= 255; len--) {
		OWN_BUF(text, 4096);

		longest[len] = '\0';
		buf_fmt(&text,
		    "VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=%s\n"
		    "LIFETIME=0\nPASSPHRASE=",
		    longest);
		assert_int_equal(read_len(&r, (const char *)text.data, text.len,
				     &f),
		    len == 255 ? 0 : -1);
	}
}

static void
a_request_is_written_as_the_stock_client_writes_it(void **state)
{
	struct fault f = { 0 };
	struct myproxy_request r = { .command = MYPROXY_GET,
		.username = "alice",
		.passphrase = "secret123",
		.lifetime = 43200 };
	OWN_BUF(out, 4096);

	(void)state;
	assert_int_equal(myproxy_request_write(&r, &out, &f), 0);
	assert_int_equal(out.len, sizeof(A_REQUEST));
	assert_memory_equal(out.data, A_REQUEST, sizeof(A_REQUEST));
}

static void
a_line_break_cannot_be_smuggled_into_a_request(void **state)
{
	struct fault f = { 0 };
	struct myproxy_request r = { .username = "alice\nUSERNAME=root" };
	OWN_BUF(out, 4096);

	(void)state;
	assert_int_equal(myproxy_request_write(&r, &out, &f), -1);
	assert_int_equal(out.len, 0);
	memcpy(r.username, "alice", sizeof("alice"));
	memcpy(r.passphrase, "a\r", sizeof("a\r"));
	assert_int_equal(myproxy_request_write(&r, &out, &f), -1);
}

static int
answer_read(struct myproxy_response *r, const char *text, size_t len,
    struct fault *f)
{
	char *exact = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(exact);
	memcpy(exact, text, len);
	result = myproxy_response_read(r, exact, len, f);
	free(exact);
	return result;
}

static void
answers_survive_the_journey(void **state)
{
	struct fault f = { 0 };
	struct myproxy_response r;
	OWN_BUF(out, 4096);

	(void)state;
	myproxy_write_ok_lines(&out, "A=1\nB=2\n", 8);
	assert_int_equal(answer_read(&r, (char *)out.data, out.len - 1, &f), 0);
	assert_int_equal(r.answer, MYPROXY_OK);
	assert_string_equal(buf_cstr(&r.rest), "A=1\nB=2\n");
	myproxy_response_clear(&r);

	buf_clear(&out);
	myproxy_write_error(&out, "one\ntwo");
	assert_string_equal((char *)out.data,
	    "VERSION=MYPROXYv2\nRESPONSE=1\nERROR=one\nERROR=two\n");
	assert_int_equal(answer_read(&r, (char *)out.data, out.len - 1, &f), 0);
	assert_int_equal(r.answer, MYPROXY_ERROR);
	assert_string_equal(buf_cstr(&r.error), "one\ntwo");
	myproxy_response_clear(&r);

	buf_clear(&out);
	myproxy_write_offer_begin(&out);
	myproxy_write_offer(&out, MYPROXY_METHOD_X509_SHA256, "00ff");
	myproxy_write_offer(&out, MYPROXY_METHOD_SASL, "a:b");
	myproxy_write_offer_end(&out);
	assert_int_equal(answer_read(&r, (char *)out.data, out.len - 1, &f), 0);
	assert_int_equal(r.answer, MYPROXY_AUTHORIZATION);
	assert_int_equal(r.offer_count, 2);
	assert_int_equal(r.offer[0].method, MYPROXY_METHOD_X509_SHA256);
	assert_string_equal(buf_cstr(&r.offer[0].data), "00ff");
	assert_int_equal(r.offer[1].method, MYPROXY_METHOD_SASL);
	assert_string_equal(buf_cstr(&r.offer[1].data), "a:b");
	myproxy_response_clear(&r);
}

static void
a_server_cannot_move_the_cursor(void **state)
{
	static const char text[] =
	    "VERSION=MYPROXYv2\nRESPONSE=1\nERROR=\x1b[2Jgone\x7f\n";
	struct fault f = { 0 };
	struct myproxy_response r;

	(void)state;
	assert_int_equal(answer_read(&r, text, sizeof(text) - 1, &f), 0);
	assert_string_equal(buf_cstr(&r.error), "?[2Jgone?");
	myproxy_response_clear(&r);
}

static void
eight_bit_controls_are_not_shown_either(void **state)
{
	static const struct {
		const char *sent, *shown;
	} lines[] = {
		{ "J\303\266rg \342\202\254", "J\303\266rg \342\202\254" },
		{ "\302\23331m", "??31m" }, /* CSI as U+009B */
		{ "\23331m", "?31m" },	    /* and as a byte */
		{ "\300\257\377", "???" },
		{ "cut \342\202", "cut ??" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		OWN_BUF(text, 256);
		struct myproxy_response r;
		struct fault f = { 0 };

		buf_fmt(&text, "VERSION=MYPROXYv2\nRESPONSE=1\nERROR=%s\n",
		    lines[i].sent);
		assert_int_equal(myproxy_response_read(&r,
				     (const char *)text.data, text.len, &f),
		    0);
		assert_string_equal(buf_cstr(&r.error), lines[i].shown);
		myproxy_response_clear(&r);
	}
}

static void
answers_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "", "VERSION=MYPROXYv2\n",
		"RESPONSE=0\n", "VERSION=MYPROXYv1\nRESPONSE=0\n",
		"VERSION=MYPROXYv2\nRESPONSE=3\n",
		"VERSION=MYPROXYv2\nRESPONSE=\n",
		"VERSION=MYPROXYv2\nRESPONSE=2\nAUTHORIZATION_DATA=SASL\n",
		"VERSION=MYPROXYv2\nRESPONSE=2\n"
		"AUTHORIZATION_DATA=SASL:\nAUTHORIZATION_DATA=SASL:\n"
		"AUTHORIZATION_DATA=SASL:\nAUTHORIZATION_DATA=SASL:\n"
		"AUTHORIZATION_DATA=SASL:\n",
		"HTTP/1.1 400 Bad Request\r\n\r\n" };
	struct myproxy_response r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(answer_read(&r, bad[i], strlen(bad[i]), &f),
		    -1);
		assert_int_equal(f.code, FAULT_INPUT);
		myproxy_response_clear(&r);
	}
}

static void
methods_nobody_knows_are_passed_over(void **state)
{
	static const char text[] =
	    "VERSION=MYPROXYv2\nRESPONSE=2\nAUTHORIZATION_DATA=magic:x\n"
	    "AUTHORIZATION_DATA=password:Enter MyProxy pass phrase:\n";
	struct fault f = { 0 };
	struct myproxy_response r;

	(void)state;
	assert_int_equal(answer_read(&r, text, sizeof(text) - 1, &f), 0);
	assert_int_equal(r.offer_count, 1);
	assert_int_equal(r.offer[0].method, MYPROXY_METHOD_PASSWORD);
	myproxy_response_clear(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(
		    order_unknown_lines_blanks_and_the_last_newline_do_not_matter),
		cmocka_unit_test(
		    a_pass_phrase_may_hold_what_looks_like_a_field),
		cmocka_unit_test(names_that_end_alike_are_told_apart),
		cmocka_unit_test(every_field_that_must_be_there_must_be_there),
		cmocka_unit_test(a_field_given_twice_is_refused),
		cmocka_unit_test(carriage_returns_and_nuls_are_refused),
		cmocka_unit_test(numbers_that_are_none_are_refused),
		cmocka_unit_test(a_negative_lifetime_counts_as_none),
		cmocka_unit_test(
		    what_is_wrong_is_said_as_the_stock_server_says_it),
		cmocka_unit_test(values_may_fill_their_fields_and_no_more),
		cmocka_unit_test(
		    a_request_is_written_as_the_stock_client_writes_it),
		cmocka_unit_test(
		    a_line_break_cannot_be_smuggled_into_a_request),
		cmocka_unit_test(answers_survive_the_journey),
		cmocka_unit_test(a_server_cannot_move_the_cursor),
		cmocka_unit_test(eight_bit_controls_are_not_shown_either),
		cmocka_unit_test(answers_that_are_none_are_refused),
		cmocka_unit_test(methods_nobody_knows_are_passed_over),
	};

	return cmocka_run_group_tests_name("myproxy/myproxy_text", tests, NULL,
	    NULL);
}
