/*
 * Chains of every kind, and what lib/trust and OpenSSL say of them.
 *
 *   trust_matrix PLACE
 *
 * Of each case a line: its name (CAs/leaf/proxies/policy/CRLs), its trust
 * directory and chain, for others to judge, what OpenSSL says (its error, 0 is
 * none; as `openssl verify -CApath -allow_proxy_certs -crl_check_all`), and
 * what we say: `accepted` and the identity, or `refused` and why.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "trust/verify.h"
#include "x509/own_ssl.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <sys/stat.h>

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE "/DC=org/DC=example"
#define PERSON BASE "/OU=People/CN=Alice"
#define DAY 86400L
#define INHERIT "critical,language:1.3.6.1.5.5.7.21.1"
#define LIMITED "critical,language:1.3.6.1.4.1.3536.1.1.1.9"
#define INDEPENDENT "critical,language:1.3.6.1.5.5.7.21.2"
#define CA_USAGE "critical,keyCertSign,cRLSign"
#define EXTENSIONS 4

struct spec {
	const char *subject;
	const char *usage; /* NULL: none */
	const char *constraints;
	const char *pci;     /* proxyCertInfo */
	const char *more[2]; /* another extension */
	long begins, ends;   /* days from now */
	int serial;
	int key; /* of keys */
};

enum {
	ROOT,
	SUB,
	SUB2,
	LEAF,
	P1,
	P2,
	KEYS
};

static EVP_PKEY *keys[KEYS + 1]; /* the last is a weak one */
static time_t now;

#define NEED(what)                                                    \
	do {                                                          \
		if (!(what)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #what); \
			exit(1);                                      \
		}                                                     \
	} while (0)

static X509_NAME *
name_of(const char *slash)
{
	X509_NAME *name = X509_NAME_new();
	char *copy = strdup(slash), *rest = NULL;

	for (char *rdn = strtok_r(copy, "/", &rest); rdn != NULL;
	     rdn = strtok_r(NULL, "/", &rest)) {
		char *value = strchr(rdn, '=');

		NEED(value != NULL);
		*value++ = '\0';
		NEED(X509_NAME_add_entry_by_txt(name, rdn, MBSTRING_ASC,
			 (const unsigned char *)value, -1, -1, 0) == 1);
	}
	free(copy);
	return name;
}

static void
extend(X509 *x, const char *name, const char *value)
{
	CONF *conf = NCONF_new(NULL);
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	NEED((e = X509V3_EXT_nconf(NULL, &ctx, name, value)) != NULL);
	NEED(X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
	NCONF_free(conf);
}

static X509 *
make(const struct spec *s, X509 *issuer, EVP_PKEY *by)
{
	X509 *x = X509_new();
	X509_NAME *name = name_of(s->subject);

	NEED(X509_set_version(x, 2) == 1);
	NEED(ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial) == 1);
	NEED(X509_set_subject_name(x, name) == 1);
	NEED(X509_set_issuer_name(x,
		 issuer == NULL ? name : X509_get_subject_name(issuer)) == 1);
	NEED(ASN1_TIME_set(X509_getm_notBefore(x), now + s->begins * DAY));
	NEED(ASN1_TIME_set(X509_getm_notAfter(x), now + s->ends * DAY));
	NEED(X509_set_pubkey(x, keys[s->key]) == 1);
	if (s->constraints != NULL)
		extend(x, "basicConstraints", s->constraints);
	if (s->usage != NULL)
		extend(x, "keyUsage", s->usage);
	if (s->pci != NULL)
		extend(x, "proxyCertInfo", s->pci);
	if (s->more[0] != NULL)
		extend(x, s->more[0], s->more[1]);
	NEED(X509_sign(x, by, EVP_sha256()) > 0);
	X509_NAME_free(name);
	return x;
}

/* The parts of a case; each changes the plain one. */
struct world {
	struct spec spec[KEYS];
	bool has[KEYS];	   /* in the chain */
	bool anchor[KEYS]; /* in the directory */
	bool forged;
	const char *policy; /* pattern; NULL: no file */
	const char *namespaces;
	const char *signer;    /* in the policy; NULL: the CA */
	long crl_from, crl_to; /* days */
	int revoked;
	const char *crl_text; /* instead of the leaf's CA's */
	bool crl_absent, crl_other, crl_der;
	X509 *cert[KEYS];
};

