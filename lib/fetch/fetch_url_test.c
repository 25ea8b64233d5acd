#include "fetch/fetch_url.h"

#include "fetch/fetch_probe.h"

static void
urls_are_taken_apart(void **state)
{
	struct fetch_url u;
	struct fault f;

	(void)state;
	assert_int_equal(fetch_url_read(&u, "http://A.org/x", &f), 0);
	assert_int_equal(u.scheme, FETCH_HTTP);
	assert_string_equal(u.host, "A.org:80");
	assert_int_equal(fetch_url_read(&u, "https://u:p@[::1]:8443/", &f), 0);
	assert_int_equal(u.scheme, FETCH_HTTPS);
	assert_string_equal(u.host, "[::1]:8443");
	assert_int_equal(fetch_url_read(&u, "ftp://a/b", &f), 0);
	assert_string_equal(u.host, "a:21");
	assert_int_equal(fetch_url_read(&u, "file:///a%2fb", &f), 0);
	assert_int_equal(u.scheme, FETCH_FILE);
	assert_string_equal(u.path, "/a/b");
	assert_int_equal(fetch_url_read(&u, "file:///a%00b", &f), -1);
	assert_int_equal(fetch_url_read(&u, "http://a/\n", &f), -1);
	assert_int_equal(fetch_url_read(&u, "ldap://a/", &f), -1);
}

static int
follow(const char *from, const char *to, struct fault *f)
{
	struct fetch_url u;

	assert_int_equal(fetch_url_read(&u, from, f), 0);
	return fetch_url_follow(&u, to, f);
}

static void
redirections_never_lead_down(void **state)
{
	struct fault f;

	(void)state;
	assert_int_equal(follow("http://a/", "http://b/", &f), 0);
	assert_int_equal(follow("http://a/", "https://b/", &f), 0);
	assert_int_equal(follow("https://a/", "https://b/", &f), 0);
	assert_int_equal(follow("https://a/", "http://b/", &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	assert_int_equal(follow("http://a/", "ftp://b/", &f), -1);
	assert_int_equal(follow("http://a/", "file:///b", &f), -1);
	assert_int_equal(follow("http://a/", "gopher://b/", &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(redirections_never_lead_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
