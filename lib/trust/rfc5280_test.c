#include "trust/rfc5280.h"

#include "base/text.h"
#include "trust/verify_probe.h"
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

/*
 * One thing done to the plain chain, and whether it is accepted then.
 * Whatever we accept OpenSSL must accept too, old proxies excepted, of which it
 * does not know; where it accepts what we do not, ${differs} says why.
 */
struct mutation {
	const char *name;
	bool accept;
	const char *differs;
	enum pki_who leaf; /* 0: the lower proxy */
	unsigned flags;
	struct {
		enum pki_who who;
		const char *name;
		const char *value; /* NULL: leave it out */
	} set[4];
	enum pki_who who; /* to whom the following is done */
	struct pki_spec spec;
};

#define AKI "authorityKeyIdentifier"
#define DRAFT "1.3.6.1.4.1.3536.1.222"
#define DRAFT_INHERIT "critical,DER:300c300a06082b06010505071501"
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
	/* Name constraints. */
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
	/* Proxies. */
	{ "limited", true, .set = { { DEEPER, PCI, PKI_LIMITED } } },
	{ "full below limited", true, .set = { { PROXY, PCI, PKI_LIMITED } } },
	{ "independent", true, .set = { { DEEPER, PCI, PKI_INDEPENDENT } } },
	{ "a policy that nobody knows", false,
	    "nobody here can judge it (RFC 3820 3.8.2)",
	    .set = { { DEEPER, PCI,
		"critical,language:1.2.3.4,policy:text:abc" } } },
	{ "path length 1 with one below", true,
	    .set = { { PROXY, PCI, PKI_INHERIT ",pathlen:1" } } },
	{ "path length 0 with one below", false,
	    .set = { { PROXY, PCI, PKI_INHERIT ",pathlen:0" } } },
	{ "path length 0 at the end", true,
	    .set = { { DEEPER, PCI, PKI_INHERIT ",pathlen:0" } } },
	{ "a proxy with other names", false,
	    .set = { { DEEPER, SAN, "DNS:a.example.org" } } },
	{ "a proxy whose issuer has other names", false,
	    .set = { { DEEPER, "issuerAltName", "DNS:a.example.org" } } },
	{ "a proxy that says it is a CA", false,
	    .set = { { DEEPER, BC, "critical,CA:TRUE" } } },
	{ "a proxy that says it is none", true,
	    .set = { { DEEPER, BC, "critical,CA:FALSE" } } },
	{ "a proxy with a CA's usage", false, "RFC 3820 3.6 forbids it",
	    .set = { { DEEPER, KU,
		"critical,digitalSignature,keyCertSign" } } },
	{ "an end entity whose key may not sign", false,
	    .set = { { EEC, KU, "critical,keyEncipherment" } } },
	{ "a proxy whose key may not sign", false,
	    .set = { { PROXY, KU, "critical,keyEncipherment" } } },
	{ "a proxy of another name", false, .who = DEEPER,
	    .spec.subject = PKI_BASE "/OU=People/CN=Mallory/CN=1" },
	{ "a proxy with its issuer's name", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890" },
	{ "a proxy with two names more", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890/CN=1/CN=2" },
	{ "a proxy with an OU more", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890/OU=1" },
	{ "a proxy of a CA", false, .leaf = EEC, .who = EEC,
	    .spec.subject = PKI_BASE "/CN=Sub/CN=1",
	    .set = { { EEC, PCI, PKI_INHERIT } } },
	{ "a proxy's rights not critical", false, "RFC 3820 3.8",
	    .set = { { DEEPER, PCI, "language:1.3.6.1.5.5.7.21.1" } } },
	{ "legacy", true, "OpenSSL never heard of it", .leaf = PROXY,
	    .who = PROXY, .spec.subject = PKI_PERSON "/CN=proxy",
	    .set = { { PROXY, PCI, NULL }, { EEC, KU, NULL } } },
	{ "legacy, by a key that may not sign certificates", false,
	    .leaf = PROXY, .who = PROXY, .spec.subject = PKI_PERSON "/CN=proxy",
	    .set = { { PROXY, PCI, NULL } } },
	{ "legacy and limited", true, "OpenSSL never heard of it",
	    .leaf = PROXY, .who = PROXY,
	    .spec.subject = PKI_PERSON "/CN=limited proxy",
	    .set = { { PROXY, PCI, NULL }, { EEC, KU, NULL } } },
	{ "RFC 3820 below legacy", false, .who = PROXY,
	    .spec.subject = PKI_PERSON "/CN=proxy",
	    .set = { { PROXY, PCI, NULL } } },
	{ "draft", true, "OpenSSL never heard of it",
	    .set = { { PROXY, PCI, NULL }, { DEEPER, PCI, NULL },
		{ PROXY, DRAFT, DRAFT_INHERIT },
		{ DEEPER, DRAFT, DRAFT_INHERIT } } },
	{ "draft, not critical", false, .leaf = PROXY,
	    .set = { { PROXY, PCI, NULL },
		{ PROXY, DRAFT, "DER:300c300a06082b06010505071501" } } },
	{ "draft with a policy that nobody knows", false, .leaf = PROXY,
	    .set = { { PROXY, PCI, NULL },
		{ PROXY, DRAFT,
		    "critical,DER:300730050603"
		    "2a0304" } } },
	{ "draft below RFC 3820", false,
	    .set = { { DEEPER, PCI, NULL },
		{ DEEPER, DRAFT, DRAFT_INHERIT } } },
	{ "RFC 3820 below draft", false,
	    .set = { { PROXY, PCI, NULL }, { PROXY, DRAFT, DRAFT_INHERIT } } },
	{ "legacy below draft", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890/CN=proxy",
	    .set = { { PROXY, PCI, NULL }, { PROXY, DRAFT, DRAFT_INHERIT },
		{ DEEPER, PCI, NULL }, { PROXY, KU, NULL } } },
	{ "legacy below RFC 3820", false, .who = DEEPER,
	    .spec.subject = PKI_PERSON "/CN=1234567890/CN=proxy",
	    .set = { { DEEPER, PCI, NULL } } },
};
#define MUTATIONS (sizeof(mutations) / sizeof(mutations[0]))

static void
mutate(struct pki *p, const struct mutation *m)
{
	struct pki_spec *s = &p->spec[m->who];

	for (int i = 0; i < 4; i++)
		if (m->set[i].name != NULL)
			pki_set(p, m->set[i].who, m->set[i].name,
			    m->set[i].value);
	if (m->spec.subject != NULL)
		s->subject = m->spec.subject;
	if (m->spec.issuer != NULL)
		s->issuer = m->spec.issuer;
	if (m->spec.key != NULL)
		s->key = m->spec.key;
	if (m->spec.begins != 0)
		s->begins = m->spec.begins;
	if (m->spec.ends != 0)
		s->ends = m->spec.ends;
	if (m->spec.version != 0)
		s->version = 0;
	s->forged = m->spec.forged;
	s->sha1 = m->spec.sha1;
}

static void
compare(const struct mutation *m)
{
	enum pki_who leaf = m->leaf != ROOT ? m->leaf : DEEPER;
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	struct pki p;
	bool ours, theirs;

	pki_init(&p);
	mutate(&p, m);
	pki_make(&p);
	pki_dir(&p);
	ours = accepts(&p, leaf, m->flags, &verdict, &f);
	theirs = openssl_accepts(&p, leaf, m->flags, NULL);
	if (ours != m->accept)
		fail_msg("%s: %s %s", m->name, ours ? "accepted" : "refused",
		    f.text);
	if ((ours != theirs) != (m->differs != NULL))
		fail_msg("%s: OpenSSL %s it, we say %s", m->name,
		    theirs ? "accepts" : "refuses", f.text);
	if (!ours)
		assert_true(f.text[0] != '\0');
	pki_free(&p);
}

static void
each_mutation_is_judged_as_it_should_beside_openssl(void **state)
{
	(void)state;
	assert_true(MUTATIONS >= 40);
	for (size_t i = 0; i < MUTATIONS; i++)
		compare(&mutations[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    each_mutation_is_judged_as_it_should_beside_openssl),
	};

	return cmocka_run_group_tests_name("trust/rfc5280", tests,
	    make_constraints, NULL);
}