struct part {
	const char *name;
	void (*set)(struct world *w);
};

static void
plain(struct world *w)
{
	const struct spec specs[KEYS] = {
		{ BASE "/CN=Root", CA_USAGE, "critical,CA:TRUE", NULL,
		    { NULL, NULL }, -10, 1000, 1, ROOT },
		{ BASE "/CN=Sub", CA_USAGE, "critical,CA:TRUE", NULL,
		    { NULL, NULL }, -10, 900, 2, SUB },
		{ BASE "/CN=Sub Two", CA_USAGE, "critical,CA:TRUE", NULL,
		    { NULL, NULL }, -10, 800, 3, SUB2 },
		{ PERSON, "critical,digitalSignature", "critical,CA:FALSE",
		    NULL, { NULL, NULL }, -9, 100, 4, LEAF },
		{ PERSON "/CN=111", "critical,digitalSignature", NULL, INHERIT,
		    { NULL, NULL }, -8, 10, 5, P1 },
		{ PERSON "/CN=111/CN=222", "critical,digitalSignature", NULL,
		    INHERIT, { NULL, NULL }, -7, 9, 6, P2 },
	};

	memset(w, 0, sizeof(*w));
	memcpy(w->spec, specs, sizeof(specs));
	w->has[SUB] = w->has[LEAF] = true;
	w->anchor[ROOT] = w->anchor[SUB] = true;
	w->policy = BASE "/*";
	w->crl_from = -1;
	w->crl_to = 20;
}

#define PART(name, what)                  \
	static void name(struct world *w) \
	{                                 \
		(void)w;                  \
		what;                     \
	}
PART(as_it_is, (void)0)
/* CAs */
PART(direct, w->has[SUB] = w->anchor[SUB] = false)
PART(sent, w->anchor[SUB] = false)
PART(deep, w->has[SUB2] = w->anchor[SUB2] = true)
PART(sub_short, w->spec[SUB].constraints = "critical,CA:TRUE,pathlen:0")
PART(deep_short, deep(w); sub_short(w))
PART(no_ca, w->spec[SUB].constraints = "critical,CA:FALSE")
PART(no_sign, w->spec[SUB].usage = "critical,cRLSign")
PART(root_over, w->spec[ROOT].ends = -1)
PART(sub_over, w->spec[SUB].ends = -1)
PART(unknown, w->anchor[ROOT] = w->anchor[SUB] = false)
/* All below DC=org is excluded. */
PART(names, w->spec[SUB].more[0] = "2.5.29.30";
     w->spec[SUB].more[1] = "critical,DER:301DA11B3019A4173015311330110"
			    "60A0992268993F22C64011916036F7267")
PART(forged, w->forged = true)
PART(loose, w->spec[SUB].constraints = "CA:TRUE")
/* leaves */
PART(over, w->spec[LEAF].ends = -1)
PART(early, w->spec[LEAF].begins = 1)
PART(no_usage, w->spec[LEAF].usage = NULL)
PART(encipher, w->spec[LEAF].usage = "critical,keyEncipherment")
PART(critical, w->spec[LEAF].more[0] = "1.2.3.4.5";
     w->spec[LEAF].more[1] = "critical,DER:0500")
PART(weak, w->spec[LEAF].key = KEYS)
PART(server, w->spec[LEAF].more[0] = "extendedKeyUsage";
     w->spec[LEAF].more[1] = "serverAuth")
/* proxies */
PART(one, w->has[P1] = true)
PART(two, w->has[P1] = w->has[P2] = true)
PART(limited, one(w); w->spec[P1].pci = LIMITED)
PART(limited_full, two(w); w->spec[P1].pci = LIMITED)
PART(independent, one(w); w->spec[P1].pci = INDEPENDENT)
PART(short_path, two(w); w->spec[P1].pci = INHERIT ",pathlen:0")
PART(long_path, two(w); w->spec[P1].pci = INHERIT ",pathlen:1")
PART(legacy, one(w); w->spec[P1].pci = NULL;
     w->spec[P1].subject = PERSON "/CN=proxy")
