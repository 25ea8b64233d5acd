#include "base/fault.h"
#include "base/unit.h"
#include "sys/sandbox.h"

#include <string.h>

#define UNTOUCHED 4711

static void
a_user_is_named_or_numbered(void **state)
{
	static const struct {
		const char *who;
		uid_t uid;
		gid_t gid;
	} known[] = {
		{ "root", 0, 0 },
		{ "0", 0, 0 },
		{ "nobody", 65534, 65534 },
		{ "nobody:root", 65534, 0 },
		{ "nobody:12", 65534, 12 },
		{ "123456789", 123456789, 123456789 },
		{ "123456789:5", 123456789, 5 },
		{ "4294967294", 4294967294, 4294967294 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct fault f = { 0 };
		uid_t uid = UNTOUCHED;
		gid_t gid = UNTOUCHED;

		assert_int_equal(sandbox_user(known[i].who, &uid, &gid, &f), 0);
		assert_int_equal(uid, known[i].uid);
		assert_int_equal(gid, known[i].gid);
	}
}

static void
who_is_not_there_is_refused(void **state)
{
	static const char *const unknown[] = { "", ":", "no-such-user",
		"nobody:no-such-group", "nobody:", ":root", "-1", "4294967295",
		"4294967296", "12x", "nobody:4294967295", "nobody:root:root" };
	char longest[300];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i <= sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct fault f = { 0 };
		uid_t uid = UNTOUCHED;
		gid_t gid = UNTOUCHED;
		const char *who = i < sizeof(unknown) / sizeof(unknown[0])
		    ? unknown[i]
		    : longest;

		assert_int_equal(sandbox_user(who, &uid, &gid, &f), -1);
		assert_int_equal(f.code, FAULT_CONFIG);
		assert_int_equal(uid, UNTOUCHED);
		assert_int_equal(gid, UNTOUCHED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_is_named_or_numbered),
		cmocka_unit_test(who_is_not_there_is_refused),
	};

	return cmocka_run_group_tests_name("sys/sandbox_user", tests, NULL,
	    NULL);
}
