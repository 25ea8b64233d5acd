#include "signetd/decided.h"

#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static void
what_was_decided_comes_back(void **state)
{
	const struct decided first = { 1, "ann" }, second = { 2, "bob" };
	OWN_BUF(b, 1024);
	struct wire_in in;
	struct decided d;

	(void)state;
	decided_put(&b, &first);
	decided_put(&b, &second);
	assert_false(b.failed);
	in = (struct wire_in){ .at = b.data, .left = b.len };
	assert_int_equal(decided_next(&in, &d), 1);
	assert_int_equal(d.verdict, 1);
	assert_string_equal(d.who, "ann");
	assert_int_equal(decided_next(&in, &d), 1);
	assert_string_equal(d.who, "bob");
	assert_int_equal(decided_next(&in, &d), 0);
}

/* From memory that ends where the bytes do, so that ASan sees a slip. */
static int
take(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct wire_in in = { .at = copy, .left = len };
	struct decided d;
	int result;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	result = decided_next(&in, &d);
	free(copy);
	return result;
}

static void
what_is_cut_or_says_nothing_is_refused(void **state)
{
	const struct decided one = { 1, "ann" };
	const uint8_t odd[] = { 4, 0, 0, 0, 1, 'a' };
	const uint8_t nobody[] = { 1, 0, 0, 0, 0 };
	OWN_BUF(b, 1024);

	(void)state;
	decided_put(&b, &one);
	for (size_t len = 1; len < b.len; len++)
		assert_int_equal(take(b.data, len), -1);
	assert_int_equal(take(odd, sizeof(odd)), -1);
	assert_int_equal(take(nobody, sizeof(nobody)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_decided_comes_back),
		cmocka_unit_test(what_is_cut_or_says_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
