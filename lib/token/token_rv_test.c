#include "token/token_rv.h"

#include "base/unit.h"

#include <string.h>

static void
answers_have_names(void **state)
{
	char text[TOKEN_RV_SIZE];

	(void)state;
	assert_string_equal(token_rv_name(CKR_DEVICE_REMOVED, text),
	    "CKR_DEVICE_REMOVED");
	assert_string_equal(token_rv_name(CKR_FUNCTION_REJECTED, text),
	    "CKR_FUNCTION_REJECTED");
	assert_string_equal(token_rv_name(CKR_VENDOR_DEFINED | 1, text),
	    "CKR_0x80000001");
}

static void
answers_say_what_became_of_the_token(void **state)
{
	(void)state;
	assert_int_equal(token_rv_state(CKR_DEVICE_REMOVED), TOKEN_ABSENT);
	assert_int_equal(token_rv_state(CKR_TOKEN_NOT_PRESENT), TOKEN_ABSENT);
	assert_int_equal(token_rv_state(CKR_SESSION_HANDLE_INVALID),
	    TOKEN_NEEDS_PIN);
	assert_int_equal(token_rv_state(CKR_DEVICE_ERROR), TOKEN_BROKEN);
	assert_int_equal(token_rv_state(CKR_VENDOR_DEFINED), TOKEN_BROKEN);
}

static void
a_fault_names_the_call_and_the_answer(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(token_rv_fault(&f, CKR_PIN_LOCKED, "C_Login"), -1);
	assert_string_equal(f.text, "C_Login: CKR_PIN_LOCKED");
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(token_rv_fault(&f, 0x99999, "C_Sign"), -1);
	assert_string_equal(f.text, "C_Sign: CKR_0x99999");
	assert_int_equal(f.code, FAULT_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_have_names),
		cmocka_unit_test(answers_say_what_became_of_the_token),
		cmocka_unit_test(a_fault_names_the_call_and_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
