#include "myproxy/myproxy_clock.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/unit.h"
#include "myproxy/myproxy_text.h"

#include <string.h>

static time_t
read_text(const char *text)
{
	return myproxy_clock_read(text, strlen(text));
}

static void
the_time_is_a_line_among_others(void **state)
{
	(void)state;
	assert_int_equal(read_text("SERVER_TIME=1790000000\n"), 1790000000);
	assert_int_equal(read_text("SERVER_TIME=1790000000"), 1790000000);
	assert_int_equal(read_text("A=1\nSERVER_TIME=7\nB=2\n"), 7);
}

static void
what_is_no_time_is_none(void **state)
{
	static const char *const none[] = { "", "\n", "A=1\n",
		"XSERVER_TIME=7\n", "SERVER_TIME=\n", "SERVER_TIME=x\n",
		"SERVER_TIME=7x\n", "SERVER_TIME=-7\n", "SERVER_TIME=0\n",
		"SERVER_TIME=99999999999999999999\n",
		"SERVER_TIME=253402300800\n", "server_time=7\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(read_text(none[i]), 0);
}

static void
a_refusal_carries_it_and_stays_a_refusal(void **state)
{
	OWN_BUF(out, 1024);
	struct myproxy_response r;
	struct fault f = { 0 };

	(void)state;
	myproxy_write_error(&out, "nothing is stored here");
	myproxy_write_time(&out, 1790000000);
	assert_int_equal(out.data[out.len - 1], 0);
	assert_int_equal(strlen((const char *)out.data), out.len - 1);
	assert_int_equal(myproxy_response_read(&r, (const char *)out.data,
			     out.len - 1, &f),
	    0);
	assert_int_equal(r.answer, MYPROXY_ERROR);
	assert_string_equal(buf_cstr(&r.error), "nothing is stored here");
	assert_int_equal(myproxy_clock_read((const char *)r.rest.data,
			     r.rest.len),
	    1790000000);
	myproxy_response_clear(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_is_a_line_among_others),
		cmocka_unit_test(what_is_no_time_is_none),
		cmocka_unit_test(a_refusal_carries_it_and_stays_a_refusal),
	};

	return cmocka_run_group_tests_name("myproxy/myproxy_clock", tests, NULL,
	    NULL);
}