PART(legacy_limited, legacy(w);
     w->spec[P1].subject = PERSON "/CN=limited proxy")
PART(draft, one(w); w->spec[P1].pci = NULL;
     w->spec[P1].more[0] = "1.3.6.1.4.1.3536.1.222";
     w->spec[P1].more[1] = "critical,DER:300C300A06082B06010505071501")
PART(misnamed, one(w); w->spec[P1].subject = BASE "/CN=Bob/CN=111")
PART(proxy_ca, one(w); w->spec[P1].constraints = "critical,CA:TRUE")
PART(proxy_over, one(w); w->spec[P1].ends = -1)
PART(proxy_alt, one(w); w->spec[P1].more[0] = "subjectAltName";
     w->spec[P1].more[1] = "DNS:a.example.org")
PART(restricted, one(w);
     w->spec[P1].pci = "critical,language:1.2.3.4,policy:text:x")
PART(mixed, two(w); w->spec[P2].pci = NULL;
     w->spec[P2].subject = PERSON "/CN=111/CN=proxy")
/* policies */
PART(elsewhere, w->policy = "/O=Other/*")
PART(none, w->policy = NULL)
PART(of_another, w->signer = "/O=Other/CN=CA")
PART(case_differs, w->policy = "/dc=ORG/dc=EXAMPLE/*")
PART(two_stars, w->policy = "/DC=org/*/CN=*")
PART(spaces_yes, w->namespaces = "PERMIT")
PART(spaces_no, w->namespaces = "DENY")
/* CRLs */
PART(crl_old, w->crl_from = -20; w->crl_to = -1)
PART(crl_early, w->crl_from = 1; w->crl_to = 20)
PART(crl_leaf, w->revoked = 4)
PART(crl_sub, w->revoked = 2)
PART(crl_none, w->crl_absent = true)
PART(crl_junk, w->crl_text = "garbage\n")
PART(crl_empty, w->crl_text = "")
PART(crl_others, w->crl_other = true)
PART(crl_in_der, w->crl_der = true)

#define P(function)                 \
	{                           \
#function, function \
	}
static const struct part shapes[] = { { "plain", as_it_is }, P(direct), P(sent),
	P(deep), P(sub_short), P(deep_short), P(no_ca), P(no_sign),
	P(root_over), P(sub_over), P(unknown), P(names), P(forged), P(loose) };
static const struct part leaves[] = { { "plain", as_it_is }, P(over), P(early),
	P(no_usage), P(encipher), P(critical), P(weak), P(server) };
static const struct part proxies[] = { { "none", as_it_is }, P(one), P(two),
	P(limited), P(limited_full), P(legacy), P(draft), P(independent),
	P(short_path), P(long_path), P(legacy_limited), P(misnamed),
	P(proxy_ca), P(proxy_over), P(proxy_alt), P(restricted), P(mixed) };
static const struct part policies[] = { { "fits", as_it_is }, P(elsewhere),
	P(none), P(of_another), P(case_differs), P(two_stars), P(spaces_yes),
	P(spaces_no) };
static const struct part crls[] = { { "good", as_it_is }, P(crl_old),
	P(crl_early), P(crl_leaf), P(crl_sub), P(crl_none), P(crl_junk),
	P(crl_empty), P(crl_others), P(crl_in_der) };
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static FILE *
create(const char *dir, X509 *ca, const char *ending)
{
	char path[PATH_MAX];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%08lx.%s", dir,
	    X509_NAME_hash_ex(X509_get_subject_name(ca), NULL, NULL, NULL),
	    ending);
	NEED((out = fopen(path, "we")) != NULL);
	return out;
}

