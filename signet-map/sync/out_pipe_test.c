#include "out_pipe.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 50000

struct taker {
	size_t count;
	size_t fails_at;
};

static int
take(void *arg, const struct maprule_line *line, struct fault *f)
{
	struct taker *t = arg;
	char name[64];

	if (t->count == t->fails_at)
		return fault_set(f, FAULT_DENIED, "no more");
	snprintf(name, sizeof(name), "/CN=%zu", t->count++);
	/* In their order, and whole. */
	if (strcmp(line->name, name) != 0 ||
	    strcmp(line->accounts, "a,b") != 0 || strcmp(line->rule, "") != 0 ||
	    strcmp(line->source, "ligo") != 0 ||
	    strcmp(line->entry, "uid=x") != 0 ||
	    strcmp(line->principal, "x@Y") != 0)
		return fault_set(f, FAULT_INTERNAL, "another line");
	return 0;
}

/* Put so many; how many were taken on. */
static size_t
put(struct out_pipe *p, size_t count)
{
	char name[64];
	struct maprule_line line = { name, "a,b", "", "ligo", "uid=x", "x@Y" };
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "/CN=%zu", i);
		if (out_pipe_put(p, &line) < 0)
			break;
	}
	return i;
}

static void
what_is_put_in_comes_out_in_its_order(void **state)
{
	static const size_t counts[] = { 0, 1, 1000, 10 * MANY };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct taker t = { 0, SIZE_MAX };
		struct fault f = { 0 };
		struct out_pipe *p = out_pipe_new(take, &t, &f);

		assert_non_null(p);
		assert_int_equal(put(p, counts[i]), counts[i]);
		assert_int_equal(out_pipe_end(p, &f), 0);
		assert_int_equal(t.count, counts[i]);
	}
}

static void
who_fails_ends_it(void **state)
{
	static const size_t fails[] = { 0, 10, MANY, 3 * MANY };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct taker t = { 0, fails[i] };
		struct fault f = { 0 };
		struct out_pipe *p = out_pipe_new(take, &t, &f);

		assert_non_null(p);
		(void)put(p, 20 * MANY);
		assert_int_equal(out_pipe_end(p, &f), -1);
		assert_int_equal(f.code, FAULT_DENIED);
		assert_int_equal(t.count, fails[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_in_comes_out_in_its_order),
		cmocka_unit_test(who_fails_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
