#ifndef TRUST_PKI_PROBE_H
#define TRUST_PKI_PROBE_H

/*
 * For tests: a root, a CA under it, an end entity and two proxies, made with
 * OpenSSL's own objects, so that what we judge was not made by ourselves.
 * What a test wants to be different it changes before pki_make().
 */
#include "base/fault.h"
#include "base/unit.h"
#include "trust/store.h"
#include "x509/own_ssl.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum pki_who {
	ROOT,
	SUB,
	EEC,
	PROXY,
	DEEPER,
	PKI_COUNT
};

#define PKI_NOW 1800000000 /* 15 January 2027 */
#define PKI_DAY 86400
#define PKI_EXTENSIONS 6
#define PKI_BASE "/DC=org/DC=example"
#define PKI_PERSON PKI_BASE "/OU=People/CN=Alice Example"

#define PKI_INHERIT "critical,language:1.3.6.1.5.5.7.21.1"
#define PKI_LIMITED "critical,language:1.3.6.1.4.1.3536.1.1.1.9"
#define PKI_INDEPENDENT "critical,language:1.3.6.1.5.5.7.21.2"

struct pki_extension {
	const char *name; /* OpenSSL's name or a dotted OID */
	const char *value;
};

struct pki_spec {
	const char *subject; /* slash form without slashes in values */
	const char *issuer;  /* NULL: the subject of the one above */
	const char *key;     /* "EC", "RSA:1024" */
	long begins, ends;   /* seconds after PKI_NOW */
	long version;	     /* 2 is v3 */
	long serial;
	bool forged; /* signed with a key of no one's */
	bool sha1;
	struct pki_extension ext[PKI_EXTENSIONS];
};

struct pki {
	struct pki_spec spec[PKI_COUNT];
	EVP_PKEY *key[PKI_COUNT];
	X509 *cert[PKI_COUNT];
	char dir[64]; /* of trust, "" until pki_dir() */
};

#define PKI_UNUSED __attribute__((unused))

static const struct pki_spec pki_plain[PKI_COUNT] = {
	{ .subject = PKI_BASE "/CN=Root",
	    .ext = { { "basicConstraints", "critical,CA:TRUE" },
		{ "keyUsage", "critical,keyCertSign,cRLSign" },
		{ "subjectKeyIdentifier", "hash" } } },
	{ .subject = PKI_BASE "/CN=Sub",
	    .ext = { { "basicConstraints", "critical,CA:TRUE" },
		{ "keyUsage", "critical,keyCertSign,cRLSign" },
		{ "subjectKeyIdentifier", "hash" },
		{ "authorityKeyIdentifier", "keyid" } } },
	{ .subject = PKI_PERSON,
	    .ext = { { "basicConstraints", "critical,CA:FALSE" },
		{ "keyUsage", "critical,digitalSignature" },
		{ "subjectKeyIdentifier", "hash" },
		{ "authorityKeyIdentifier", "keyid" } } },
	{ .subject = PKI_PERSON "/CN=1234567890",
	    .ext = { { "keyUsage", "critical,digitalSignature" },
		{ "proxyCertInfo", PKI_INHERIT } } },
	{ .subject = PKI_PERSON "/CN=1234567890/CN=9876543210",
	    .ext = { { "keyUsage", "critical,digitalSignature" },
		{ "proxyCertInfo", PKI_INHERIT } } },
};

static PKI_UNUSED void
pki_init(struct pki *p)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->spec, pki_plain, sizeof(pki_plain));
	for (int i = 0; i < PKI_COUNT; i++) {
		struct pki_spec *s = &p->spec[i];

		s->key = "EC";
		s->begins = -PKI_DAY;
		s->ends = (time_t)PKI_DAY * (PKI_COUNT - i);
		s->version = 2;
		s->serial = 1000 + i;
	}
}

/* The value of ${who}'s extension ${name}, to be changed. */
static PKI_UNUSED void
pki_set(struct pki *p, enum pki_who who, const char *name, const char *value)
{
	struct pki_extension *e = p->spec[who].ext;

	while (e->name != NULL && strcmp(e->name, name) != 0)
		e++;
	assert_true(e < p->spec[who].ext + PKI_EXTENSIONS);
	e->name = name;
	e->value = value;
}

static EVP_PKEY *
pki_key(const char *what)
{
	const char *bits = strchr(what, ':'); /* "EC", or "RSA:2048" */
	EVP_PKEY *key = bits == NULL
	    ? EVP_EC_gen("P-256")
	    : EVP_RSA_gen((unsigned)strtoul(bits + 1, NULL, 10));

	assert_non_null(key);
	return key;
}

