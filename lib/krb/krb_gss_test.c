#include "krb/krb_gss.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"
#include "krb/keytab_probe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What needs no KDC.  Whole conversations, good and bad, are told by
 * tests/stories/test_krb_gss.py.
 */

#define KEYTAB "krb_gss_test.keytab"

static int
set_up(void **state)
{
	struct fault f = { 0 };

	(void)state;
	(void)setenv("KRB5_CONFIG", "/dev/null", 1);
	(void)setenv("KRB5CCNAME", "FILE:krb_gss_test.none", 1);
	return file_write(KEYTAB, 0600, keytab_probe, sizeof(keytab_probe), &f);
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(KEYTAB);
}

static void
without_a_keytab_there_is_no_accepting_end(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_null(krb_gss_accept("krb_gss_test.absent", NULL, &f));
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, "krb_gss_test.absent"));
}

static void
without_a_ticket_there_is_no_initiating_end(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(krb_gss) g = krb_gss_initiate("host.test", "user", &f);
	OWN_BUF(out, 4096);

	(void)state;
	if (g != NULL)
		assert_int_equal(krb_gss_step(g, (struct wire_bytes){ 0 }, &out,
				     &f),
		    KRB_FAILED);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(out.len, 0);
}

static void
an_empty_first_token_is_asked_again_but_once(void **state)
{
	struct fault f = { 0 };
	struct wire_bytes none = { 0 };
	OWN_STRUCT(krb_gss) g = krb_gss_accept(KEYTAB, "host.test", &f);
	OWN_BUF(out, 4096);

	(void)state;
	assert_non_null(g);
	assert_int_equal(krb_gss_step(g, none, &out, &f), KRB_MORE);
	assert_int_equal(out.len, 0);
	assert_int_equal(krb_gss_step(g, none, &out, &f), KRB_FAILED);
	assert_int_equal(f.code, FAULT_LOGIN);
}

static void
garbage_is_refused_and_what_follows_too(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(krb_gss) g = krb_gss_accept(KEYTAB, NULL, &f);
	OWN_BUF(out, 4096);
	uint8_t *bytes = malloc(200);

	(void)state;
	assert_non_null(g);
	assert_non_null(bytes);
	memset(bytes, 0x60, 200);
	assert_int_equal(krb_gss_step(g, (struct wire_bytes){ bytes, 200 },
			     &out, &f),
	    KRB_FAILED);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_string_equal(krb_gss_principal(g), "");
	assert_int_equal(krb_gss_step(g, (struct wire_bytes){ bytes, 0 }, &out,
			     &f),
	    KRB_FAILED);
	assert_int_equal(out.len, 0);
	free(bytes);
}

static void
another_conversation_outlives_the_one_whose_keys_it_has(void **state)
{
	struct fault f = { 0 };
	struct wire_bytes none = { 0 };
	struct krb_gss *first = krb_gss_accept(KEYTAB, "host.test", &f);
	struct krb_gss *second;
	OWN_BUF(out, 4096);

	(void)state;
	assert_non_null(first);
	second = krb_gss_again(first, &f);
	assert_non_null(second);
	krb_gss_free(first);
	assert_int_equal(krb_gss_step(second, none, &out, &f), KRB_MORE);
	assert_string_equal(krb_gss_principal(second), "");
	krb_gss_free(second);
}

static void
names_that_are_too_long_are_refused(void **state)
{
	struct fault f = { 0 };
	char name[2 * KRB_NAME_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_null(krb_gss_accept(KEYTAB, name, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	assert_null(krb_gss_initiate("host.test", name, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	krb_gss_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_keytab_there_is_no_accepting_end),
		cmocka_unit_test(without_a_ticket_there_is_no_initiating_end),
		cmocka_unit_test(an_empty_first_token_is_asked_again_but_once),
		cmocka_unit_test(garbage_is_refused_and_what_follows_too),
		cmocka_unit_test(
		    another_conversation_outlives_the_one_whose_keys_it_has),
		cmocka_unit_test(names_that_are_too_long_are_refused),
	};

	return cmocka_run_group_tests_name("krb/krb_gss", tests, set_up,
	    tear_down);
}
