/*
 * Chains put together at random from good and bad parts: none may be accepted
 * that OpenSSL refuses.
 */
#include "trust/verify_probe.h"

#define ROUNDS 1500
#define CHANGES_MAX 4

/* The same chains every time: a failure can be looked at again. */
struct dice {
	uint64_t state;
};

static unsigned throw(struct dice * d, unsigned sides)
{
	d->state = d->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(d->state >> 33) % sides;
}

static const char *const constraints[] = { NULL, "critical,CA:TRUE",
	"critical,CA:FALSE", "critical,CA:TRUE,pathlen:0",
	"critical,CA:TRUE,pathlen:1", "CA:TRUE" };
static const char *const usages[] = { NULL, "critical,digitalSignature",
	"critical,keyCertSign,cRLSign", "critical,keyEncipherment",
	"critical,digitalSignature,keyCertSign", "digitalSignature" };
static const char *const purposes[] = { NULL, "clientAuth", "serverAuth",
	"clientAuth,serverAuth", "critical,emailProtection", "1.2.3.4" };
static const char *const names[] = { NULL, "DNS:a.example.org",
	"DNS:*.example.org,IP:192.0.2.1", "email:alice@example.org",
	"URI:http://a.example.org/", "critical,DNS:A.EXAMPLE.COM" };
static const char *const subtrees[] = { NULL,
	"critical,permitted;DNS:example.org",
	"critical,excluded;DNS:a.example.org",
	"permitted;email:.org,permitted;DNS:.org",
	"critical,permitted;IP:192.0.2.0/255.255.255.0",
	"excluded;DNS:example.com" };
static const char *const rights[] = { NULL, PKI_INHERIT, PKI_LIMITED,
	PKI_INDEPENDENT, PKI_INHERIT ",pathlen:0",
	"critical,language:1.2.3.4,policy:text:x" };
static const char *const unknowns[] = { NULL, "DER:0500", "critical,DER:0500",
	NULL, "critical,DER:0500", "DER:30" };
static const char *const subjects[] = { PKI_PERSON, PKI_PERSON "/CN=1",
	PKI_PERSON "/CN=1234567890/CN=2", PKI_BASE "/CN=Sub",
	PKI_BASE "/CN=Root", PKI_BASE "/OU=People/CN=a.example.org" };

static const struct {
	const char *name;
	const char *const *values; /* six of them */
} extensions[] = {
	{ "basicConstraints", constraints },
	{ "keyUsage", usages },
	{ "extendedKeyUsage", purposes },
	{ "subjectAltName", names },
	{ "nameConstraints", subtrees },
	{ "proxyCertInfo", rights },
	{ "1.2.3.4.5.6", unknowns },
};
#define EXTENSIONS (sizeof(extensions) / sizeof(extensions[0]))

static bool
has_room(const struct pki_spec *s, const char *name)
{
	for (int i = 0; i < PKI_EXTENSIONS; i++)
		if (s->ext[i].name == NULL || strcmp(s->ext[i].name, name) == 0)
			return true;
	return false;
}

static void
change(struct pki *p, struct dice *d)
{
	enum pki_who who = (enum pki_who) throw(d, PKI_COUNT);
	unsigned what = throw(d, EXTENSIONS + 3);

	if (what < EXTENSIONS && has_room(&p->spec[who], extensions[what].name))
		pki_set(p, who, extensions[what].name,
		    extensions[what].values[throw(d, 6)]);
	/* OpenSSL takes the first of two CAs of one name and never looks
	 * back, so CAs keep their names. */
	else if (what == EXTENSIONS && who >= EEC)
		p->spec[who].subject = subjects[throw(d, 6)];
	else if (what == EXTENSIONS + 1)
		p->spec[who].ends = (long) throw(d, 3) - 1;
	else if (what == EXTENSIONS + 2)
		p->spec[who].forged = throw(d, 4) == 0;
}

/* Only chains of kinds that OpenSSL knows can be compared. */
static bool
comparable(const struct pki *p, enum pki_who leaf)
{
	for (int i = EEC; i <= (int)leaf; i++) {
		struct cert *cert = pki_read(p->cert[i]);
		bool old = cert != NULL &&
		    (cert->kind == CERT_PROXY_LEGACY ||
			cert->kind == CERT_PROXY_LEGACY_LIMITED);

		cert_free(cert);
		if (old)
			return false;
	}
	return true;
}

/* One chain: whether both accept it. */
static bool
play(struct dice *d)
{
	static const unsigned flags[] = { 0, TRUST_CLIENT, TRUST_SERVER };
	enum pki_who leaf = (enum pki_who)(EEC + throw(d, 3));
	unsigned how = flags[throw(d, 3)];
	struct dice was = *d;
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	struct pki p;
	bool ours, theirs;

	pki_init(&p);
	for (unsigned n = throw(d, CHANGES_MAX + 1); n > 0; n--)
		change(&p, d);
	pki_make(&p);
	pki_dir(&p);
	ours = accepts(&p, leaf, how | TRUST_NO_SIGNING_POLICY, &verdict, &f);
	theirs = openssl_accepts(&p, leaf, how, NULL);
	if (ours && !theirs && comparable(&p, leaf))
		fail_msg("dice %llx, leaf %d, flags %u: we accept it",
		    (unsigned long long)was.state, (int)leaf, how);
	if (!ours)
		assert_true(f.text[0] != '\0');
	pki_free(&p);
	return ours && theirs;
}

static void
no_random_chain_is_accepted_that_openssl_refuses(void **state)
{
	struct dice d = { 20261122 };
	int accepted = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++)
		if (play(&d))
			accepted++;
	/* Enough of both for the comparison to mean something. */
	assert_in_range(accepted, ROUNDS / 10, ROUNDS * 9 / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    no_random_chain_is_accepted_that_openssl_refuses),
	};

	return cmocka_run_group_tests_name("trust/chains", tests, NULL, NULL);
}