static X509_CRL *
make_crl(const struct world *w, X509 *ca, EVP_PKEY *key)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, now + w->crl_from * DAY);
	ASN1_TIME *to = ASN1_TIME_set(NULL, now + w->crl_to * DAY);

	NEED(X509_CRL_set_version(crl, 1) == 1);
	NEED(X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) == 1);
	NEED(X509_CRL_set1_lastUpdate(crl, from) == 1);
	NEED(X509_CRL_set1_nextUpdate(crl, to) == 1);
	if (w->revoked != 0) {
		X509_REVOKED *entry = X509_REVOKED_new();
		ASN1_INTEGER *serial = ASN1_INTEGER_new();

		NEED(ASN1_INTEGER_set(serial, w->revoked) == 1);
		NEED(X509_REVOKED_set_serialNumber(entry, serial) == 1);
		NEED(X509_REVOKED_set_revocationDate(entry, from) == 1);
		NEED(X509_CRL_add0_revoked(crl, entry) == 1);
		ASN1_INTEGER_free(serial);
	}
	NEED(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return crl;
}

/* Policy, namespaces and CRL of the CA ${who}; ${last}: it signed the leaf. */
static void
equip(const struct world *w, const char *dir, int who, bool last)
{
	X509 *ca = w->cert[who];
	bool odd = last && w->crl_text != NULL;
	X509_CRL *crl;
	FILE *out;

	if (w->policy != NULL || !last) {
		out = create(dir, ca, "signing_policy");
		fprintf(out,
		    "access_id_CA X509 '%s'\npos_rights globus CA:sign\n"
		    "cond_subjects globus '\"%s\"'\n",
		    last && w->signer != NULL ? w->signer
					      : w->spec[who].subject,
		    last ? w->policy : BASE "/*");
		(void)fclose(out);
	}
	if (last && w->namespaces != NULL) {
		out = create(dir, ca, "namespaces");
		fprintf(out, "TO Issuer SELF %s Subject \"" BASE "/.*\"\n",
		    w->namespaces);
		(void)fclose(out);
	}
	if (last && w->crl_absent)
		return;
	out = create(dir, ca, "r0");
	crl = make_crl(w, last && w->crl_other ? w->cert[P2] : ca,
	    keys[w->spec[who].key]);
	if (odd)
		fputs(w->crl_text, out);
	else if (last && w->crl_der)
		NEED(i2d_X509_CRL_fp(out, crl) == 1);
	else
		NEED(PEM_write_X509_CRL(out, crl) == 1);
	(void)fclose(out);
	X509_CRL_free(crl);
}

static void
make_all(struct world *w)
{
	int above = ROOT;

	for (int i = 0; i < KEYS; i++) {
		bool used = i == ROOT || w->has[i] || w->anchor[i];
		/* A forged one: by a key of nobody's. */
		EVP_PKEY *by = keys[i == LEAF && w->forged ? P2 : above];

		w->cert[i] = make(&w->spec[i],
		    i == ROOT ? NULL : w->cert[above],
		    above == LEAF && i != LEAF ? keys[w->spec[LEAF].key] : by);
		if (used)
			above = i;
	}
}

/* The directory and the chain on disk. */
static void
build(struct world *w, const char *dir, const char *chain)
{
	FILE *out;
	int last = ROOT;

	make_all(w);
	NEED(mkdir(dir, 0755) == 0);
	for (int i = SUB; i <= SUB2; i++)
		if (w->has[i] || w->anchor[i])
			last = i;
	for (int i = ROOT; i <= SUB2; i++) {
		if (i != ROOT && !w->has[i] && !w->anchor[i])
			continue;
		if (w->anchor[i]) {
			out = create(dir, w->cert[i], "0");
			NEED(PEM_write_X509(out, w->cert[i]) == 1);
			(void)fclose(out);
		}
		equip(w, dir, i, i == last);
	}
	NEED((out = fopen(chain, "we")) != NULL);
	for (int i = P2; i > ROOT; i--)
		if (w->has[i])
			NEED(PEM_write_X509(out, w->cert[i]) == 1);
	(void)fclose(out);
}

/* As `openssl verify` does it. */
static int
ask_openssl(const struct world *w, const char *dir)
{
	OWN(X509_STORE) store = X509_STORE_new();
	OWN(X509_STORE_CTX) ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *leaf = NULL;
	int error;

	NEED(X509_STORE_load_path(store, dir) == 1);
	for (int i = P2; i > ROOT; i--) {
		if (!w->has[i])
			continue;
		if (leaf == NULL)
			leaf = w->cert[i];
		else
			NEED(sk_X509_push(chain, w->cert[i]) > 0);
	}
	NEED(X509_STORE_CTX_init(ctx, store, leaf, chain) == 1);
	X509_STORE_CTX_set_flags(ctx,
	    X509_V_FLAG_ALLOW_PROXY_CERTS | X509_V_FLAG_CRL_CHECK |
		X509_V_FLAG_CRL_CHECK_ALL);
	(void)X509_verify_cert(ctx);
	error = X509_STORE_CTX_get_error(ctx);
	sk_X509_free(chain);
	return error;
}

