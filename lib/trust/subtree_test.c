#include "trust/subtree.h"

#include "base/fault.h"
#include "base/unit.h"
#include "x509/der.h"
#include "x509/dn.h"

#include <string.h>

static struct wire_bytes
text(const char *s)
{
	return (struct wire_bytes){ (const uint8_t *)s, strlen(s) };
}

static void
domains_cover_what_is_below_them(void **state)
{
	(void)state;
	assert_true(subtree_domain(text("a.org"), text("a.org")));
	assert_true(subtree_domain(text("x.A.org"), text("a.ORG")));
	assert_true(subtree_domain(text("x.a.org."), text("a.org")));
	assert_true(subtree_domain(text("a.org"), text("")));
	assert_true(subtree_domain(text("x.a.org"), text(".a.org")));
	assert_false(subtree_domain(text("a.org"), text(".a.org")));
	assert_false(subtree_domain(text("ba.org"), text("a.org")));
	assert_false(subtree_domain(text("org"), text("a.org")));
	assert_false(subtree_domain(text("a.org.b"), text("a.org")));
}

static void
a_wildcard_may_stand_for_what_is_below_it(void **state)
{
	(void)state;
	assert_true(subtree_wildcard(text("*.a.org"), text("x.a.org")));
	assert_false(subtree_wildcard(text("*.a.org"), text("a.org")));
	assert_false(subtree_wildcard(text("x.a.org"), text("x.a.org")));
	assert_false(subtree_wildcard(text("*"), text("a.org")));
}

/* A Name of one attribute, OU, with a value of any type. */
static void
name(struct buf *out, uint8_t tag, const char *value, size_t len)
{
	size_t whole = der_open(out, DER_SEQUENCE);
	size_t rdn = der_open(out, DER_SET);
	size_t attribute = der_open(out, DER_SEQUENCE);

	der_put_oid(out, "2.5.4.11");
	der_put(out, tag, value, len);
	der_close(out, attribute);
	der_close(out, rdn);
	der_close(out, whole);
}

static int
compare(uint8_t tag_a, const char *a, size_t len_a, uint8_t tag_b,
    const char *b, size_t len_b)
{
	OWN_BUF(left, 2000);
	OWN_BUF(right, 2000);

	name(&left, tag_a, a, len_a);
	name(&right, tag_b, b, len_b);
	return subtree_directory((struct wire_bytes){ left.data, left.len },
	    (struct wire_bytes){ right.data, right.len });
}

static void
values_compare_whatever_their_type_and_case(void **state)
{
	(void)state;
	assert_int_equal(compare(DER_UTF8, "People", 6, DER_PRINTABLE, "PEOPLE",
			     6),
	    1);
	assert_int_equal(compare(DER_UTF8, " a  b ", 6, DER_PRINTABLE, "a b",
			     3),
	    1);
	assert_int_equal(compare(DER_BMP, "\0P\0e", 4, DER_PRINTABLE, "pe", 2),
	    1);
	assert_int_equal(compare(DER_UTF8, "a", 1, DER_UTF8, "b", 1), 0);
	assert_int_equal(compare(DER_UTF8, "ab", 2, DER_UTF8, "a", 1), 0);
	assert_int_equal(compare(DER_BMP, "\x01P", 2, DER_UTF8, "p", 1), -1);
	assert_int_equal(compare(DER_BMP, "\0P\0", 3, DER_UTF8, "p", 1), -1);
	assert_int_equal(compare(DER_T61, "a", 1, DER_UTF8, "A", 1), -1);
	assert_int_equal(compare(DER_T61, "a", 1, DER_T61, "a", 1), 1);
}

static int
under(const char *below, const char *above)
{
	struct fault f = { 0 };
	struct dn a = { 0 }, b = { 0 };

	assert_int_equal(dn_read_slash(&a, below, &f), 0);
	assert_int_equal(dn_read_slash(&b, above, &f), 0);
	return subtree_directory((struct wire_bytes){ a.der, a.len },
	    (struct wire_bytes){ b.der, b.len });
}

static void
names_are_under_their_first_rdns(void **state)
{
	(void)state;
	assert_int_equal(under("/O=A/OU=B/CN=c", "/O=a/OU=b"), 1);
	assert_int_equal(under("/O=A/OU=B", "/O=A/OU=B"), 1);
	assert_int_equal(under("/O=A", "/O=A/OU=B"), 0);
	assert_int_equal(under("/OU=B/O=A", "/O=A"), 0);
	assert_int_equal(under("/O=A/OU=BC", "/O=A/OU=B"), 0);
}

static void
malformed_names_are_beyond_comparison(void **state)
{
	static const uint8_t cut[] = { 0x30, 0x05, 0x31, 0x03, 0x30, 0x05,
		0x06 };
	struct wire_bytes bad = { cut, sizeof(cut) };
	struct fault f = { 0 };
	struct dn dn = { 0 };

	(void)state;
	assert_int_equal(dn_read_slash(&dn, "/O=A", &f), 0);
	assert_int_equal(subtree_directory((struct wire_bytes){ dn.der,
					       dn.len },
			     bad),
	    -1);
	assert_true(subtree_directory(bad,
			(struct wire_bytes){ dn.der, dn.len }) <= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_cover_what_is_below_them),
		cmocka_unit_test(a_wildcard_may_stand_for_what_is_below_it),
		cmocka_unit_test(values_compare_whatever_their_type_and_case),
		cmocka_unit_test(names_are_under_their_first_rdns),
		cmocka_unit_test(malformed_names_are_beyond_comparison),
	};

	return cmocka_run_group_tests_name("trust/subtree", tests, NULL, NULL);
}
