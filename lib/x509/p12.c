#include "x509/p12.h"

#include "base/fault.h"
#include "x509/der.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

#define P12_MAX 1048576
#define BAGS_MAX 64 /* certificates and keys we look at */

/* Whoever wrote the file chose how long we compute: a few seconds at most. */
#define ITERATIONS_MAX 5000000u
#define ITERATIONS 100000

/* A library context of its own for algorithms that only the legacy provider
 * has, so that nothing else in the process gets to use them. */
struct legacy {
	OSSL_LIB_CTX *context;
	OSSL_PROVIDER *plain;
	OSSL_PROVIDER *old;
};

/* What has been found so far. */
struct find {
	const char *phrase;
	int phrase_len;
	OSSL_LIB_CTX *context; /* NULL: the process's own */
	size_t bags;
	struct key *key;
	struct cert_list certs;
};

typedef STACK_OF(PKCS7) safes;
typedef STACK_OF(PKCS12_SAFEBAG) safebags;

static inline void
safes_free(safes *s)
{
	sk_PKCS7_pop_free(s, PKCS7_free);
}

static inline void
safebags_free(safebags *s)
{
	sk_PKCS12_SAFEBAG_pop_free(s, PKCS12_SAFEBAG_free);
}

OWN_FREE(safes, safes_free)
OWN_FREE(safebags, safebags_free)

static void
legacy_close(struct legacy *l)
{
	if (l->old != NULL)
		(void)OSSL_PROVIDER_unload(l->old);
	if (l->plain != NULL)
		(void)OSSL_PROVIDER_unload(l->plain);
	OSSL_LIB_CTX_free(l->context);
}

static int
legacy_open(struct legacy *l, struct fault *f)
{
	if ((l->context = OSSL_LIB_CTX_new()) == NULL ||
	    (l->plain = OSSL_PROVIDER_load(l->context, "default")) == NULL ||
	    (l->old = OSSL_PROVIDER_load(l->context, "legacy")) == NULL)
		return ossl_fault(f, FAULT_UNSUPPORTED,
		    "this PKCS#12 file needs OpenSSL's legacy provider");
	return 0;
}

/*
 * The iteration count in parameters of PBE (RFC 7292 C: salt, iterations) or
 * PBES2 (RFC 8018 A.4: first the key derivation and its salt, iterations);
 * scrypt's costs have a bound in OpenSSL.
 */
static uint64_t
iterations_in(struct der_in parameters)
{
	struct der_in function;

	if (der_peek(&parameters) == DER_SEQUENCE) {
		function = der_enter(&parameters, DER_SEQUENCE);
		(void)der_get(&function, DER_OID);
		parameters = der_enter(&function, DER_SEQUENCE);
	}
	(void)der_get(&parameters, DER_OCTET_STRING);
	return der_get_u64(&parameters);
}

static int
check_work(const X509_ALGOR *algorithm, struct fault *f)
{
	const ASN1_STRING *text;
	const void *value = NULL;
	int type = V_ASN1_UNDEF;
	struct der_in in;
	struct der_in parameters;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return fault_set(f, FAULT_INPUT,
		    "an encryption without parameters");
	text = value;
	in = DER_IN(ASN1_STRING_get0_data(text),
	    (size_t)ASN1_STRING_length(text));
	parameters = der_enter(&in, DER_SEQUENCE);
	if (iterations_in(parameters) > ITERATIONS_MAX)
		return fault_set(f, FAULT_INPUT,
		    "a key derivation of more than %u iterations",
		    ITERATIONS_MAX);
	return 0;
}

/* Our struct key from OpenSSL's, through PKCS#8. */
static struct key *
to_key(EVP_PKEY *pkey, struct fault *f)
{
	OWN(BIO) text = BIO_new(BIO_s_secmem());
	struct key *key;
	char *data = NULL;
	long len;

	if (text == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(text, pkey, NULL, NULL, 0, NULL,
		NULL) != 1 ||
	    (len = BIO_get_mem_data(text, &data)) <= 0) {
		(void)ossl_fault(f, FAULT_INPUT, "its private key");
		return NULL;
	}
	key = key_read_pem(data, (size_t)len, NULL, f);
	OPENSSL_cleanse(data, (size_t)len);
	return key;
}

