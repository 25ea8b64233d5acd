#include "maprule/maprule_host.h"

#include "base/unit.h"

#include <string.h>

static bool
fits(const char *pattern, const char *name, const char *address)
{
	const char *const p[] = { pattern };
	const char *const n[] = { name }, *const a[] = { address };
	const struct maprule_words patterns = { 1, p };
	const struct maprule_host host = { { 1, n }, { 1, a } };

	return maprule_host_fits(&patterns, &host);
}

static void
names_fit_label_by_label(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool fits;
	} cases[] = {
		{ "a.org", "A.ORG", true },
		{ "a.org", "a.org.", true },
		{ "a.org", "b.a.org", false },
		{ "ldas-*.ligo.org", "ldas-cit.ligo.org", true },
		{ "ldas-*.ligo.org", "ldas-.ligo.org", true },
		{ "ldas-*.ligo.org", "ldas-a.b.ligo.org", false },
		{ "ldas-*.ligo.org", "xldas-a.ligo.org", false },
		{ "*.ligo.org", "ligo.org", false },
		{ "*.ligo.org", "a.b.ligo.org", false },
		{ "*.*.ligo.org", "a.b.ligo.org", true },
		{ "**.ligo.org", "a.b.ligo.org", true },
		{ "**.ligo.org", "ligo.org", false },
		{ "**.ligo.org", "ligo.org.evil.org", false },
		{ "**a*.org", "b.ca.xab.org", true },
		{ "**a*.org", "b.ca.xab.d.org", false },
		{ "n?.org", "n1.org", true },
		{ "n?.org", "n..org", false },
		{ "*", "host", true },
		{ "*", "host.org", false },
		{ "**", "host.org", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (fits(cases[i].pattern, cases[i].name, "9.9.9.9") !=
		    cases[i].fits)
			fail_msg("%s %s", cases[i].pattern, cases[i].name);
}

static void
networks_hold_their_addresses(void **state)
{
	static const struct {
		const char *pattern, *address;
		bool fits;
	} cases[] = {
		{ "131.215.0.0/16", "131.215.255.1", true },
		{ "131.215.0.0/16", "131.216.0.1", false },
		{ "131.215.0.0/16", "::ffff:131.215.0.1", true },
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1", "10.0.0.2", false },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/32", "2001:db9::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::1", "::1", true },
		{ "10.0.0.0/31", "10.0.0.1", true },
		{ "10.0.0.0/31", "10.0.0.2", false },
		{ "10.0.0.0/8", "rubbish", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (fits(cases[i].pattern, "h", cases[i].address) !=
		    cases[i].fits)
			fail_msg("%s %s", cases[i].pattern, cases[i].address);
}

static void
what_is_taken_away_stays_away(void **state)
{
	const char *const one[] = { "!a.org", "*.org" };
	const char *const none[] = { "!a.org" };
	const char *const a[] = { "a.org" }, *const b[] = { "b.org" };
	const struct maprule_words both = { 2, one }, only = { 1, none };
	const struct maprule_words empty = { 0 };
	const struct maprule_host at_a = { { 1, a }, { 0 } };
	const struct maprule_host at_b = { { 1, b }, { 0 } };

	(void)state;
	assert_false(maprule_host_fits(&both, &at_a));
	assert_true(maprule_host_fits(&both, &at_b));
	assert_false(maprule_host_fits(&only, &at_a));
	assert_true(maprule_host_fits(&only, &at_b));
	assert_true(maprule_host_fits(&empty, &at_a));
}

static void
patterns_of_names(void **state)
{
	(void)state;
	assert_true(maprule_glob("/dc=org/*", "/dc=org/cn=a/b"));
	assert_true(maprule_glob("*cn=?", "/o=g/cn=x"));
	assert_false(maprule_glob("*cn=?", "/o=g/cn=xy"));
	assert_true(maprule_glob("*a*a*", "banana"));
	assert_false(maprule_glob("", "x"));
	assert_true(maprule_glob("**", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_fit_label_by_label),
		cmocka_unit_test(networks_hold_their_addresses),
		cmocka_unit_test(what_is_taken_away_stays_away),
		cmocka_unit_test(patterns_of_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
