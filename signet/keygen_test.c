#include "keygen.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/unit.h"
#include "x509/key.h"

#include <sys/wait.h>

#include <errno.h>

static void
no_child_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
keys_of_both_kinds_are_made_and_taken_once(void **state)
{
	static const struct {
		const char *what;
		enum key_kind kind;
		unsigned size;
	} kinds[] = { { "rsa:2048", KEY_RSA, 2048 },
		{ "ec:P-256", KEY_P256, 256 } };
	struct fault f;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		OWN_STRUCT(keygen) g = keygen_start(kinds[i].what, &f);
		OWN_STRUCT(key) key = NULL;

		assert_non_null(g);
		assert_non_null(key = keygen_take(g, &f));
		assert_int_equal(key_kind_of(key), kinds[i].kind);
		assert_int_equal(key_size(key), kinds[i].size);
		assert_null(keygen_take(g, &f));
		assert_int_equal(f.code, FAULT_INTERNAL);
	}
	no_child_is_left();
}

static void
two_keys_are_made_side_by_side_and_differ(void **state)
{
	struct fault f;
	OWN_STRUCT(keygen) one = keygen_start("rsa:2048", &f);
	OWN_STRUCT(keygen) two = keygen_start("rsa:2048", &f);
	OWN_STRUCT(key) a = keygen_take(one, &f);
	OWN_STRUCT(key) b = keygen_take(two, &f);
	uint8_t id[2][KEY_ID_SIZE];

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	spki_id(key_spki(a), id[0]);
	spki_id(key_spki(b), id[1]);
	assert_memory_not_equal(id[0], id[1], KEY_ID_SIZE);
}

static void
a_key_that_is_not_wanted_costs_no_waiting(void **state)
{
	struct fault f;
	struct keygen *g = keygen_start("rsa:4096", &f);
	int64_t began = clock_mono();

	(void)state;
	assert_non_null(g);
	keygen_free(g);
	assert_true(clock_mono() - began < 1000);
	no_child_is_left();
	keygen_free(NULL);
}

static void
what_is_no_kind_of_key_is_a_usage_error(void **state)
{
	struct fault f;
	OWN_STRUCT(keygen) bad = NULL;
	OWN_STRUCT(key) key = NULL;

	(void)state;
	assert_null(keygen_start("dsa:1024", &f));
	assert_int_equal(f.code, FAULT_USAGE);
	/* Whatever begins like an RSA key is refused when it is taken. */
	bad = keygen_start("rsa:17", &f);
	if (bad != NULL)
		assert_null(key = keygen_take(bad, &f));
	assert_int_equal(f.code, FAULT_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_both_kinds_are_made_and_taken_once),
		cmocka_unit_test(two_keys_are_made_side_by_side_and_differ),
		cmocka_unit_test(a_key_that_is_not_wanted_costs_no_waiting),
		cmocka_unit_test(what_is_no_kind_of_key_is_a_usage_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
