#include "x509/profile.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/cert.h"
#include "x509/mint_probe.h"

#define END "usage digitalSignature\n"

static int
read_text(const char *text, struct fault *f)
{
	struct profile *p = malloc(sizeof(*p));
	size_t len = strlen(text);
	char *exact = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(p);
	assert_non_null(exact);
	memcpy(exact, text, len);
	result = profile_read(p, "test", exact, len, f);
	free(exact);
	free(p);
	return result;
}

static void
the_profiles_we_ship_are_good(void **state)
{
	static const struct {
		const char *name;
		bool ca;
		int64_t lifetime;
		int64_t most;
	} shipped[] = {
		{ "slcs-user", false, 43200, 1000000 },
		{ "host", false, 395 * 86400, 395 * 86400 },
		{ "robot", false, 395 * 86400, 395 * 86400 },
		{ "sub-ca", true, 20 * INT64_C(31536000),
		    20 * INT64_C(31536000) },
		{ "root", true, 30 * INT64_C(31536000),
		    30 * INT64_C(31536000) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
		struct profile *p = probe_profile(shipped[i].name);

		assert_string_equal(p->name, shipped[i].name);
		assert_int_equal(p->conf.ca, shipped[i].ca);
		assert_int_equal(p->conf.lifetime, shipped[i].lifetime);
		assert_int_equal(p->conf.max_lifetime, shipped[i].most);
		free(p);
	}
}

static void
settings_that_contradict_each_other_are_refused(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{ "", "no usage" },
		{ "usage dance\n", "unknown usage \"dance\"" },
		{ END END, "usage digitalSignature is given twice" },
		{ END "purpose dance\n", "unknown purpose" },
		{ END "usage keyCertSign\n", "are for a CA" },
		{ END "usage cRLSign\n", "are for a CA" },
		{ END "ca yes\n", "a CA needs usage keyCertSign" },
		{ "usage keyCertSign\nca yes\npurpose clientAuth\n",
		    "a CA has no purpose" },
		{ END "path-length 0\n", "path-length is for a CA" },
		{ END "lifetime 2d\nmax-lifetime 1d\n", "longer than" },
		{ END "lifetime 60\nmax-lifetime 100\n", "backdate" },
		{ END "key dsa:1024\n", "key" },
		{ END "policy 1.2.x\n", "no object identifier" },
		{ END "policy 1.40.1\n", "no object identifier" },
		{ END "policy 3.1\n", "no object identifier" },
		{ END "policy 1.2.03\n", "no object identifier" },
		{ END "policy 1.2.\n", "no object identifier" },
		{ END "policy 1.2.3\npolicy 1.2.3\n", "twice" },
		{ END "policy 1.2.840.113612.5.2.2.1\n"
		      "policy 1.2.840.113612.5.2.2.3\n",
		    "contradict" },
		{ END "crl-url https://a/b\n", "not an http address" },
		{ END "crl-url http://a/b c\n", "not an http address" },
		{ END "issuer-url ftp://a/b\n", "not an http address" },
		{ END "ocsp-url http://\n", "not an http address" },
		{ END "subject CN=a\n", "subject" },
		{ END "subject /CN={nobody}\n", "subject" },
		{ END "email-domain -a\n", "no domain" },
		{ END "email-domain a..b\n", "no domain" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = { 0 };

		if (read_text(cases[i].text, &f) == 0)
			fail_msg("passed: %s", cases[i].text);
		if (strstr(f.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, f.text);
	}
}

static void
what_makes_sense_is_taken(void **state)
{
	static const char *const good[] = {
		END,
		END "policy 2.999.1\npolicy 1.3.6.1\n",
		END "subject /O=a/CN={principal}\nemail-domain ex.org\n",
		"usage keyCertSign\nca yes\npath-length 3\n",
		END "crl-url http://a/b\ncrl-url http://c/d\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fault f = { 0 };

		if (read_text(good[i], &f) < 0)
			fail_msg("%s: %s", good[i], f.text);
	}
}

static void
a_name_that_does_not_fit_is_refused(void **state)
{
	struct profile *p = malloc(sizeof(*p));
	char name[PROFILE_NAME_SIZE + 1];
	struct fault f = { 0 };

	(void)state;
	assert_non_null(p);
	memset(name, 'a', sizeof(name));
	name[PROFILE_NAME_SIZE] = '\0';
	assert_int_equal(profile_read(p, name, END, strlen(END), &f), -1);
	name[PROFILE_NAME_SIZE - 1] = '\0';
	assert_int_equal(profile_read(p, name, END, strlen(END), &f), 0);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_profiles_we_ship_are_good),
		cmocka_unit_test(
		    settings_that_contradict_each_other_are_refused),
		cmocka_unit_test(what_makes_sense_is_taken),
		cmocka_unit_test(a_name_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("x509/profile", tests, NULL, NULL);
}