static int
take_key(struct find *find, const PKCS8_PRIV_KEY_INFO *p8, struct fault *f)
{
	OWN(EVP_PKEY) pkey = EVP_PKCS82PKEY(p8);

	if (pkey == NULL)
		return ossl_fault(f, FAULT_INPUT, "its private key");
	if (find->key == NULL && (find->key = to_key(pkey, f)) == NULL)
		return -1;
	return 0;
}

/* A bundle may hold certificates that we would not read: those are passed
 * over, the leaf will be missed if it is among them. */
static int
take_cert(struct find *find, const PKCS12_SAFEBAG *bag, struct fault *f)
{
	OWN(X509) x = PKCS12_SAFEBAG_get1_cert(bag);
	struct fault ignored = { 0 };
	struct cert *cert;
	uint8_t *der = NULL;
	int len;

	if (x == NULL || (len = i2d_X509(x, &der)) <= 0)
		return ossl_fault(f, FAULT_INPUT, "a certificate in it");
	cert = cert_read((struct wire_bytes){ der, (size_t)len }, &ignored);
	OPENSSL_free(der);
	if (cert == NULL)
		return 0;
	if (find->certs.count == CERT_LIST_MAX) {
		cert_free(cert);
		return fault_set(f, FAULT_INPUT,
		    "more than %d certificates in it", CERT_LIST_MAX);
	}
	find->certs.cert[find->certs.count++] = cert;
	return 0;
}

static int
take_bag(struct find *find, PKCS12_SAFEBAG *bag, struct fault *f)
{
	OWN(PKCS8_PRIV_KEY_INFO) p8 = NULL;
	const X509_ALGOR *algorithm;

	if (find->bags++ >= BAGS_MAX)
		return fault_set(f, FAULT_INPUT, "more than %d items in it",
		    BAGS_MAX);
	switch (PKCS12_SAFEBAG_get_nid(bag)) {
	case NID_keyBag:
		return take_key(find, PKCS12_SAFEBAG_get0_p8inf(bag), f);
	case NID_pkcs8ShroudedKeyBag:
		X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, NULL);
		if (check_work(algorithm, f) < 0)
			return -1;
		p8 = PKCS12_decrypt_skey_ex(bag, find->phrase, find->phrase_len,
		    find->context, NULL);
		if (p8 == NULL)
			return ossl_fault(f, FAULT_INPUT,
			    "its private key cannot be decrypted");
		return take_key(find, p8, f);
	case NID_certBag:
		if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
			return 0;
		return take_cert(find, bag, f);
	default: /* CRLs, secrets and what else there may be */
		return 0;
	}
}

static safebags *
open_safe(const struct find *find, PKCS7 *safe, struct fault *f)
{
	safebags *bags;

	if (PKCS7_type_is_data(safe)) {
		bags = PKCS12_unpack_p7data(safe);
	} else if (PKCS7_type_is_encrypted(safe) && safe->d.encrypted != NULL &&
	    safe->d.encrypted->enc_data != NULL) {
		if (check_work(safe->d.encrypted->enc_data->algorithm, f) < 0)
			return NULL;
		bags = PKCS12_unpack_p7encdata(safe, find->phrase,
		    find->phrase_len);
	} else {
		(void)fault_set(f, FAULT_UNSUPPORTED,
		    "a part of it is locked with a certificate");
		return NULL;
	}
	if (bags == NULL)
		(void)ossl_fault(f, FAULT_INPUT,
		    "a part of it cannot be decrypted");
	return bags;
}

