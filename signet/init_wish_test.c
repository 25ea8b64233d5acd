#include "init_wish.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing asked for. */
static struct init_options
nothing(void)
{
	return (struct init_options){ .valid = OPTION_UNSET,
		.hours = OPTION_UNSET,
		.bits = OPTION_UNSET,
		.path_length = OPTION_UNSET };
}

static int
read_wish(const struct init_options *o, struct proxy_wish *wish,
    struct fault *f)
{
	OWN_BUF(policy, 1024);

	memset(wish, 0, sizeof(*wish));
	return init_wish_read(o, true, wish, &policy, f);
}

static void
kind_is(struct init_options o, enum cert_kind kind)
{
	struct proxy_wish wish;
	struct fault f;

	assert_int_equal(read_wish(&o, &wish, &f), 0);
	assert_int_equal(wish.kind, kind);
}

#define WITH(...)                                  \
	({                                         \
		struct init_options o = nothing(); \
		__VA_ARGS__;                       \
		o;                                 \
	})

static void
kinds_and_generations_go_together(void **state)
{
	(void)state;
	kind_is(nothing(), CERT_PROXY_IMPERSONATION);
	kind_is(WITH(o.rfc = 1), CERT_PROXY_IMPERSONATION);
	kind_is(WITH(o.limited = 1), CERT_PROXY_LIMITED);
	kind_is(WITH(o.independent = 1), CERT_PROXY_INDEPENDENT);
	kind_is(WITH(o.policy_language = "1.2"), CERT_PROXY_RESTRICTED);
	kind_is(WITH(o.draft = 1), CERT_PROXY_DRAFT);
	kind_is(WITH(o.draft = 1, o.limited = 2), CERT_PROXY_DRAFT_LIMITED);
	kind_is(WITH(o.draft = 1, o.independent = 2),
	    CERT_PROXY_DRAFT_INDEPENDENT);
	kind_is(WITH(o.draft = 1, o.policy_language = "1.2"),
	    CERT_PROXY_DRAFT_RESTRICTED);
	kind_is(WITH(o.legacy = 1), CERT_PROXY_LEGACY);
	kind_is(WITH(o.legacy = 1, o.limited = 2), CERT_PROXY_LEGACY_LIMITED);
}

static void
refused(struct init_options o, const char *says)
{
	struct proxy_wish wish;
	struct fault f = { .code = FAULT_NONE };

	assert_int_equal(read_wish(&o, &wish, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
	if (strstr(f.text, says) != f.text)
		fail_msg("%s", f.text);
}

static void
what_excludes_one_another_blames_the_last(void **state)
{
	(void)state;
	refused(WITH(o.limited = 1, o.independent = 2), "-independent: ");
	refused(WITH(o.limited = 2, o.independent = 1), "-limited: ");
	refused(WITH(o.limited = 1, o.policy_language = "1.2"), "-policy: ");
	refused(WITH(o.draft = 4, o.rfc = 1), "-draft: ");
	refused(WITH(o.legacy = 1, o.rfc = 4), "-rfc: ");
	refused(WITH(o.legacy = 4, o.draft = 1), "-old: ");
	refused(WITH(o.legacy = 1, o.independent = 2), "-independent: ");
	refused(WITH(o.legacy = 1, o.policy_language = "1.2"), "-policy: ");
}

static void
key_sizes_are_those_that_are_safe(void **state)
{
	static const struct {
		int bits;
		const char *says; /* NULL: taken */
	} cases[] = { { 2048, NULL }, { 3072, NULL }, { 4096, NULL },
		{ 512, "-bits: keys of 512" }, { 1024, "-bits: keys of 1024" },
		{ 0, "-bits: \"0\"" }, { 2047, "-bits: \"2047\"" },
		{ 8192, "-bits: \"8192\"" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct init_options o = nothing();

		o.bits = cases[i].bits;
		if (cases[i].says != NULL)
			refused(o, cases[i].says);
		else
			kind_is(o, CERT_PROXY_IMPERSONATION);
	}
}

static void
lifetime_and_path_length_have_their_usual_values(void **state)
{
	struct proxy_wish wish;
	struct fault f;
	struct init_options o = nothing();

	(void)state;
	assert_int_equal(read_wish(&o, &wish, &f), 0);
	assert_int_equal(wish.lifetime, 43200);
	assert_int_equal(wish.path_length, -1);
	o.hours = 7200;
	o.path_length = 0;
	assert_int_equal(read_wish(&o, &wish, &f), 0);
	assert_int_equal(wish.lifetime, 7200);
	assert_int_equal(wish.path_length, 0);
	o.valid = 0;
	assert_int_equal(read_wish(&o, &wish, &f), 0);
	assert_int_equal(wish.lifetime, 0);
}

static void
a_policy_needs_its_language_and_its_file(void **state)
{
	char path[] = "/tmp/init_wish_test.XXXXXX";
	struct proxy_wish wish = { .lifetime = 0 };
	struct fault f;
	struct init_options o = nothing();
	OWN_BUF(policy, 8);
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "let be", 6), 6);
	o.policy = path;
	refused(o, "If you specify a policy file");
	o.policy_language = "1.2.3";
	assert_int_equal(init_wish_read(&o, false, &wish, &policy, &f), 0);
	assert_int_equal(wish.kind, CERT_PROXY_RESTRICTED);
	assert_string_equal(wish.policy_language, "1.2.3");
	assert_int_equal(wish.policy.len, 6);
	assert_memory_equal(wish.policy.data, "let be", 6);
	buf_clear(&policy);
	/* One byte more than there may be. */
	assert_int_equal(write(fd, "123", 3), 3);
	assert_int_equal(init_wish_read(&o, false, &wish, &policy, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	/* A missing policy is no missing credential. */
	assert_int_equal(init_wish_read(&o, false, &wish, &policy, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_generations_go_together),
		cmocka_unit_test(what_excludes_one_another_blames_the_last),
		cmocka_unit_test(key_sizes_are_those_that_are_safe),
		cmocka_unit_test(
		    lifetime_and_path_length_have_their_usual_values),
		cmocka_unit_test(a_policy_needs_its_language_and_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
