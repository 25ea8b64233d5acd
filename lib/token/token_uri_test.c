#include "token/token_uri.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static void
every_attribute_is_read_and_written_again(void **state)
{
	static const char text[] =
	    "pkcs11:token=grid%20ca;manufacturer=Acme;model=T1;serial=00%2F7;"
	    "slot-id=12;object=key-rsa;id=%00%45;type=private"
	    "?module-path=/usr/lib/x.so&max-sessions=8";
	OWN_BUF(out, TOKEN_URI_MAX);
	struct fault f = { 0 };
	struct token_uri uri;

	(void)state;
	assert_int_equal(token_uri_read(&uri, text, &f), 0);
	assert_string_equal(uri.token, "grid ca");
	assert_string_equal(uri.serial, "00/7");
	assert_string_equal(uri.object, "key-rsa");
	assert_int_equal(uri.id_len, 2);
	assert_memory_equal(uri.id, "\x00\x45", 2);
	assert_true(uri.private);
	assert_true(uri.has_slot);
	assert_int_equal(uri.slot, 12);
	assert_int_equal(uri.max_sessions, 8);
	assert_string_equal(uri.module_path, "/usr/lib/x.so");
	token_uri_write(&uri, &out);
	assert_string_equal(buf_cstr(&out), text);
}

static void
what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{ "file:key.pem", "begins with" },
		{ "pkcs11:", "which token" },
		{ "pkcs11:object=k", "which token" },
		{ "pkcs11:token=a;token=b", "token given twice" },
		{ "pkcs11:token=a;", "nothing after" },
		{ "pkcs11:;token=a", "without" },
		{ "pkcs11:token", "without" },
		{ "pkcs11:token=", "token has no value" },
		{ "pkcs11:token=a%2", "malformed token" },
		{ "pkcs11:token=a%zz", "malformed token" },
		{ "pkcs11:token=a b", "malformed token" },
		{ "pkcs11:token=a/b", "malformed token" },
		{ "pkcs11:token=%ff", "token is not UTF-8" },
		{ "pkcs11:token=%00", "token is not UTF-8" },
		{ "pkcs11:serial=12345678901234567", "longer than 16" },
		{ "pkcs11:token=a;type=cert", "type=private" },
		{ "pkcs11:token=a;colour=red", "\"colour\"" },
		{ "pkcs11:token=a;module-path=/x", "\"module-path\"" },
		{ "pkcs11:token=a?token=b", "\"token\"" },
		{ "pkcs11:slot-id=x", "slot-id" },
		{ "pkcs11:slot-id=01", "slot-id" },
		{ "pkcs11:slot-id=-1", "slot-id" },
		{ "pkcs11:token=a?max-sessions=0", "max-sessions" },
		{ "pkcs11:token=a?max-sessions=65", "max-sessions" },
		{ "pkcs11:token=a?module-path=x.so", "begin with" },
		{ "pkcs11:token=a?module-name=a%2fb", "not a path" },
		{ "pkcs11:token=a?module-name=m&module-path=/m", "one of" },
		{ "pkcs11:token=a?pin-value=1234", "pin-value" },
		{ "pkcs11:token=a?pin-source=file:/etc/pin", "pin-source" },
		{ "pkcs11:token=a;pin-value=1234", "pin-value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };
		struct token_uri uri;

		if (token_uri_read(&uri, bad[i].text, &f) == 0)
			fail_msg("%s was read", bad[i].text);
		assert_int_equal(f.code, FAULT_CONFIG);
		if (strstr(f.text, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].text, f.text);
		assert_null(strstr(f.text, "1234 "));
	}
}

static void
a_pin_in_a_uri_is_not_repeated_in_the_fault(void **state)
{
	struct fault f = { 0 };
	struct token_uri uri;

	(void)state;
	assert_int_equal(token_uri_read(&uri, "pkcs11:token=a?pin-value=73571",
			     &f),
	    -1);
	assert_null(strstr(f.text, "73571"));
}

