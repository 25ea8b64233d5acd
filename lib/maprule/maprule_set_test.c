#include "maprule/maprule_set.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdio.h>
#include <string.h>

#define MANY 3000

static void
texts_keep_their_first_number(void **state)
{
	struct maprule_set s;
	struct fault f = { 0 };
	char text[16];
	uint32_t n = 0;

	(void)state;
	maprule_set_init(&s);
	assert_false(maprule_set_find(&s, "a", 1, &n));
	for (uint32_t i = 0; i < MANY; i++) {
		(void)snprintf(text, sizeof(text), "n%u", i);
		assert_int_equal(maprule_set_put(&s, text, strlen(text), i, &f),
		    0);
		assert_int_equal(maprule_set_put(&s, text, strlen(text), 9, &f),
		    0);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		(void)snprintf(text, sizeof(text), "n%u", i);
		assert_true(maprule_set_find(&s, text, strlen(text), &n));
		assert_int_equal(n, i);
		assert_false(maprule_set_find(&s, text, strlen(text) - 1, &n) &&
		    n == i);
	}
	maprule_set_free(&s);
}

static bool
has(const struct maprule_claims *c, uint64_t hash, uint32_t person)
{
	size_t at = 0;
	uint32_t found;

	while (maprule_claims_next(c, hash, &at, &found))
		if (found == person)
			return true;
	return false;
}

/* Hashes that fall together on purpose, so that gaps are closed over them. */
static void
claims_come_and_go(void **state)
{
	struct maprule_claims c;
	struct fault f = { 0 };

	(void)state;
	maprule_claims_init(&c);
	assert_false(has(&c, 1, 1));
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(maprule_claims_put(&c, i % 97, i, &f), 0);
	for (uint32_t i = 0; i < MANY; i += 3)
		maprule_claims_drop(&c, i % 97, i);
	maprule_claims_drop(&c, 12345, 1);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(has(&c, i % 97, i), i % 3 != 0);
	assert_int_equal(c.count, MANY - (MANY + 2) / 3);
	maprule_claims_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_keep_their_first_number),
		cmocka_unit_test(claims_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
