#include "server.h"

#include "base/fault.h"
#include "base/unit.h"
#include "conf/conf.h"
#include "myproxy/myproxy_client.h"
#include "signet_conf.h"

#include <stdlib.h>
#include <string.h>

static struct signet_conf conf;
static const struct server_options nothing = { NULL, OPTION_UNSET, NULL, NULL };

static int
forget(void **state)
{
	struct fault f;

	(void)state;
	unsetenv("MYPROXY_SERVER");
	unsetenv("MYPROXY_SERVER_PORT");
	unsetenv("MYPROXY_SERVER_DN");
	unsetenv("MYPROXY_SOCKET_TIMEOUT");
	unsetenv("X509_CERT_DIR");
	setenv("HOME", "/nonexistent", 1);
	return conf_read(&signet_schema, &conf, "", 0, &f);
}

static void
configure(const char *text)
{
	struct fault f;

	assert_int_equal(conf_read(&signet_schema, &conf, text, strlen(text),
			     &f),
	    0);
}

static void
options_win_over_environment_and_that_over_settings(void **state)
{
	struct option_list hosts = { 2, { "a.org:1", "b.org" } };
	struct server_options given = { &hosts, 99, "/CN=o", "/opt" };
	struct server s;
	struct fault f;

	(void)state;
	configure("server c.org\nserver d.org:2\nserver-dn /CN=c\n"
		  "trust-dir /conf\n");
	assert_int_equal(server_choose(&s, &nothing, &conf, &f), 0);
	assert_string_equal(s.list, "c.org,d.org:2");
	assert_int_equal(s.port, 7512);
	assert_string_equal(s.dn, "/CN=c");
	assert_string_equal(s.trust_dir, "/conf");

	setenv("MYPROXY_SERVER", "e.org:3,f.org", 1);
	setenv("MYPROXY_SERVER_PORT", "44", 1);
	setenv("MYPROXY_SERVER_DN", "/CN=e", 1);
	setenv("X509_CERT_DIR", "/env", 1);
	assert_int_equal(server_choose(&s, &nothing, &conf, &f), 0);
	assert_string_equal(s.list, "e.org:3,f.org");
	assert_int_equal(s.port, 44);
	assert_string_equal(s.dn, "/CN=e");
	assert_string_equal(s.trust_dir, "/env");
	assert_string_equal(s.install_dir, "/env");

	assert_int_equal(server_choose(&s, &given, &conf, &f), 0);
	assert_string_equal(s.list, "a.org:1,b.org");
	assert_int_equal(s.port, 99);
	assert_string_equal(s.dn, "/CN=o");
	assert_string_equal(s.trust_dir, "/opt");
	assert_string_equal(s.install_dir, "/opt");
}

static void
nowhere_a_server_is_said_with_all_the_places(void **state)
{
	struct server s;
	struct fault f;

	(void)state;
	/* Set to nothing is not set. */
	setenv("MYPROXY_SERVER", "", 1);
	assert_int_equal(server_choose(&s, &nothing, &conf, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
	assert_non_null(strstr(f.text, "MYPROXY_SERVER"));
	assert_non_null(strstr(f.text, "signet.conf"));
}

static void
a_port_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "0", "65536", "x", "75 12", "-1" };
	struct server s;
	struct fault f;

	(void)state;
	configure("server a.org\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("MYPROXY_SERVER_PORT", bad[i], 1);
		assert_int_equal(server_choose(&s, &nothing, &conf, &f), -1);
		assert_int_equal(f.code, FAULT_USAGE);
	}
}

static void
what_was_chosen_is_what_is_wished_for(void **state)
{
	struct myproxy_wish wish = { .lifetime = 5 };
	struct server s;
	struct fault f;

	(void)state;
	configure("server a.org\nconnect-timeout 7\ntrust-dir /t\n");
	assert_int_equal(server_choose(&s, &nothing, &conf, &f), 0);
	server_fill(&s, &wish);
	assert_string_equal(wish.servers, "a.org");
	assert_int_equal(wish.port, 7512);
	assert_null(wish.server_dn);
	assert_int_equal(wish.timeout_ms, 7000);
	assert_string_equal(wish.trust_dir, "/t");
	assert_string_equal(wish.install_dir, "/t");
	assert_int_equal(wish.lifetime, 5);
	setenv("MYPROXY_SOCKET_TIMEOUT", "3", 1);
	assert_int_equal(server_choose(&s, &nothing, &conf, &f), 0);
	assert_int_equal(s.timeout_ms, 3000);
	setenv("MYPROXY_SOCKET_TIMEOUT", "soon", 1);
	assert_int_equal(server_choose(&s, &nothing, &conf, &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    options_win_over_environment_and_that_over_settings,
		    forget),
		cmocka_unit_test_setup(
		    nowhere_a_server_is_said_with_all_the_places, forget),
		cmocka_unit_test_setup(a_port_that_is_none_is_refused, forget),
		cmocka_unit_test_setup(what_was_chosen_is_what_is_wished_for,
		    forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