static void
ask_ours(const struct world *w, const char *dir)
{
	OWN_STRUCT(trust_store) store = NULL;
	struct trust_verdict verdict;
	struct cert_list chain = { 0 };
	struct fault f = { 0 };
	char name[DN_TEXT_MAX];

	NEED((store = trust_load(dir, true, NULL, NULL, &f)) != NULL);
	for (int i = P2; i > ROOT; i--) {
		unsigned char *der = NULL;
		int len;

		if (!w->has[i])
			continue;
		len = i2d_X509(w->cert[i], &der);
		chain.cert[chain.count] =
		    cert_read((struct wire_bytes){ der, (size_t)len }, &f);
		OPENSSL_free(der);
		if (chain.cert[chain.count] == NULL) {
			printf("refused %s\n", f.text);
			cert_list_free(&chain);
			return;
		}
		chain.count++;
	}
	if (trust_verify(store, &chain, now, 0, &verdict, &f) < 0)
		printf("refused %s\n", f.text);
	else if (dn_show_slash(&verdict.identity, name, sizeof(name)) == 0)
		printf("accepted %s%s\n", name,
		    verdict.limited ? " limited" : "");
	cert_list_free(&chain);
}

static void
play(const char *place, const struct part *const parts[5])
{
	static int count;
	char dir[PATH_MAX], chain[PATH_MAX + 8];
	struct world w;

	plain(&w);
	for (int i = 0; i < 5; i++)
		parts[i]->set(&w);
	(void)snprintf(dir, sizeof(dir), "%s/%d", place, count++);
	(void)snprintf(chain, sizeof(chain), "%s.pem", dir);
	build(&w, dir, chain);
	printf("%s/%s/%s/%s/%s\t%s\t%s\t%d\t", parts[0]->name, parts[1]->name,
	    parts[2]->name, parts[3]->name, parts[4]->name, dir, chain,
	    ask_openssl(&w, dir));
	ask_ours(&w, dir);
	for (int i = 0; i < KEYS; i++)
		X509_free(w.cert[i]);
}

/* All of ${a} by the first ${n} of ${b}, the rest plain. */
static void
cross(const char *place, int at, const struct part *a, size_t count, int over,
    const struct part *b, size_t n)
{
	const struct part *parts[5] = { shapes, leaves, proxies, policies,
		crls };

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < n; k++) {
			parts[at] = &a[i];
			parts[over] = &b[k];
			play(place, parts);
		}
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	now = clock_wall();
	for (int i = 0; i < KEYS; i++)
		NEED((keys[i] = EVP_EC_gen("P-256")) != NULL);
	NEED((keys[KEYS] = EVP_RSA_gen(1024)) != NULL);
	cross(argv[1], 0, shapes, COUNT(shapes), 2, proxies, COUNT(proxies));
	cross(argv[1], 3, policies + 1, COUNT(policies) - 1, 0, shapes, 4);
	cross(argv[1], 3, policies + 1, COUNT(policies) - 1, 2, proxies + 1, 6);
	cross(argv[1], 4, crls + 1, COUNT(crls) - 1, 0, shapes, 4);
	cross(argv[1], 4, crls + 1, COUNT(crls) - 1, 2, proxies + 1, 6);
	cross(argv[1], 1, leaves + 1, COUNT(leaves) - 1, 0, shapes, 4);
	cross(argv[1], 1, leaves + 1, COUNT(leaves) - 1, 2, proxies + 1, 6);
	cross(argv[1], 4, crls + 1, COUNT(crls) - 1, 3, policies + 1, 3);
	cross(argv[1], 1, leaves + 1, COUNT(leaves) - 1, 3, policies + 1, 5);
	for (int i = 0; i <= KEYS; i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}
