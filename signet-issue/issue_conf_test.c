#include "issue_conf.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The fault of a file that says ${text}. */
static enum fault_code
load(const char *text, struct issue_conf *conf)
{
	char path[] = "/tmp/signet-issue-conf.XXXXXX";
	struct fault f = { 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	(void)(issue_conf_load(conf, path, &f) == 0);
	(void)unlink(path);
	return f.code;
}

static void
there_is_one_way_to_signetd(void **state)
{
	struct issue_conf conf;

	(void)state;
	assert_int_equal(load("", &conf), FAULT_NONE);
	assert_string_equal(conf.socket, "/run/signet/issue.sock");
	assert_int_equal(conf.timeout, 60);
	assert_int_equal(load("directory /d\ntimeout 5\n", &conf), FAULT_NONE);
	assert_string_equal(conf.socket, "");
	assert_string_equal(conf.directory, "/d");
	assert_int_equal(conf.timeout, 5);
	assert_int_equal(load("directory /d\nsocket /s\n", &conf),
	    FAULT_CONFIG);
	assert_int_equal(load("sockets /s\n", &conf), FAULT_CONFIG);
}

static void
a_file_that_was_named_must_be_there(void **state)
{
	struct issue_conf conf;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(issue_conf_load(&conf, "/nonexistent/issue.conf", &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(setenv("SIGNET_ISSUE_CONF", "/nonexistent/other", 1),
	    0);
	assert_int_equal(issue_conf_load(&conf, NULL, &f), -1);
	assert_non_null(strstr(f.text, "/nonexistent/other"));
	assert_int_equal(unsetenv("SIGNET_ISSUE_CONF"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_one_way_to_signetd),
		cmocka_unit_test(a_file_that_was_named_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
