#include "anchor/crl_points.h"

#include "anchor/anchor_probe.h"

/* The addresses in a root whose extension says ${value}. */
static void
points(const char *value, struct want_list *urls)
{
	struct fault f = { 0 };
	struct pki p;
	struct cert *cert;

	pki_init(&p);
	p.spec[ROOT].ext[3] =
	    (struct pki_extension){ "crlDistributionPoints", value };
	pki_make(&p);
	assert_non_null(cert = pki_read(p.cert[ROOT]));
	assert_int_equal(crl_points(cert, urls, &f), 0);
	cert_free(cert);
	pki_free(&p);
}

static void
addresses_are_taken_once_and_in_order(void **state)
{
	struct want_list urls = { 0 };

	(void)state;
	points("URI:http://a.example/x.crl,URI:ldap://a.example/x,"
	       "URI:http://b.example/x.crl,URI:http://a.example/x.crl",
	    &urls);
	assert_int_equal(urls.count, 2);
	assert_string_equal(urls.item[0], "http://a.example/x.crl");
	assert_string_equal(urls.item[1], "http://b.example/x.crl");
	want_list_clear(&urls);
}

static void
what_cannot_be_fetched_is_passed_over(void **state)
{
	struct want_list urls = { 0 };

	(void)state;
	points("URI:file:///etc/passwd", &urls);
	points("URI:http://a b/", &urls);
	points(NULL, &urls);
	assert_int_equal(urls.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_taken_once_and_in_order),
		cmocka_unit_test(what_cannot_be_fetched_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
