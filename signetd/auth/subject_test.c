#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "signetd/auth/auth.h"

#include <stdlib.h>
#include <string.h>

#define PEOPLE "/DC=org/DC=ligo/O=LIGO/OU=People"

static struct auth *
auth(void)
{
	struct auth *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	a->profiles = 3;
	a->profile[0] =
	    (struct auth_profile){ "slcs-user", PEOPLE "/CN={principal}" };
	a->profile[1] =
	    (struct auth_profile){ "parts", PEOPLE "/O={realm}/CN={user}" };
	a->profile[2] = (struct auth_profile){ "none", "" };
	return a;
}

/* The subject of ${principal} under ${profile}, or -1. */
static int
fill(const char *profile, const char *principal, char *text, size_t size,
    struct fault *f)
{
	struct auth *a = auth();
	struct talk *talk = calloc(1, sizeof(*talk));
	struct dn subject;
	int result;

	assert_non_null(talk);
	talk->auth = a;
	assert_int_equal(text_copy(talk->profile, sizeof(talk->profile),
			     profile),
	    0);
	assert_int_equal(text_copy(talk->principal, sizeof(talk->principal),
			     principal),
	    0);
	result = subject_fill(talk, &subject, f);
	if (result == 0)
		result = dn_show_slash(&subject, text, size);
	free(talk);
	free(a);
	return result;
}

static void
the_template_of_the_profile_is_filled(void **state)
{
	struct fault f = { 0 };
	char text[DN_TEXT_MAX];

	(void)state;
	assert_int_equal(fill("", "ann@LIGO.ORG", text, sizeof(text), &f), 0);
	assert_string_equal(text, PEOPLE "/CN=ann@LIGO.ORG");
	assert_int_equal(fill("parts", "ann@LIGO.ORG", text, sizeof(text), &f),
	    0);
	assert_string_equal(text, PEOPLE "/O=LIGO.ORG/CN=ann");
}

static void
without_a_profile_or_a_template_there_is_no_subject(void **state)
{
	static const char *const bad[] = { "none", "nosuch", "slcs" };
	char text[DN_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(fill(bad[i], "ann@LIGO.ORG", text,
				     sizeof(text), &f),
		    -1);
		assert_int_equal(f.code, FAULT_DENIED);
	}
}

static void
a_principal_cannot_add_to_its_subject(void **state)
{
	static const char *const bad[] = { "a/CN=root@LIGO.ORG", "a\n@LIGO.ORG",
		"\377@LIGO.ORG" };
	char text[DN_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(fill("", bad[i], text, sizeof(text), &f), -1);
		assert_int_equal(f.code, FAULT_DENIED);
	}
}

static void
a_worker_is_asked_only_where_the_map_is_elsewhere(void **state)
{
	static const struct {
		const char *from, *work;
	} ways[] = { { "profile", NULL }, { "mapfile", "map-file" },
		{ "program", "map-program" }, { "ldap", "map-ldap" } };
	struct signetd_conf *conf = calloc(1, sizeof(*conf));

	(void)state;
	assert_non_null(conf);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		memcpy(conf->subject_from, ways[i].from,
		    strlen(ways[i].from) + 1);
		if (ways[i].work == NULL)
			assert_null(subject_work(conf));
		else
			assert_string_equal(subject_work(conf), ways[i].work);
	}
	free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_template_of_the_profile_is_filled),
		cmocka_unit_test(
		    without_a_profile_or_a_template_there_is_no_subject),
		cmocka_unit_test(a_principal_cannot_add_to_its_subject),
		cmocka_unit_test(
		    a_worker_is_asked_only_where_the_map_is_elsewhere),
	};

	return cmocka_run_group_tests_name("auth/subject", tests, NULL, NULL);
}
