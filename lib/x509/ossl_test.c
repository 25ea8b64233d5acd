#include "x509/ossl.h"

#include "base/unit.h"

#include <openssl/asn1.h>
#include <openssl/err.h>

#include <string.h>

static void
the_oldest_reason_is_told_and_the_queue_emptied(void **state)
{
	struct fault f = { 0 };

	(void)state;
	ERR_raise(ERR_LIB_ASN1, ASN1_R_HEADER_TOO_LONG);
	ERR_raise(ERR_LIB_ASN1, ERR_R_NESTED_ASN1_ERROR);
	assert_int_equal(ossl_fault(&f, FAULT_INPUT, "reading %s", "x"), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_string_equal(f.text, "reading x: header too long");
	assert_non_null(strstr(f.file, "ossl_test.c"));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
no_reason_is_made_up(void **state)
{
	struct fault f = { 0 };

	(void)state;
	ERR_clear_error();
	assert_int_equal(ossl_fault(&f, FAULT_KEY, "signing"), -1);
	assert_string_equal(f.text, "signing");
	ERR_raise(ERR_LIB_USER, 0xfff);
	assert_int_equal(ossl_fault(&f, FAULT_KEY, "signing"), -1);
	assert_true(strncmp(f.text, "signing: OpenSSL error ", 23) == 0);
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_oldest_reason_is_told_and_the_queue_emptied),
		cmocka_unit_test(no_reason_is_made_up),
	};

	return cmocka_run_group_tests_name("x509/ossl", tests, NULL, NULL);
}
