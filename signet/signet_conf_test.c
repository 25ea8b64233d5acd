#include "signet_conf.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/signet_conf_test.XXXXXX";
static char site[64];
static char folder[64];
static char own[80];

static int
set_up(void **state)
{
	struct fault f;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(site, sizeof(site), "%s/site.conf", dir);
	snprintf(folder, sizeof(folder), "%s/signet", dir);
	snprintf(own, sizeof(own), "%s/signet.conf", folder);
	setenv("XDG_CONFIG_HOME", dir, 1);
	setenv("SIGNET_CONF", site, 1);
	return file_mkdir(folder, 0700, &f);
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(site);
	unlink(own);
	rmdir(folder);
	return rmdir(dir);
}

static void
put(const char *path, const char *text)
{
	struct fault f;

	assert_int_equal(file_write(path, 0600, text, strlen(text), &f), 0);
}

static void
a_persons_lines_win_and_the_sites_others_stay(void **state)
{
	struct signet_conf conf;
	struct fault f;

	(void)state;
	put(site,
	    "server a.org\nserver b.org\nrealm A.ORG\nlifetime 2h\n"
	    "trustroots yes\n");
	put(own, "lifetime 12h\ntrustroots no\n");
	assert_int_equal(signet_conf_load(&conf, &f), 0);
	assert_int_equal(conf.server.count, 2);
	assert_string_equal(conf.realm, "A.ORG");
	/* Back to the built-in default is a choice as well. */
	assert_int_equal(conf.lifetime, 43200);
	assert_false(conf.trustroots);
	put(own, "server c.org\n");
	assert_int_equal(signet_conf_load(&conf, &f), 0);
	assert_int_equal(conf.server.count, 1);
	assert_string_equal(conf.server.item[0], "c.org");
	assert_int_equal(conf.lifetime, 7200);
	assert_true(conf.trustroots);
}

static void
without_a_persons_file_the_sites_stands(void **state)
{
	struct signet_conf conf;
	struct fault f;

	(void)state;
	put(site, "auth password\n");
	unlink(own);
	assert_int_equal(signet_conf_load(&conf, &f), 0);
	assert_string_equal(conf.auth, "password");
	assert_string_equal(conf.key, "rsa:2048");
}

static void
a_mistake_names_its_file_and_line(void **state)
{
	struct signet_conf conf;
	struct fault f;

	(void)state;
	put(site, "auth password\n");
	put(own, "\nsevrer a.org\n");
	assert_int_equal(signet_conf_load(&conf, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, own));
	assert_non_null(strstr(f.text, ":2: "));
}

static void
a_file_that_was_named_must_be_there(void **state)
{
	struct signet_conf conf;
	struct fault f;

	(void)state;
	unlink(site);
	assert_int_equal(signet_conf_load(&conf, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, site));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_persons_lines_win_and_the_sites_others_stay),
		cmocka_unit_test(without_a_persons_file_the_sites_stands),
		cmocka_unit_test(a_mistake_names_its_file_and_line),
		cmocka_unit_test(a_file_that_was_named_must_be_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