static X509_NAME *
pki_name(const char *slash)
{
	X509_NAME *name = X509_NAME_new();
	OWN(char) copy = strdup(slash);
	char *rest = NULL;

	assert_non_null(name);
	for (char *rdn = strtok_r(copy, "/", &rest); rdn != NULL;
	     rdn = strtok_r(NULL, "/", &rest)) {
		char *value = strchr(rdn, '=');

		assert_non_null(value);
		*value++ = '\0';
		/* DC as IA5String, the rest PrintableString if it fits. */
		assert_int_equal(X509_NAME_add_entry_by_txt(name, rdn,
				     MBSTRING_ASC, (const unsigned char *)value,
				     -1, -1, 0),
		    1);
	}
	return name;
}

static void
pki_extend(X509 *x, X509 *issuer, const struct pki_spec *s)
{
	CONF *conf = NCONF_new(NULL);
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	for (int i = 0; i < PKI_EXTENSIONS; i++) {
		X509_EXTENSION *e;

		if (s->ext[i].name == NULL || s->ext[i].value == NULL)
			continue;
		e = X509V3_EXT_nconf(NULL, &ctx, s->ext[i].name,
		    s->ext[i].value);
		if (e == NULL)
			fail_msg("%s=%s", s->ext[i].name, s->ext[i].value);
		assert_int_equal(X509_add_ext(x, e, -1), 1);
		X509_EXTENSION_free(e);
	}
	NCONF_free(conf);
}

static X509 *
pki_cert(const struct pki_spec *s, EVP_PKEY *key, X509 *issuer,
    EVP_PKEY *issuer_key)
{
	X509 *x = X509_new();
	OWN(X509_NAME) subject = pki_name(s->subject);
	OWN(X509_NAME) from = s->issuer != NULL ? pki_name(s->issuer)
	    : issuer != NULL ? X509_NAME_dup(X509_get_subject_name(issuer))
			     : X509_NAME_dup(subject);
	OWN(EVP_PKEY) nobody = pki_key("EC");

	assert_non_null(x);
	assert_int_equal(X509_set_version(x, s->version), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial),
	    1);
	assert_int_equal(X509_set_subject_name(x, subject), 1);
	assert_int_equal(X509_set_issuer_name(x, from), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x),
	    PKI_NOW + s->begins));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x),
	    PKI_NOW + s->ends));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	if (s->version == 2)
		pki_extend(x, issuer != NULL ? issuer : x, s);
	assert_true(X509_sign(x, s->forged ? nobody : issuer_key,
			s->sha1 ? EVP_sha1() : EVP_sha256()) > 0);
	return x;
}

static PKI_UNUSED void
pki_make(struct pki *p)
{
	for (int i = 0; i < PKI_COUNT; i++) {
		int above = i > 0 ? i - 1 : 0;

		p->key[i] = pki_key(p->spec[i].key);
		p->cert[i] = pki_cert(&p->spec[i], p->key[i],
		    i > 0 ? p->cert[above] : NULL, p->key[above]);
	}
}

static PKI_UNUSED struct cert *
pki_read(X509 *x)
{
	struct fault f = { 0 };
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	struct cert *cert;
	uint8_t *exact;

	assert_true(len > 0);
	exact = malloc((size_t)len);
	assert_non_null(exact);
	memcpy(exact, der, (size_t)len);
	OPENSSL_free(der);
	cert = cert_read((struct wire_bytes){ exact, (size_t)len }, &f);
	free(exact);
	return cert;
}

/* The chain from ${leaf} up to the CA under the root; false if one of them is
 * so bad that it cannot be read. */
static PKI_UNUSED bool
pki_chain(const struct pki *p, enum pki_who leaf, struct cert_list *chain)
{
	memset(chain, 0, sizeof(*chain));
	for (int i = (int)leaf; i >= (int)SUB; i--) {
		struct cert *cert = pki_read(p->cert[i]);

		if (cert == NULL)
			return false;
		chain->cert[chain->count++] = cert;
	}
	return true;
}

static PKI_UNUSED void
pki_path(const struct pki *p, X509 *ca, const char *ending, char *path)
{
	(void)snprintf(path, PATH_MAX, "%s/%08lx.%s", p->dir,
	    X509_NAME_hash_ex(X509_get_subject_name(ca), NULL, NULL, NULL),
	    ending);
}

