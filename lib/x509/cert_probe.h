#ifndef X509_CERT_PROBE_H
#define X509_CERT_PROBE_H

/* For tests only: certificates of any kind, made by OpenSSL. */

#include "base/fault.h"
#include "base/unit.h"
#include "x509/cert.h"
#include "x509/own_ssl.h"

#include <openssl/conf.h>

#include <stdlib.h>
#include <string.h>

#define PROBE_FROM 1700000000
#define PROBE_TO 1800000000

/* An extension as OpenSSL's configuration has it. */
struct cert_probe_ext {
	const char *name;
	const char *value;
};

/* What a certificate is made of; what is NULL or 0 is left to the default. */
struct cert_probe {
	const char *subject;
	const char *issuer;
	const char *key; /* a curve, or "ED25519", or "RSA" */
	long serial;
	bool v1;
	struct cert_probe_ext ext[8];
};

static inline X509_NAME *
cert_probe_name(const char *slash)
{
	struct fault f = { 0 };
	struct dn dn;
	const uint8_t *at = dn.der;
	X509_NAME *name;

	if (dn_read_slash(&dn, slash, &f) < 0)
		fail_msg("%s: %s", slash, f.text);
	assert_non_null(name = d2i_X509_NAME(NULL, &at, (long)dn.len));
	return name;
}

static inline EVP_PKEY *
cert_probe_key(const char *what)
{
	EVP_PKEY *key;

	if (what == NULL || strncmp(what, "P-", 2) == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC",
		    what == NULL ? "P-256" : what);
	else if (strcmp(what, "RSA") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, what);
	assert_non_null(key);
	return key;
}

static inline void
cert_probe_extend(X509 *x, const struct cert_probe *p)
{
	/* Some extensions want a configuration, be it empty. */
	CONF *empty = NCONF_new(NULL);
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, empty);
	for (size_t i = 0; i < 8 && p->ext[i].name != NULL; i++) {
		X509_EXTENSION *ext = X509V3_EXT_nconf(empty, &ctx,
		    p->ext[i].name, p->ext[i].value);

		if (ext == NULL)
			fail_msg("%s = %s", p->ext[i].name, p->ext[i].value);
		assert_int_equal(X509_add_ext(x, ext, -1), 1);
		X509_EXTENSION_free(ext);
	}
	NCONF_free(empty);
}

/* Signed by its own key. */
static inline X509 *
cert_probe_make(const struct cert_probe *p)
{
	OWN(EVP_PKEY) key = cert_probe_key(p->key);
	OWN(X509_NAME) subject =
	    cert_probe_name(p->subject != NULL ? p->subject : "/DC=org/CN=a");
	OWN(X509_NAME) issuer =
	    cert_probe_name(p->issuer != NULL ? p->issuer : "/DC=org/CN=CA");
	X509 *x = X509_new();

	assert_non_null(x);
	assert_int_equal(X509_set_version(x, p->v1 ? 0 : 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), p->serial),
	    1);
	assert_int_equal(X509_set_subject_name(x, subject), 1);
	assert_int_equal(X509_set_issuer_name(x, issuer), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), PROBE_FROM));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), PROBE_TO));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	cert_probe_extend(x, p);
	assert_true(X509_sign(x, key,
			EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) >
	    0);
	return x;
}

/* cert_read from memory of exactly the right size, which is then gone. */
static inline struct cert *
cert_probe_read(const void *der, size_t len, struct fault *f)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct cert *cert;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, der, len);
	cert = cert_read((struct wire_bytes){ copy, len }, f);
	free(copy);
	return cert;
}

/* Make and read. */
static inline struct cert *
cert_probe_try(const struct cert_probe *p, struct fault *f)
{
	OWN(X509) x = cert_probe_make(p);
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	struct cert *cert;

	assert_true(len > 0);
	cert = cert_probe_read(der, (size_t)len, f);
	OPENSSL_free(der);
	return cert;
}

/* The same where it must be read. */
static inline struct cert *
cert_probe_cert(const struct cert_probe *p)
{
	struct fault f = { 0 };
	struct cert *cert = cert_probe_try(p, &f);

	if (cert == NULL)
		fail_msg("%s", f.text);
	return cert;
}

#endif
