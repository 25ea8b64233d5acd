#include "callout/callout_form.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t csr[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
static const uint8_t cert[] = { 0x30, 0x00 };

static struct callout_request
request(const char *username)
{
	struct callout_request r = { .lifetime = 43200,
		.csr = { csr, sizeof(csr) } };

	(void)strncpy(r.username, username, sizeof(r.username) - 1);
	return r;
}

/* The fault of reading ${len} bytes of ${data}, from memory of just that
 * size. */
static enum fault_code
read_request(const uint8_t *data, size_t len, struct callout_request *r)
{
	struct fault f = { 0 };
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, data, len);
	(void)(callout_request_read(r, copy, len, &f) == 0);
	r->csr = (struct wire_bytes){ NULL, r->csr.len };
	free(copy);
	return f.code;
}

static enum fault_code
read_answer(const uint8_t *data, size_t len)
{
	struct callout_answer a;
	struct fault f = { 0 };
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, data, len);
	(void)(callout_answer_read(&a, copy, len, &f) == 0);
	free(copy);
	return f.code;
}

static void
a_request_arrives_as_it_was_sent(void **state)
{
	const struct callout_request sent = request("ann@EXAMPLE.ORG");
	struct callout_request got;
	OWN_BUF(out, CALLOUT_REQUEST_MAX);

	(void)state;
	callout_request_write(&sent, &out);
	assert_false(out.failed);
	assert_int_equal(read_request(out.data, out.len, &got), FAULT_NONE);
	assert_string_equal(got.username, sent.username);
	assert_string_equal(got.profile, "");
	assert_int_equal(got.lifetime, 43200);
	assert_int_equal(got.csr.len, sizeof(csr));
}

static void
each_cut_and_each_excess_is_refused(void **state)
{
	const struct callout_request sent = request("ann");
	struct callout_request got;
	OWN_BUF(out, CALLOUT_REQUEST_MAX + 1);

	(void)state;
	callout_request_write(&sent, &out);
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(read_request(out.data, len, &got),
		    FAULT_INPUT);
	buf_put_u8(&out, 0);
	assert_int_equal(read_request(out.data, out.len, &got), FAULT_INPUT);
}

static void
a_name_is_not_empty_and_has_no_control_characters(void **state)
{
	const char *const names[] = { "", "a\nb", "a\x01", "\xff" };
	struct callout_request got;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct callout_request sent = request(names[i]);
		OWN_BUF(out, CALLOUT_REQUEST_MAX);

		callout_request_write(&sent, &out);
		assert_int_equal(read_request(out.data, out.len, &got),
		    FAULT_INPUT);
	}
}

static void
the_longest_of_all_fits(void **state)
{
	OWN_BUF(out, CALLOUT_REQUEST_MAX);
	OWN_BUF(answered, CALLOUT_ANSWER_MAX);
	uint8_t *big = calloc(1, CALLOUT_CHAIN_MAX);
	struct callout_request sent = { .csr = { big, CALLOUT_CSR_MAX } };
	const struct callout_answer answer = { .ref = "0123456789ab",
		.certificate = { big, CALLOUT_CERTIFICATE_MAX },
		.chain = { big, CALLOUT_CHAIN_MAX } };

	(void)state;
	memset(sent.username, 'a', sizeof(sent.username) - 1);
	memset(sent.profile, 'a', sizeof(sent.profile) - 1);
	callout_request_write(&sent, &out);
	assert_false(out.failed);
	callout_answer_write(&answer, &answered);
	assert_false(answered.failed);
	assert_int_equal(read_answer(answered.data, answered.len), FAULT_NONE);
	buf_clear(&out);
	sent.csr.len++;
	callout_request_write(&sent, &out);
	assert_true(out.failed);
	free(big);
}

static void
an_answer_says_yes_or_no_but_not_both(void **state)
{
	const struct wire_bytes some = { cert, sizeof(cert) };
	const struct {
		struct callout_answer answer;
		enum fault_code code;
	} cases[] = {
		{ { .ref = "0123456789ab", .certificate = some }, FAULT_NONE },
		{ { .certificate = some, .chain = some }, FAULT_NONE },
		{ { .fault = FAULT_SUSPENDED, .ref = "0123456789ab" },
		    FAULT_NONE },
		{ { .fault = FAULT_DENIED, .certificate = some }, FAULT_INPUT },
		{ { .fault = FAULT_DENIED, .chain = some }, FAULT_INPUT },
		{ { .ref = "0123456789ab" }, FAULT_INPUT },
		{ { .fault = FAULT_COUNT }, FAULT_INPUT },
		{ { .fault = FAULT_DENIED, .ref = "0123456789aB" },
		    FAULT_INPUT },
		{ { .fault = FAULT_DENIED, .ref = "01" }, FAULT_INPUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OWN_BUF(out, CALLOUT_ANSWER_MAX);

		callout_answer_write(&cases[i].answer, &out);
		assert_int_equal(read_answer(out.data, out.len), cases[i].code);
		assert_int_equal(read_answer(out.data, out.len - 1),
		    FAULT_INPUT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_arrives_as_it_was_sent),
		cmocka_unit_test(each_cut_and_each_excess_is_refused),
		cmocka_unit_test(
		    a_name_is_not_empty_and_has_no_control_characters),
		cmocka_unit_test(the_longest_of_all_fits),
		cmocka_unit_test(an_answer_says_yes_or_no_but_not_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
