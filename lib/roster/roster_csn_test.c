#include "roster/roster_csn.h"

#include "base/unit.h"

#include <string.h>

#define A1 "20260101000000.000000Z#000000#001#000000"
#define A2 "20260102000000.000000Z#000000#001#000000"
#define B1 "20260101000000.000000Z#000000#002#000000"
#define C1 "20260101000000.000000Z#000000#0ff#000000"

static void
joins(const char *old, const char *said, const char *kept)
{
	OWN_BUF(out, 65536);
	const char *text;

	roster_csn_join(old, strlen(old), said, strlen(said), &out);
	text = buf_cstr(&out);
	assert_non_null(text);
	assert_string_equal(text, kept);
}

static void
each_server_keeps_its_newest(void **state)
{
	(void)state;
	joins("", "rid=001,csn=" A1, "rid=000,csn=" A1);
	joins("rid=000,csn=" A1 ";" B1, "rid=001,sid=001,csn=" A2,
	    "rid=000,csn=" A2 ";" B1);
	joins("rid=000,csn=" A2 ";" B1, "rid=001,sid=001,csn=" A1,
	    "rid=000,csn=" A2 ";" B1);
	joins("rid=000,csn=" A2, "rid=001,csn=" C1 ";" B1,
	    "rid=000,csn=" A2 ";" C1 ";" B1);
	joins("rid=000,csn=" A1, "rid=001", "rid=000,csn=" A1);
}

static void
other_servers_cookies_are_their_own(void **state)
{
	(void)state;
	joins("x", "y", "y");
	joins("rid=000,csn=" A1, "y", "y");
	joins("y", "rid=001,sid=001,csn=" A1, "rid=000,csn=" A1);
	joins("rid=000,csn=" A1, "rid=001,csn=short", "rid=001,csn=short");
	joins("rid=000,csn=" A1, "", "");
}

static void
bytes_are_kept(void **state)
{
	OWN_BUF(out, 64);

	(void)state;
	roster_csn_join("", 0, "\0\1\2", 3, &out);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "\0\1\2", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_server_keeps_its_newest),
		cmocka_unit_test(other_servers_cookies_are_their_own),
		cmocka_unit_test(bytes_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