static void
slot_and_key_id_of_old_are_understood(void **state)
{
	static const char *const bad[] = { "", ":", ":45", "0", "x:45", "0:4",
		"0:4x", "00:45", "-1:45", "0:45:", "99999999999999999999:45" };
	struct fault f = { 0 };
	struct token_uri uri;

	(void)state;
	assert_int_equal(token_uri_read_slot(&uri, "/m.so", "0:45", &f), 0);
	assert_true(uri.has_slot);
	assert_int_equal(uri.slot, 0);
	assert_int_equal(uri.id_len, 1);
	assert_int_equal(uri.id[0], 0x45);
	assert_string_equal(uri.module_path, "/m.so");
	assert_int_equal(token_uri_read_slot(&uri, "/m.so", "3:", &f), 0);
	assert_int_equal(uri.slot, 3);
	assert_int_equal(uri.id_len, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (token_uri_read_slot(&uri, "/m.so", bad[i], &f) == 0)
			fail_msg("\"%s\" was read", bad[i]);
	assert_int_equal(token_uri_read_slot(&uri, "m.so", "0:45", &f), -1);
}

static void
a_file_is_no_uri(void **state)
{
	(void)state;
	assert_true(token_uri_is("pkcs11:token=a"));
	assert_true(token_uri_is("PKCS11:token=a"));
	assert_false(token_uri_is("pkcs11"));
	assert_false(token_uri_is("/etc/ca/key.pem"));
}

static void
a_ca_names_a_file_or_a_key_in_a_token(void **state)
{
	static const char uri[] = "pkcs11:token=a;object=k";
	struct fault f = { 0 };
	struct token_uri found = { 0 };

	(void)state;
	assert_false(token_uri_named("ca.key", ""));
	assert_true(token_uri_named(uri, ""));
	assert_true(token_uri_named("0:45", "/usr/lib/x.so"));
	assert_int_equal(token_uri_read_named(&found, uri, "/usr/lib/x.so", &f),
	    0);
	assert_string_equal(found.module_path, "/usr/lib/x.so");
	assert_string_equal(found.object, "k");
	assert_int_equal(token_uri_read_named(&found, "0:45", "/usr/lib/y.so",
			     &f),
	    0);
	assert_string_equal(found.module_path, "/usr/lib/y.so");
	assert_true(found.has_slot);
	assert_int_equal(token_uri_read_named(&found,
			     "pkcs11:token=a?module-path=/x.so", "/x.so", &f),
	    0);
}

static void
a_slot_and_a_key_are_told_from_a_file(void **state)
{
	(void)state;
	assert_true(token_uri_is_slot("0:45"));
	assert_true(token_uri_is_slot("12:"));
	assert_false(token_uri_is_slot("ca.key"));
	assert_false(token_uri_is_slot("0:4"));
	assert_false(token_uri_is_slot("/etc/0:45"));
	assert_false(token_uri_is_slot(""));
}

static void
a_ca_names_one_module(void **state)
{
	struct fault f = { 0 };
	struct token_uri found = { 0 };

	(void)state;
	assert_int_equal(token_uri_read_named(&found, "pkcs11:token=a", "", &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(token_uri_read_named(&found,
			     "pkcs11:token=a?module-path=/x.so", "/y.so", &f),
	    -1);
	assert_non_null(strstr(f.text, "different modules"));
	assert_int_equal(token_uri_read_named(&found, "ca.key", "/y.so", &f),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_is_read_and_written_again),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(a_pin_in_a_uri_is_not_repeated_in_the_fault),
		cmocka_unit_test(slot_and_key_id_of_old_are_understood),
		cmocka_unit_test(a_file_is_no_uri),
		cmocka_unit_test(a_ca_names_a_file_or_a_key_in_a_token),
		cmocka_unit_test(a_slot_and_a_key_are_told_from_a_file),
		cmocka_unit_test(a_ca_names_one_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