static int
take_all(struct find *find, const PKCS12 *p12, struct fault *f)
{
	OWN(safes) all = PKCS12_unpack_authsafes(p12);

	if (all == NULL)
		return ossl_fault(f, FAULT_INPUT, "no PKCS#12 contents");
	for (int i = 0; i < sk_PKCS7_num(all); i++) {
		OWN(safebags) bags = open_safe(find, sk_PKCS7_value(all, i), f);

		if (bags == NULL)
			return -1;
		for (int b = 0; b < sk_PKCS12_SAFEBAG_num(bags); b++)
			if (take_bag(find, sk_PKCS12_SAFEBAG_value(bags, b),
				f) < 0)
				return -1;
	}
	return 0;
}

/* The MAC tells whether the pass phrase is right. */
static int
check_mac(const struct find *find, PKCS12 *p12, struct fault *f)
{
	const ASN1_INTEGER *count = NULL;
	int64_t iterations = 1;

	if (!PKCS12_mac_present(p12))
		return fault_set(f, FAULT_UNSUPPORTED,
		    "nothing protects this PKCS#12 file");
	PKCS12_get0_mac(NULL, NULL, NULL, &count, p12);
	if (count != NULL &&
	    (ASN1_INTEGER_get_int64(&iterations, count) != 1 ||
		iterations < 1 || iterations > (int64_t)ITERATIONS_MAX))
		return fault_set(f, FAULT_INPUT,
		    "a key derivation of more than %u iterations",
		    ITERATIONS_MAX);
	ERR_clear_error();
	if (PKCS12_verify_mac(p12, find->phrase, find->phrase_len) == 1)
		return 0;
	ERR_clear_error();
	return fault_set(f, FAULT_LOGIN, "wrong pass phrase");
}

static PKCS12 *
parse(OSSL_LIB_CTX *context, const uint8_t *der, size_t len, struct fault *f)
{
	OWN(PKCS12) p12 = PKCS12_init_ex(NID_pkcs7_data, context, NULL);

	if (len > P12_MAX || p12 == NULL ||
	    d2i_PKCS12(&p12, &der, (long)len) == NULL) {
		(void)ossl_fault(f, FAULT_INPUT, "not a PKCS#12 file");
		return NULL;
	}
	return TAKE(p12);
}

static void
find_clear(struct find *find)
{
	key_free(find->key);
	cert_list_free(&find->certs);
	find->key = NULL;
	find->bags = 0;
}

/* All that is in the ${len} bytes at ${der}.  *${opened} says whether the pass
 * phrase was right, so that what failed after it was the contents. */
static int
find_all(struct find *find, const void *der, size_t len, bool *opened,
    struct fault *f)
{
	OWN(PKCS12) p12 = parse(find->context, der, len, f);

	*opened = false;
	if (p12 == NULL || check_mac(find, p12, f) < 0)
		return -1;
	*opened = true;
	return take_all(find, p12, f);
}

static int
find_legacy(struct find *find, const void *der, size_t len, struct fault *f)
{
	struct legacy l = { NULL, NULL, NULL };
	bool opened;
	int answer = legacy_open(&l, f);

	find->context = l.context;
	if (answer == 0)
		answer = find_all(find, der, len, &opened, f);
	find->context = NULL;
	legacy_close(&l);
	return answer;
}

/* Take the certificate at ${i} out of the bundle into the chain. */
static void
move(struct find *find, size_t i, struct cert_list *chain)
{
	chain->cert[chain->count++] = find->certs.cert[i];
	find->certs.cert[i] = find->certs.cert[--find->certs.count];
}

/* The next one: that of the key, or the issuer of the last; never a root. */
static bool
move_next(struct find *find, struct cert_list *chain)
{
	for (size_t i = 0; i < find->certs.count; i++) {
		const struct cert *c = find->certs.cert[i];
		bool fits = chain->count == 0
		    ? der_bytes_equal(c->spki.der, key_spki(find->key)->der)
		    : !cert_is_self_issued(c) &&
			dn_equal(&c->subject,
			    &chain->cert[chain->count - 1]->issuer);

		if (fits) {
			move(find, i, chain);
			return true;
		}
	}
	return false;
}