static PKI_UNUSED void
pki_text(const struct pki *p, X509 *ca, const char *ending, const char *text)
{
	char path[PATH_MAX];
	FILE *out;

	pki_path(p, ca, ending, path);
	assert_non_null(out = fopen(path, "we"));
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static PKI_UNUSED void
pki_anchor(const struct pki *p, X509 *ca, const char *ending)
{
	char path[PATH_MAX];
	FILE *out;

	pki_path(p, ca, ending, path);
	assert_non_null(out = fopen(path, "we"));
	assert_int_equal(PEM_write_X509(out, ca), 1);
	assert_int_equal(fclose(out), 0);
}

/* A signing policy for ${ca} with one pattern. */
static PKI_UNUSED void
pki_policy(const struct pki *p, X509 *ca, const char *pattern)
{
	char name[512];
	char text[1024];

	(void)X509_NAME_oneline(X509_get_subject_name(ca), name, sizeof(name));
	(void)snprintf(text, sizeof(text),
	    "access_id_CA X509 '%s'\npos_rights globus CA:sign\n"
	    "cond_subjects globus '\"%s\"'\n",
	    name, pattern);
	pki_text(p, ca, "signing_policy", text);
}

/* The directory and the files in it. */
static PKI_UNUSED void
pki_remove(const char *dir)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *open = opendir(dir);

	assert_non_null(open);
	while ((entry = readdir(open)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		(void)unlink(path);
	}
	(void)closedir(open);
	assert_int_equal(rmdir(dir), 0);
}

/* A trust directory with the root and policies for both CAs, which need no
 * CRLs. */
static PKI_UNUSED void
pki_dir(struct pki *p)
{
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/signet_pki.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	pki_anchor(p, p->cert[ROOT], "0");
	pki_policy(p, p->cert[ROOT], PKI_BASE "/*");
	pki_policy(p, p->cert[SUB], PKI_BASE "/OU=People/*");
	pki_text(p, p->cert[ROOT], "crl_optional", "in tests\n");
	pki_text(p, p->cert[SUB], "crl_optional", "in tests\n");
}

struct pki_crl {
	long begins, ends; /* after PKI_NOW; ends 0: leave nextUpdate out */
	long serial;	   /* revoked; 0: none */
	int reason;	   /* CRL_REASON_, -1: none */
};

static PKI_UNUSED X509_REVOKED *
pki_revoked(const struct pki_crl *what, ASN1_TIME *when)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	OWN(ASN1_INTEGER) serial = ASN1_INTEGER_new();
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

	assert_int_equal(ASN1_INTEGER_set(serial, what->serial), 1);
	assert_int_equal(X509_REVOKED_set_serialNumber(entry, serial), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(entry, when), 1);
	assert_int_equal(ASN1_ENUMERATED_set(reason, what->reason), 1);
	if (what->reason > 0)
		assert_int_equal(X509_REVOKED_add1_ext_i2d(entry,
				     NID_crl_reason, reason, 0, 0),
		    1);
	ASN1_ENUMERATED_free(reason);
	return entry;
}

static PKI_UNUSED X509_CRL *
pki_crl(X509 *ca, EVP_PKEY *key, const struct pki_crl *what)
{
	X509_CRL *crl = X509_CRL_new();
	OWN(ASN1_TIME) when = ASN1_TIME_set(NULL, PKI_NOW + what->begins);
	OWN(ASN1_TIME) next = ASN1_TIME_set(NULL, PKI_NOW + what->ends);

	assert_int_equal(X509_CRL_set_version(crl, 1), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl,
			     X509_get_subject_name(ca)),
	    1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, when), 1);
	if (what->ends != 0)
		assert_int_equal(X509_CRL_set1_nextUpdate(crl, next), 1);
	if (what->serial != 0)
		assert_int_equal(X509_CRL_add0_revoked(crl,
				     pki_revoked(what, when)),
		    1);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	return crl;
}

static PKI_UNUSED void
pki_put_crl(const struct pki *p, X509 *ca, X509_CRL *crl, const char *ending,
    bool as_der)
{
	char path[PATH_MAX];
	FILE *out;

	pki_path(p, ca, ending, path);
	assert_non_null(out = fopen(path, "we"));
	assert_int_equal(as_der ? i2d_X509_CRL_fp(out, crl)
				: PEM_write_X509_CRL(out, crl),
	    1);
	assert_int_equal(fclose(out), 0);
}

static PKI_UNUSED void
pki_free(struct pki *p)
{
	for (int i = 0; i < PKI_COUNT; i++) {
		X509_free(p->cert[i]);
		EVP_PKEY_free(p->key[i]);
	}
	if (p->dir[0] != '\0')
		pki_remove(p->dir);
}

#endif
