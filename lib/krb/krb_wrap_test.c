#include "krb/krb_wrap.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

/* What needs no KDC; whole conversations are told by the stories of the
 * office. */

static void
a_frame_comes_out_as_it_went_in(void **state)
{
	struct fault f = { 0 };
	OWN_BUF(buf, 1024);
	struct wire_bytes frame, said = { (const uint8_t *)"hello", 5 };

	(void)state;
	krb_frame_put(&buf, said);
	krb_frame_put(&buf, (struct wire_bytes){ NULL, 0 });
	assert_int_equal(buf.len, 2 * KRB_FRAME_HEAD + 5);
	assert_int_equal(krb_frame_next(&buf, 5, &frame, &f), 1);
	assert_int_equal(frame.len, 5);
	assert_memory_equal(frame.data, "hello", 5);
	buf_eat(&buf, frame.len + KRB_FRAME_HEAD);
	assert_int_equal(krb_frame_next(&buf, 5, &frame, &f), 1);
	assert_int_equal(frame.len, 0);
}

static void
a_frame_is_whole_or_none(void **state)
{
	struct fault f = { 0 };
	const uint8_t bytes[] = { 0, 0, 0, 3, 'a', 'b', 'c' };
	struct wire_bytes frame;

	(void)state;
	for (size_t len = 0; len < sizeof(bytes); len++) {
		OWN_BUF(buf, 16);

		buf_put(&buf, bytes, len);
		assert_int_equal(krb_frame_next(&buf, 16, &frame, &f), 0);
	}
}

static void
a_long_frame_is_refused_before_it_is_there(void **state)
{
	struct fault f = { 0 };
	const uint8_t head[] = { 0, 4, 0, 1 };
	struct wire_bytes frame;
	OWN_BUF(buf, 16);

	(void)state;
	buf_put(&buf, head, sizeof(head));
	assert_int_equal(krb_frame_next(&buf, KRB_FRAME_MAX, &frame, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

static void
without_a_keytab_there_is_no_accepting_end(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_null(krb_keys_open("krb_wrap_test.absent", &f));
	assert_int_equal(f.code, FAULT_CONFIG);
}

static void
without_a_ticket_there_is_no_initiating_end(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(krb_wrap) w = krb_wrap_initiate("office", "host.test", &f);
	OWN_BUF(out, 4096);

	(void)state;
	if (w != NULL)
		assert_int_equal(krb_wrap_step(w, (struct wire_bytes){ 0 },
				     &out, &f),
		    KRB_FAILED);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(out.len, 0);
}

static void
nothing_is_wrapped_before_the_context_stands(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(krb_wrap) w = krb_wrap_initiate("office", "host.test", &f);
	OWN_BUF(out, 4096);

	(void)state;
	if (w == NULL)
		return;
	assert_int_equal(krb_wrap_seal(w, (struct wire_bytes){ 0 }, &out, &f),
	    -1);
	assert_int_equal(krb_wrap_open(w, (struct wire_bytes){ 0 }, &out, &f),
	    -1);
	assert_string_equal(krb_wrap_principal(w), "");
}

static int
set_up(void **state)
{
	(void)state;
	(void)setenv("KRB5_CONFIG", "/dev/null", 1);
	return setenv("KRB5CCNAME", "FILE:krb_wrap_test.none", 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_comes_out_as_it_went_in),
		cmocka_unit_test(a_frame_is_whole_or_none),
		cmocka_unit_test(a_long_frame_is_refused_before_it_is_there),
		cmocka_unit_test(without_a_keytab_there_is_no_accepting_end),
		cmocka_unit_test(without_a_ticket_there_is_no_initiating_end),
		cmocka_unit_test(nothing_is_wrapped_before_the_context_stands),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
