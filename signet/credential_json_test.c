#include "credential_json.h"

#include "trust/pki_probe.h"
#include "trust/verify.h"
#include "x509/proxy.h"

static struct pki pki;

static int
set_up(void **state)
{
	(void)state;
	pki_init(&pki);
	pki_set(&pki, DEEPER, "proxyCertInfo", PKI_LIMITED);
	pki_make(&pki);
	pki_dir(&pki);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pki_remove(pki.dir);
	for (int i = 0; i < PKI_COUNT; i++) {
		EVP_PKEY_free(pki.key[i]);
		X509_free(pki.cert[i]);
	}
	return 0;
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	assert_non_null(text);
	return text;
}

static json_t *
show(enum pki_who who, struct credential *c, time_t now)
{
	struct fault f;
	OWN_STRUCT(trust_store)
	store = trust_load(pki.dir, false, NULL, NULL, &f);
	json_t *object;

	memset(c, 0, sizeof(*c));
	assert_non_null(store);
	assert_true(pki_chain(&pki, who, &c->chain));
	object = credential_json("/tmp/p", c, store, now, &f);
	assert_non_null(object);
	return object;
}

static void
a_proxy_is_shown_with_all_keys(void **state)
{
	struct credential c;
	json_t *object = show(PROXY, &c, PKI_NOW);
	const json_t *key = json_object_get(object, "key");

	(void)state;
	assert_string_equal(text_of(object, "kind"), "proxy");
	assert_string_equal(text_of(object, "path"), "/tmp/p");
	assert_string_equal(text_of(object, "identity"), PKI_PERSON);
	assert_string_equal(text_of(object, "subject"),
	    PKI_PERSON "/CN=1234567890");
	assert_string_equal(text_of(object, "issuer"), PKI_PERSON);
	assert_string_equal(text_of(object, "type"), "rfc3820");
	assert_string_equal(text_of(key, "algorithm"), "EC");
	assert_int_equal(json_integer_value(json_object_get(key, "bits")), 256);
	assert_true(json_is_false(json_object_get(object, "limited")));
	assert_true(json_is_true(json_object_get(object, "verified")));
	assert_int_equal(json_integer_value(json_object_get(object,
			     "seconds_left")),
	    2 * PKI_DAY);
	assert_string_equal(text_of(object, "not_after"),
	    "2027-01-17T08:00:00Z");
	assert_int_equal(json_array_size(json_object_get(object, "voms")), 0);
	json_decref(object);
	credential_clear(&c);
}

static void
limits_and_ends_below_are_told(void **state)
{
	struct credential c;
	json_t *object = show(DEEPER, &c, PKI_NOW + 100 * PKI_DAY);

	(void)state;
	assert_true(json_is_true(json_object_get(object, "limited")));
	assert_true(json_is_false(json_object_get(object, "verified")));
	assert_int_equal(json_integer_value(json_object_get(object,
			     "seconds_left")),
	    0);
	json_decref(object);
	credential_clear(&c);
}

static void
an_end_entity_is_no_proxy(void **state)
{
	struct credential c;
	json_t *object = show(EEC, &c, PKI_NOW);

	(void)state;
	assert_string_equal(text_of(object, "kind"), "certificate");
	assert_string_equal(text_of(object, "type"), "eec");
	json_decref(object);
	credential_clear(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proxy_is_shown_with_all_keys),
		cmocka_unit_test(limits_and_ends_below_are_told),
		cmocka_unit_test(an_end_entity_is_no_proxy),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
