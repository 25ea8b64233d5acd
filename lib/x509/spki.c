/* Public keys: read, verify with.  spki_check.c says which may be certified. */
#include "base/fault.h"
#include "x509/der.h"
#include "x509/key.h"
#include "x509/key_ssl.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"
#include "x509/spki_once.h"
#include "x509/spki_rsa.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_MIN 512
#define RSA_BITS_MAX 16384
#define RSA_EXPONENT_MIN 65537
#define POINT_UNCOMPRESSED 0x04

/* AlgorithmIdentifiers of keys (RFC 3279 2.3.1, RFC 5480 2.1.1), whole. */
static const struct {
	enum key_kind kind;
	unsigned size;
	size_t point_len; /* 0: no curve */
	const char *curve;
	size_t len;
	const char *algorithm;
} kinds[] = {
	{ KEY_RSA, 0, 0, NULL, 15,
	    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00" },
	{ KEY_P256, 256, 65, "P-256", 21,
	    "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" },
	{ KEY_P384, 384, 97, "P-384", 18,
	    "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	    "\x06\x05\x2b\x81\x04\x00\x22" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/*
 * AlgorithmIdentifiers of signatures we verify.  RFC 4055 5: those of RSA have
 * NULL parameters, and one without any is to be taken as well.
 */
static const struct {
	bool rsa;
	const EVP_MD *(*digest)(void);
	size_t len;
	const char *algorithm;
} algorithms[] = {
#define RSA_WITH "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define ECDSA_WITH "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"
	{ true, EVP_sha256, 15, "\x30\x0d" RSA_WITH "\x0b\x05\x00" },
	{ true, EVP_sha384, 15, "\x30\x0d" RSA_WITH "\x0c\x05\x00" },
	{ true, EVP_sha512, 15, "\x30\x0d" RSA_WITH "\x0d\x05\x00" },
	{ true, EVP_sha256, 13, "\x30\x0b" RSA_WITH "\x0b" },
	{ true, EVP_sha384, 13, "\x30\x0b" RSA_WITH "\x0c" },
	{ true, EVP_sha512, 13, "\x30\x0b" RSA_WITH "\x0d" },
	{ false, EVP_sha256, 12, "\x30\x0a" ECDSA_WITH "\x02" },
	{ false, EVP_sha384, 12, "\x30\x0a" ECDSA_WITH "\x03" },
	{ false, EVP_sha512, 12, "\x30\x0a" ECDSA_WITH "\x04" },
#undef RSA_WITH
#undef ECDSA_WITH
};

#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

/* Which of ${kinds} ${algorithm} is, KINDS if none. */
static size_t
kind_of(struct wire_bytes algorithm)
{
	for (size_t i = 0; i < KINDS; i++)
		if (algorithm.len == kinds[i].len &&
		    memcmp(algorithm.data, kinds[i].algorithm, kinds[i].len) ==
			0)
			return i;
	return KINDS;
}

int
spki_rsa(struct wire_bytes bits, struct spki_rsa *rsa)
{
	struct der_in in = DER_IN(bits.data, bits.len);
	struct der_in key = der_enter(&in, DER_SEQUENCE);

	rsa->n = der_get_positive(&key);
	rsa->e = der_get_positive(&key);
	return der_ended(&key) && der_ended(&in) ? 0 : -1;
}

static int
check_rsa(struct spki *spki, struct fault *f)
{
	struct spki_rsa rsa;
	uint64_t e = 0;

	if (spki_rsa(spki->bits, &rsa) < 0)
		return fault_set(f, FAULT_KEY, "malformed RSA key: RFC 3279");
	spki->size = (unsigned)(8 * rsa.n.len) -
	    (unsigned)(__builtin_clz(rsa.n.data[0]) - 24);
	if (rsa.n.len > RSA_BITS_MAX / 8 || spki->size < RSA_BITS_MIN)
		return fault_set(f, FAULT_KEY, "an RSA key of %u bits",
		    spki->size);
	if ((rsa.n.data[rsa.n.len - 1] & 1) == 0)
		return fault_set(f, FAULT_KEY, "an RSA key with even modulus");
	for (size_t i = 0; i < rsa.e.len && rsa.e.len <= sizeof(e); i++)
		e = e << 8 | rsa.e.data[i];
	if (e < RSA_EXPONENT_MIN || (e & 1) == 0)
		return fault_set(f, FAULT_KEY,
		    "an RSA key whose exponent is even, below 65537 or past "
		    "64 bits");
	return 0;
}

int
spki_read(struct spki *spki, struct wire_bytes der, struct fault *f)
{
	struct der_in in = DER_IN(der.data, der.len);
	struct der_in key = der_enter(&in, DER_SEQUENCE);
	struct wire_bytes algorithm = der_get_whole(&key, DER_SEQUENCE);
	struct spki found = { .der = der, .bits = der_get_bits(&key) };
	size_t kind;

	if (!der_ended(&key) || !der_ended(&in))
		return fault_set(f, FAULT_KEY,
		    "malformed SubjectPublicKeyInfo: RFC 5280 4.1");
	if ((kind = kind_of(algorithm)) == KINDS)
		return fault_set(f, FAULT_KEY,
		    "a key that is neither RSA nor on P-256 or P-384");
	found.kind = kinds[kind].kind;
	found.size = kinds[kind].size;
	if (found.kind == KEY_RSA) {
		if (check_rsa(&found, f) < 0)
			return -1;
	} else if (found.bits.len != kinds[kind].point_len ||
	    found.bits.data[0] != POINT_UNCOMPRESSED) {
		return fault_set(f, FAULT_KEY,
		    "RFC 5480 2.2: not an uncompressed point on %s",
		    kinds[kind].curve);
	}
	*spki = found;
	return 0;
}

int
spki_read_any(struct spki *spki, struct wire_bytes der, struct fault *f)
{
	struct der_in in = DER_IN(der.data, der.len);
	struct der_in key = der_enter(&in, DER_SEQUENCE);
	struct spki found = { .der = der, .kind = KEY_OTHER };
	struct der_in algorithm;
	struct fault known;

	if (spki_read(spki, der, &known) == 0)
		return 0;
	algorithm = der_enter(&key, DER_SEQUENCE);
	(void)der_get_oid(&algorithm);
	if (algorithm.left > 0)
		(void)der_get_whole(&algorithm, 0);
	found.bits = der_get_bits(&key);
	if (!der_ended(&algorithm) || !der_ended(&key) || !der_ended(&in))
		return fault_set(f, FAULT_KEY,
		    "malformed SubjectPublicKeyInfo: RFC 5280 4.1");
	*spki = found;
	return 0;
}

void
spki_id(const struct spki *spki, uint8_t id[KEY_ID_SIZE])
{
	unsigned len = 0;

	/* Only the want of memory can stop this. */
	if (EVP_Digest(spki->bits.data, spki->bits.len, id, &len, EVP_sha1(),
		NULL) != 1 ||
	    len != KEY_ID_SIZE)
		abort();
}

static EVP_PKEY *
rsa_pkey(const struct spki *spki)
{
	OWN(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	uint8_t n[RSA_BITS_MAX / 8], e[sizeof(uint64_t)];
	OSSL_PARAM params[3];
	struct spki_rsa rsa;
	EVP_PKEY *made = NULL;

	if (ctx == NULL || spki_rsa(spki->bits, &rsa) < 0 ||
	    rsa.n.len > sizeof(n) || rsa.e.len > sizeof(e))
		return NULL;
	/* OSSL_PARAM holds integers in the order of the machine. */
	for (size_t i = 0; i < rsa.n.len; i++)
		n[i] = rsa.n.data[rsa.n.len - 1 - i];
	for (size_t i = 0; i < rsa.e.len; i++)
		e[i] = rsa.e.data[rsa.e.len - 1 - i];
	params[0] =
	    OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, rsa.n.len);
	params[1] =
	    OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, rsa.e.len);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return made;
}

/* The parameters of a curve, as a key without point. */
static EVP_PKEY *
new_curve(const char *curve)
{
	OWN(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	char name[8];
	OSSL_PARAM params[2];
	EVP_PKEY *made = NULL;

	(void)snprintf(name, sizeof(name), "%s", curve);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
	    name, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		return NULL;
	return made;
}

/*
 * The one template of a curve.  Making it costs as much as a quarter of a
 * verification, copying it a tenth of that.  It is set once, by whoever comes
 * first, and never changes nor goes away: borrowed.
 */
static EVP_PKEY *
curve_template(size_t kind)
{
	static EVP_PKEY *made[KINDS];
	EVP_PKEY *none = NULL;
	EVP_PKEY *curve = __atomic_load_n(&made[kind], __ATOMIC_ACQUIRE);

	if (curve != NULL)
		return curve;
	if ((curve = new_curve(kinds[kind].curve)) == NULL)
		return NULL;
	if (__atomic_compare_exchange_n(&made[kind], &none, curve, false,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return curve;
	EVP_PKEY_free(curve);
	return none;
}

static EVP_PKEY *
ec_pkey(const struct spki *spki, size_t kind)
{
	EVP_PKEY *curve = curve_template(kind);
	OWN(EVP_PKEY) made = curve == NULL ? NULL : EVP_PKEY_dup(curve);

	/* This checks that the point is on its curve; the cofactor is 1. */
	if (made == NULL ||
	    EVP_PKEY_set1_encoded_public_key(made, spki->bits.data,
		spki->bits.len) != 1)
		return NULL;
	return TAKE(made);
}

EVP_PKEY *
spki_pkey(const struct spki *spki, struct fault *f)
{
	EVP_PKEY *made = NULL;

	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].kind != spki->kind)
			continue;
		made =
		    spki->kind == KEY_RSA ? rsa_pkey(spki) : ec_pkey(spki, i);
		if (made == NULL)
			(void)ossl_fault(f, FAULT_KEY,
			    "a public key that cannot be used");
		return made;
	}
	(void)fault_set(f, FAULT_KEY, "a public key of another kind");
	return NULL;
}

/* Which of ${algorithms} it is, ALGORITHMS if none. */
static size_t
algorithm_of(struct wire_bytes algorithm)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (algorithm.len == algorithms[i].len &&
		    memcmp(algorithm.data, algorithms[i].algorithm,
			algorithm.len) == 0)
			return i;
	return ALGORITHMS;
}

static bool
verify_once(const struct spki *spki, const EVP_MD *md, struct wire_bytes digest,
    struct wire_bytes signature, bool *usable)
{
	int curve =
	    spki->kind == KEY_P256 ? NID_X9_62_prime256v1 : NID_secp384r1;
	struct spki_rsa rsa;

	if (spki->kind != KEY_RSA)
		return spki_once_ec(curve, spki->bits, digest, signature,
		    usable);
	*usable = spki_rsa(spki->bits, &rsa) == 0;
	return *usable &&
	    spki_once_rsa(EVP_MD_get_type(md), &rsa, digest, signature, usable);
}

const EVP_MD *
spki_digest(struct wire_bytes algorithm)
{
	size_t which = algorithm_of(algorithm);

	return which == ALGORITHMS ? NULL : algorithms[which].digest();
}

int
spki_verify_digest(const struct spki *spki, struct wire_bytes algorithm,
    struct wire_bytes digest, struct wire_bytes signature, struct fault *f)
{
	size_t which = algorithm_of(algorithm);
	bool usable = false;

	if (which == ALGORITHMS)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "a signature that is neither RSA nor ECDSA with SHA-2");
	if (algorithms[which].rsa != (spki->kind == KEY_RSA))
		return fault_set(f, FAULT_INPUT,
		    "a signature that the key cannot have made");
	if (spki->kind == KEY_OTHER)
		return fault_set(f, FAULT_KEY, "a public key of another kind");
	if (verify_once(spki, algorithms[which].digest(), digest, signature,
		&usable))
		return 0;
	if (!usable)
		return ossl_fault(f, FAULT_KEY,
		    "a public key that cannot be used");
	return ossl_fault(f, FAULT_INPUT, "the signature is wrong");
}

int
spki_verify(const struct spki *spki, struct wire_bytes algorithm,
    struct wire_bytes data, struct wire_bytes signature, struct fault *f)
{
	const EVP_MD *md = spki_digest(algorithm);
	uint8_t octets[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (md != NULL &&
	    EVP_Digest(data.data, data.len, octets, &len, md, NULL) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "verifying a signature");
	return spki_verify_digest(spki, algorithm,
	    (struct wire_bytes){ octets, len }, signature, f);
}