static int
arrange(struct find *find, struct credential *c, struct fault *f)
{
	struct credential made = { 0 };

	if (find->key == NULL)
		return fault_set(f, FAULT_INPUT, "no private key in it");
	while (move_next(find, &made.chain))
		continue;
	if (made.chain.count == 0)
		return fault_set(f, FAULT_INPUT,
		    "no certificate for its private key in it");
	made.key = TAKE(find->key);
	*c = made;
	return 0;
}

int
p12_read(struct credential *c, const void *der, size_t len,
    const struct secret *phrase, bool *legacy, struct fault *f)
{
	struct find find = { .phrase =
				 phrase != NULL ? secret_text(phrase) : "",
		.phrase_len = phrase != NULL ? (int)secret_len(phrase) : 0 };
	struct fault second = { 0 };
	bool needed = false;
	bool opened = false;
	int answer = find_all(&find, der, len, &opened, f);

	/* Opened and yet not read: perhaps for want of an old algorithm.  If
	 * that is not it, the first fault says more. */
	if (answer < 0 && opened) {
		find_clear(&find);
		answer = find_legacy(&find, der, len, &second);
		needed = answer == 0;
	}
	if (answer == 0)
		answer = arrange(&find, c, f);
	find_clear(&find);
	if (answer == 0 && legacy != NULL)
		*legacy = needed;
	return answer;
}

static EVP_PKEY *
from_key(const struct key *key, struct fault *f)
{
	OWN_BUF(pem, 65536);
	OWN(BIO) in = NULL;
	EVP_PKEY *pkey = NULL;

	if (key_write_pem(key, NULL, &pem, f) < 0)
		return NULL;
	in = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (in != NULL)
		pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	if (pkey == NULL)
		(void)ossl_fault(f, FAULT_INTERNAL, "the private key");
	return pkey;
}

static X509 *
from_cert(const struct cert *cert, struct fault *f)
{
	const uint8_t *at = cert->der;
	X509 *x = d2i_X509(NULL, &at, (long)cert->len);

	if (x == NULL)
		(void)ossl_fault(f, FAULT_INTERNAL, "a certificate");
	return x;
}

static int
fill_chain(x509_stack *chain, const struct credential *c, struct fault *f)
{
	for (size_t i = 1; i < c->chain.count; i++) {
		OWN(X509) x = from_cert(c->chain.cert[i], f);

		if (x == NULL)
			return -1;
		if (sk_X509_push(chain, x) == 0)
			return ossl_fault(f, FAULT_MEMORY, "PKCS#12");
		x = NULL;
	}
	return 0;
}

int
p12_write(const struct credential *c, const char *name,
    const struct secret *phrase, struct buf *der, struct fault *f)
{
	OWN(EVP_PKEY) pkey = NULL;
	OWN(X509) leaf = NULL;
	OWN(x509_stack) chain = sk_X509_new_null();
	OWN(PKCS12) p12 = NULL;
	uint8_t *out = NULL;
	int len;

	if (c->key == NULL || c->chain.count == 0)
		return fault_set(f, FAULT_ABSENT,
		    "a PKCS#12 file needs a certificate and its key");
	if (chain == NULL || (pkey = from_key(c->key, f)) == NULL ||
	    (leaf = from_cert(c->chain.cert[0], f)) == NULL ||
	    fill_chain(chain, c, f) < 0)
		return -1;
	p12 = PKCS12_create(secret_text(phrase), name, pkey, leaf, chain, 0, 0,
	    ITERATIONS, ITERATIONS, 0);
	if (p12 == NULL || (len = i2d_PKCS12(p12, &out)) <= 0)
		return ossl_fault(f, FAULT_SYSTEM, "PKCS#12");
	buf_put(der, out, (size_t)len);
	OPENSSL_clear_free(out, (size_t)len);
	return der->failed ? fault_set(f, FAULT_MEMORY, "PKCS#12") : 0;
}
