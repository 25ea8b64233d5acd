#include "trust/constraint.h"

#include "base/text.h"
#include "trust/mutation_probe.h"
#include "x509/der.h"

/* Hexadecimal DER of nameConstraints with one directoryName, made once. */
static char permit_people[512] = "critical,DER:";
static char permit_hosts[512] = "critical,DER:";
static char exclude_people[512] = "critical,DER:";

static void
make_constraint(char *text, uint8_t list_tag, const char *slash)
{
	OWN_BUF(der, 400);
	struct fault f = { 0 };
	struct dn dn = { 0 };
	size_t whole = der_open(&der, DER_SEQUENCE);
	size_t list = der_open(&der, list_tag);
	size_t subtree = der_open(&der, DER_SEQUENCE);
	size_t name = der_open(&der, DER_CONTEXT_C(4));

	assert_int_equal(dn_read_slash(&dn, slash, &f), 0);
	buf_put(&der, dn.der, dn.len);
	der_close(&der, name);
	der_close(&der, subtree);
	der_close(&der, list);
	der_close(&der, whole);
	text_hex(der.data, der.len, text + strlen(text));
}

static int
make_constraints(void **state)
{
	(void)state;
	make_constraint(permit_people, DER_CONTEXT_C(0), PKI_BASE "/OU=People");
	make_constraint(permit_hosts, DER_CONTEXT_C(0), PKI_BASE "/OU=Hosts");
	make_constraint(exclude_people, DER_CONTEXT_C(1),
	    PKI_BASE "/OU=People");
	return 0;
}

static const struct mutation mutations[] = {
	{ "inside a permitted directory", true,
	    .set = { { SUB, NC, permit_people } } },
	{ "inside one permitted by the root", false,
	    .set = { { ROOT, NC, permit_people } } },
	{ "outside a permitted directory", false,
	    .set = { { SUB, NC, permit_hosts } } },
	{ "in an excluded directory", false,
	    .set = { { SUB, NC, exclude_people } } },
	{ "a host in a permitted domain", true, .leaf = EEC,
	    .set = { { SUB, NC, "critical,permitted;DNS:example.org" },
		{ EEC, SAN, "DNS:a.example.org" } } },
	{ "a host outside", false, .leaf = EEC,
	    .set = { { SUB, NC, "critical,permitted;DNS:example.org" },
		{ EEC, SAN, "DNS:a.example.org,DNS:badexample.org" } } },
	{ "a host in an excluded domain", false, .leaf = EEC,
	    .set = { { SUB, NC, "critical,excluded;DNS:example.org" },
		{ EEC, SAN, "DNS:a.example.org" } } },
	{ "a host of that domain by its CN", true, .leaf = EEC,
	    .set = { { SUB, NC, "critical,permitted;DNS:example.org" } },
	    .who = EEC,
	    .spec.subject = PKI_BASE "/OU=People/CN=a.example.org" },
	{ "a host outside by its CN", false, .leaf = EEC,
	    .set = { { SUB, NC, "critical,permitted;DNS:example.org" } },
	    .who = EEC,
	    .spec.subject = PKI_BASE "/OU=People/CN=a.example.com" },
	{ "an excluded host with a dot at its end", false,
	    "it is the same host", .leaf = EEC,
	    .set = { { SUB, NC, "critical,excluded;DNS:example.org" },
		{ EEC, SAN, "DNS:a.example.org." } } },
	{ "a wildcard that may stand for an excluded host", false, "it may",
	    .leaf = EEC,
	    .set = { { SUB, NC, "critical,excluded;DNS:a.example.org" },
		{ EEC, SAN, "DNS:*.example.org" } } },
	{ "constraints on names that are not there", true, .leaf = EEC,
	    .set = { { SUB, NC, "critical,permitted;email:example.org" } } },
	{ "constraints that are not critical bind too", false, .leaf = EEC,
	    .set = { { SUB, NC, "permitted;DNS:example.org" },
		{ EEC, SAN, "DNS:a.example.com" } } },
	{ "constraints of a form that we do not compare", false,
	    "only directory and DNS names are compared", .leaf = EEC,
	    .set = { { SUB, NC, "critical,permitted;email:example.org" },
		{ EEC, SAN, "email:alice@example.org" } } },
};

static void
each_name_is_held_as_it_should_beside_openssl(void **state)
{
	(void)state;
	compare_all(mutations, sizeof(mutations) / sizeof(mutations[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_is_held_as_it_should_beside_openssl),
	};

	return cmocka_run_group_tests_name("trust/constraint", tests,
	    make_constraints, NULL);
}
