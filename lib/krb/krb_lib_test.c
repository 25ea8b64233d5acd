#include "krb/krb_lib.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static void
errors_become_what_a_person_can_act_on(void **state)
{
	static const struct {
		krb5_error_code code;
		enum fault_code fault;
		const char *says;
	} errors[] = {
		{ KRB5KDC_ERR_PREAUTH_FAILED, FAULT_LOGIN, "wrong password" },
		{ KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, FAULT_LOGIN,
		    "no such user" },
		{ KRB5KDC_ERR_KEY_EXP, FAULT_LOGIN, "kpasswd" },
		{ KRB5KDC_ERR_CLIENT_REVOKED, FAULT_DENIED, "locked" },
		{ KRB5_KDC_UNREACH, FAULT_UNREACHABLE, "KDC" },
		{ KRB5KRB_AP_ERR_SKEW, FAULT_FAILED, "set the clock" },
		{ KRB5_KDCREP_SKEW, FAULT_FAILED, "set the clock" },
		{ KRB5_FCC_NOFILE, FAULT_ABSENT, "" },
		{ KRB5_CONFIG_NODEFREALM, FAULT_CONFIG, "name@REALM" },
		{ KRB5KRB_ERR_GENERIC, FAULT_FAILED, "" },
	};
	OWN_KRB_LIB(k);
	struct fault f;

	(void)state;
	assert_int_equal(krb_lib_open(&k, &f), 0);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		assert_int_equal(krb_lib_fault(&k, errors[i].code, "a ticket",
				     &f),
		    -1);
		assert_int_equal(f.code, errors[i].fault);
		assert_int_equal(strncmp(f.text, "a ticket: ", 10), 0);
		assert_true(strlen(f.text) > 10);
		assert_non_null(strstr(f.text, errors[i].says));
	}
}

static void
closing_twice_or_unopened_does_nothing(void **state)
{
	struct krb_lib k = { 0 };
	struct fault f;

	(void)state;
	krb_lib_close(&k);
	assert_int_equal(krb_lib_open(&k, &f), 0);
	krb_lib_close(&k);
	krb_lib_close(&k);
	assert_null(k.context);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_become_what_a_person_can_act_on),
		cmocka_unit_test(closing_twice_or_unopened_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
