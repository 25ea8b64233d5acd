#include "trust/rfc5280.h"

#include "trust/mutation_probe.h"

#define UNKNOWN "1.2.3.4.5.6"

static const struct mutation mutations[] = {
	{ "two proxies", true, .flags = TRUST_CLIENT },
	{ "one proxy", true, .leaf = PROXY },
	{ "no proxy", true, .leaf = EEC, .flags = TRUST_CLIENT },
	{ "a CA as leaf", false, "a CA is no end entity", .leaf = SUB },
	{ "a CA as leaf, asked for", true, .leaf = SUB, .flags = TRUST_CA },
	/* Time. */
	{ "root expired", false, .who = ROOT, .spec.ends = -1 },
	{ "CA expired", false, .who = SUB, .spec.ends = -1 },
	{ "end entity expired", false, .who = EEC, .spec.ends = -1 },
	{ "proxy expired", false, .who = PROXY, .spec.ends = -1 },
	{ "leaf expired", false, .who = DEEPER, .spec.ends = -1 },
	{ "leaf in its last second but one", true, .who = DEEPER,
	    .spec.ends = 1 },
	{ "root not yet valid", false, .who = ROOT, .spec.begins = 60 },
	{ "CA not yet valid", false, .who = SUB, .spec.begins = 60 },
	{ "end entity not yet valid", false, .who = EEC, .spec.begins = 60 },
	{ "proxy not yet valid", false, .who = DEEPER, .spec.begins = 60 },
	{ "a proxy that outlives its issuer", true, .who = DEEPER,
	    .spec.ends = 100 * PKI_DAY },
	/* Signatures and keys. */
	{ "CA forged", false, .who = SUB, .spec.forged = true },
	{ "end entity forged", false, .who = EEC, .spec.forged = true },
	{ "proxy forged", false, .who = PROXY, .spec.forged = true },
	{ "leaf forged", false, .who = DEEPER, .spec.forged = true },
	{ "SHA-1", false, "SHA-1 signatures are broken", .who = EEC,
	    .spec.sha1 = true },
	{ "SHA-1 in a proxy", false, "SHA-1 signatures are broken",
	    .who = DEEPER, .spec.sha1 = true },
	{ "SHA-1 in the root", true, .who = ROOT, .spec.sha1 = true },
	{ "RSA", true, .who = EEC, .spec.key = "RSA:2048" },
	{ "RSA with 1024 bits", false, "too short", .who = EEC,
	    .spec.key = "RSA:1024" },
	{ "a proxy with RSA of 1024 bits", false, "too short", .who = DEEPER,
	    .spec.key = "RSA:1024" },
	{ "the issuer is another", false, .who = EEC,
	    .spec.issuer = PKI_BASE "/CN=Other" },
	{ "the issuer in other letters", false,
	    "names are the same byte for byte", .who = EEC,
	    .spec.issuer = PKI_BASE "/CN=SUB" },
	/* CAs. */
	{ "root without constraints", false, "it does not say it is a CA",
	    .set = { { ROOT, BC, NULL } } },
	{ "root says it is no CA", false,
	    .set = { { ROOT, BC, "critical,CA:FALSE" } } },
	{ "CA without constraints", false, .set = { { SUB, BC, NULL } } },
	{ "CA says it is none", false,
	    .set = { { SUB, BC, "critical,CA:FALSE" } } },
	{ "constraints not critical", false,
	    "RFC 5280 4.2.1.9 wants them critical",
	    .set = { { SUB, BC, "CA:TRUE" } } },
	{ "root of version 1", false, "it cannot say that it is a CA",
	    .who = ROOT, .spec.version = -1, .set = { { SUB, AKI, NULL } } },
	{ "CA of version 1", false, .who = SUB, .spec.version = -1,
	    .set = { { EEC, AKI, NULL } } },
	{ "CA may not sign", false,
	    .set = { { SUB, KU, "critical,cRLSign" } } },
	{ "root may not sign", false,
	    .set = { { ROOT, KU, "critical,cRLSign" } } },
	{ "CA without key usage", true, .set = { { SUB, KU, NULL } } },
	{ "CA with path length 0", true,
	    .set = { { SUB, BC, "critical,CA:TRUE,pathlen:0" } } },
	{ "root with path length 0", false,
	    .set = { { ROOT, BC, "critical,CA:TRUE,pathlen:0" } } },
	{ "root with path length 1", true,
	    .set = { { ROOT, BC, "critical,CA:TRUE,pathlen:1" } } },
	{ "end entity as CA", false, .who = PROXY, .leaf = PROXY,
	    .spec.subject = PKI_BASE "/OU=People/CN=Mallory",
	    .set = { { PROXY, PCI, NULL } } },
	{ "end entity with the usage of a CA", false,
	    "RFC 5280 4.2.1.9 forbids it", .leaf = EEC,
	    .set = { { EEC, KU, "critical,digitalSignature,keyCertSign" } } },
	/* Extensions. */
	{ "unknown critical in the root", false,
	    .set = { { ROOT, UNKNOWN, "critical,DER:0500" } } },
	{ "unknown critical in the CA", false,
	    .set = { { SUB, UNKNOWN, "critical,DER:0500" } } },
	{ "unknown critical in the end entity", false,
	    .set = { { EEC, UNKNOWN, "critical,DER:0500" } } },
	{ "unknown critical in a proxy", false,
	    .set = { { DEEPER, UNKNOWN, "critical,DER:0500" } } },
	{ "unknown, not critical", true,
	    .set = { { EEC, UNKNOWN, "DER:0500" },
		{ DEEPER, UNKNOWN, "DER:0500" } } },
	{ "critical policies", true,
	    .set = { { EEC, "certificatePolicies", "critical,1.2.3.4" } } },
	{ "a CA that demands policies", false, "policies are not judged here",
	    .set = { { SUB, "policyConstraints",
		"critical,requireExplicitPolicy:0" } } },
	/* Purposes. */
	{ "a client", true, .leaf = EEC, .flags = TRUST_CLIENT,
	    .set = { { EEC, EKU, "clientAuth" } } },
	{ "a server as client", false, .leaf = EEC, .flags = TRUST_CLIENT,
	    .set = { { EEC, EKU, "serverAuth" } } },
	{ "a client as server", false, .leaf = EEC, .flags = TRUST_SERVER,
	    .set = { { EEC, EKU, "clientAuth" } } },
	{ "a proxy of a server as client", false, .flags = TRUST_CLIENT,
	    .set = { { EEC, EKU, "serverAuth" } } },
	{ "a CA for servers only", false, .leaf = EEC, .flags = TRUST_CLIENT,
	    .set = { { SUB, EKU, "serverAuth" } } },
	{ "no purpose asked for", true, .leaf = EEC,
	    .set = { { EEC, EKU, "emailProtection" } } },
	{ "a client whose key may not sign", false, .leaf = EEC,
	    .flags = TRUST_CLIENT,
	    .set = { { EEC, KU, "critical,keyEncipherment" } } },
};

static void
each_mutation_is_judged_as_it_should_beside_openssl(void **state)
{
	(void)state;
	compare_all(mutations, sizeof(mutations) / sizeof(mutations[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    each_mutation_is_judged_as_it_should_beside_openssl),
	};

	return cmocka_run_group_tests_name("trust/rfc5280", tests, NULL, NULL);
}
