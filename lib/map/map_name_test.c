#include "map/map_name.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static void
names_that_are_one(void **state)
{
	static const char *const same[][2] = {
		{ "/O=G/CN=Alice", "/o=g/cn=ALICE" },
		{ "/CN=a/UID=x", "/CN=a/userid=x" },
		{ "/CN=a/E=x", "/CN=a/emailAddress=x" },
		{ "/CN=a/email=x", "/cn=a/EMAILADDRESS=x" },
		{ "/CN=M\303\274ller", "/CN=M\\xC3\\xBCller" },
		{ "/CN=host\\/a.org", "/CN=host/a.org" },
		{ "/CN=a\\+b", "/CN=a+b" },
		{ "/CN=host\\/a/E=x", "/CN=host/a/emailAddress=x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_true(map_name_equal(same[i][0], same[i][1]));
		assert_true(map_name_equal(same[i][1], same[i][0]));
	}
}

static void
names_that_are_not(void **state)
{
	static const char *const other[][2] = {
		{ "/O=G/CN=Alice", "/O=G/CN=Alice " },
		{ "/O=G/CN=Alice", "/O=G/CN=Alic" },
		{ "", "/CN=a" },
		{ "/CN=a\\b", "/CN=ab" },
		{ "/CN=a\\\\/b", "/CN=a/b" },
		{ "/DC=org", "/domainComponent=org" },
		/* One value that looks like two RDNs is not two. */
		{ "/CN=a\\/CN=root", "/CN=a/CN=root" },
		{ "/CN=a\\/e=b@c", "/CN=a/emailAddress=b@c" },
		{ "/CN=a\\+UID=root", "/CN=a+UID=root" },
		{ "/CN=a\\/2.5.4.3=b", "/CN=a/2.5.4.3=b" },
		{ "/CN=a\\/serial number=b", "/CN=a/serial number=b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		assert_false(map_name_equal(other[i][0], other[i][1]));
		assert_false(map_name_equal(other[i][1], other[i][0]));
	}
}

static void
names_are_spelled_for_each_reader(void **state)
{
	static const struct {
		const char *name;
		unsigned readers;
		const char *lines[MAP_SPELLINGS_MAX];
	} cases[] = {
		{ "/CN=a b", MAP_READER_ALL, { "\"/CN=a b\"" } },
		{ "/CN=host\\/a", MAP_READER_ALL,
		    { "\"/CN=host\\\\/a\"", "\"/CN=host\\/a\"",
			"\"/CN=host/a\"" } },
		{ "/CN=host\\/a", MAP_READER_GCT | MAP_READER_LCMAPS,
		    { "\"/CN=host\\\\/a\"", "\"/CN=host/a\"" } },
		{ "/CN=M\\xC3\\xBCller", MAP_READER_ALL,
		    { "\"/CN=M\\xC3\\xBCller\"" } },
		{ "/CN=\"q\"", MAP_READER_ALL, { "\"/CN=\\x22q\\x22\"" } },
		{ "/CN=a\\b", MAP_READER_ALL, { "\"/CN=a\\\\b\"" } },
		{ "/CN=a\\x41", MAP_READER_ALL, { "\"/CN=a\\\\x41\"" } },
		{ "/CN=a\\", MAP_READER_ALL, { "\"/CN=a\\x5C\"" } },
		{ "/CN=a\\/CN=root", MAP_READER_ALL,
		    { "\"/CN=a\\\\/CN=root\"" } },
		/* A backslash and a slash: "a/b" is somebody else. */
		{ "/CN=a\\\\/b", MAP_READER_ALL, { "\"/CN=a\\\\\\\\/b\"" } },
		{ "/CN=a*", MAP_READER_GCT, { "\"/CN=a*\"" } },
		{ "/CN=a$", MAP_READER_GCT | MAP_READER_LCMAPS,
		    { "\"/CN=a$\"" } },
	};
	struct map_spellings s;
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(map_name_spell(&s, cases[i].name,
				     cases[i].readers, &f),
		    0);
		for (size_t k = 0; k < MAP_SPELLINGS_MAX; k++) {
			assert_true((cases[i].lines[k] != NULL) ==
			    (k < s.count));
			if (k < s.count)
				assert_string_equal(buf_cstr(&s.text[k]),
				    cases[i].lines[k]);
		}
		map_spellings_free(&s);
	}
}

static void
names_that_would_be_patterns_are_refused(void **state)
{
	static const struct {
		const char *name;
		unsigned readers;
		enum fault_code code;
	} cases[] = {
		{ "/CN=*", MAP_READER_LCMAPS, FAULT_DENIED },
		{ "/CN=*", MAP_READER_XROOTD, FAULT_DENIED },
		{ "/CN=a$", MAP_READER_XROOTD, FAULT_DENIED },
		{ "/CN=a+", MAP_READER_XROOTD, FAULT_DENIED },
		{ "", MAP_READER_GCT, FAULT_INPUT },
		{ "CN=a", MAP_READER_GCT, FAULT_INPUT },
		{ "/CN=a\nb", MAP_READER_GCT, FAULT_INPUT },
		{ "/CN=\303\274", MAP_READER_GCT, FAULT_INPUT },
	};
	struct map_spellings s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(map_name_spell(&s, cases[i].name,
				     cases[i].readers, &f),
		    -1);
		assert_int_equal(f.code, cases[i].code);
		map_spellings_free(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_one),
		cmocka_unit_test(names_that_are_not),
		cmocka_unit_test(names_are_spelled_for_each_reader),
		cmocka_unit_test(names_that_would_be_patterns_are_refused),
	};

	return cmocka_run_group_tests_name("map/name", tests, NULL, NULL);
}
