#include "x509/key.h"

#include "base/fault.h"
#include "x509/key_ssl.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

struct key {
	EVP_PKEY *pkey;	      /* owned */
	EVP_PKEY_CTX *signer; /* owned; made ready once, used for all */
	unsigned char *der;   /* owned: its SubjectPublicKeyInfo */
	struct spki spki;     /* in der */
	key_sign_fn *foreign; /* not NULL: there is no pkey and no signer */
	void *arg;
};

static const struct {
	const char *what;
	const char *type;
	const char *curve;
	size_t bits;
} makes[] = {
	{ "rsa:2048", "RSA", NULL, 2048 },
	{ "rsa:3072", "RSA", NULL, 3072 },
	{ "rsa:4096", "RSA", NULL, 4096 },
	{ "ec:P-256", "EC", "P-256", 0 },
	{ "ec:P-384", "EC", "P-384", 0 },
};

/* RFC 4055 5 and RFC 5758 3.2, whole. */
static const uint8_t rsa_sha256[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
	0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };
static const uint8_t ecdsa_sha256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
static const uint8_t ecdsa_sha384[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };

static const EVP_MD *
digest_of(enum key_kind kind)
{
	return kind == KEY_P384 ? EVP_sha384() : EVP_sha256();
}

/*
 * Make ready to sign.  One context serves all signatures: setting one up
 * costs a fifth of a P-256 signature.
 */
static int
prepare(struct key *key, struct fault *f)
{
	key->signer = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (key->signer == NULL || EVP_PKEY_sign_init(key->signer) != 1)
		return ossl_fault(f, FAULT_KEY, "preparing to sign");
	if (key->spki.kind == KEY_RSA &&
	    EVP_PKEY_CTX_set_rsa_padding(key->signer, RSA_PKCS1_PADDING) != 1)
		return ossl_fault(f, FAULT_KEY, "preparing to sign");
	if (EVP_PKEY_CTX_set_signature_md(key->signer,
		digest_of(key->spki.kind)) != 1)
		return ossl_fault(f, FAULT_KEY, "preparing to sign");
	return 0;
}

struct key *
key_take(EVP_PKEY *pkey, struct fault *f)
{
	OWN(EVP_PKEY) owned = pkey;
	OWN_STRUCT(key) key = calloc(1, sizeof(*key));
	int len;

	if (key == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a key");
		return NULL;
	}
	/* A file may have said that the point be shown compressed. */
	if (EVP_PKEY_is_a(pkey, "EC"))
		(void)EVP_PKEY_set_utf8_string_param(pkey,
		    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
	key->pkey = TAKE(owned);
	if ((len = i2d_PUBKEY(pkey, &key->der)) <= 0) {
		(void)ossl_fault(f, FAULT_KEY, "public half of a key");
		return NULL;
	}
	if (spki_read(&key->spki, (struct wire_bytes){ key->der, (size_t)len },
		f) < 0 ||
	    prepare(key, f) < 0)
		return NULL;
	return TAKE(key);
}

struct key *
key_foreign(const struct spki *spki, key_sign_fn *sign, void *arg,
    struct fault *f)
{
	OWN_STRUCT(key) key = calloc(1, sizeof(*key));

	if (key == NULL ||
	    (key->der = OPENSSL_memdup(spki->der.data, spki->der.len)) ==
		NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a key");
		return NULL;
	}
	if (spki_read(&key->spki,
		(struct wire_bytes){ key->der, spki->der.len }, f) < 0)
		return NULL;
	key->foreign = sign;
	key->arg = arg;
	return TAKE(key);
}

struct key *
key_make(const char *what, struct fault *f)
{
	EVP_PKEY *pkey;

	for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
		if (strcmp(what, makes[i].what) != 0)
			continue;
		if (makes[i].curve != NULL)
			pkey = EVP_PKEY_Q_keygen(NULL, NULL, makes[i].type,
			    makes[i].curve);
		else
			pkey = EVP_PKEY_Q_keygen(NULL, NULL, makes[i].type,
			    makes[i].bits);
		if (pkey != NULL)
			return key_take(pkey, f);
		(void)ossl_fault(f, FAULT_SYSTEM, "making a key %s", what);
		return NULL;
	}
	(void)fault_set(f, FAULT_USAGE,
	    "no such kind of key: \"%.40s\"; there are rsa:2048, rsa:3072, "
	    "rsa:4096, ec:P-256 and ec:P-384",
	    what);
	return NULL;
}

void
key_free(struct key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_CTX_free(key->signer);
	EVP_PKEY_free(key->pkey);
	OPENSSL_free(key->der);
	free(key);
}

EVP_PKEY *
key_pkey(const struct key *key)
{
	return key->pkey;
}

enum key_kind
key_kind_of(const struct key *key)
{
	return key->spki.kind;
}

unsigned
key_size(const struct key *key)
{
	return key->spki.size;
}

const struct spki *
key_spki(const struct key *key)
{
	return &key->spki;
}

struct wire_bytes
key_signature_algorithm(enum key_kind kind)
{
	switch (kind) {
	case KEY_RSA:
		return (struct wire_bytes){ rsa_sha256, sizeof(rsa_sha256) };
	case KEY_P256:
		return (struct wire_bytes){ ecdsa_sha256,
			sizeof(ecdsa_sha256) };
	case KEY_P384:
		return (struct wire_bytes){ ecdsa_sha384,
			sizeof(ecdsa_sha384) };
	case KEY_OTHER:
		break;
	}
	return (struct wire_bytes){ NULL, 0 };
}

/* What others have signed is believed when it verifies. */
static int
check_foreign(const struct key *key, struct wire_bytes data,
    const struct buf *signature, size_t before, struct fault *f)
{
	struct fault why = { 0 };

	if (signature->failed)
		return fault_set(f, FAULT_MEMORY, "a signature");
	if (spki_verify(&key->spki, key_signature_algorithm(key->spki.kind),
		data,
		(struct wire_bytes){
		    signature->data + before, signature->len - before },
		&why) < 0)
		return fault_set(f, FAULT_INTERNAL,
		    "a signature came back that is not of this key: %s",
		    why.text);
	return 0;
}

static int
sign_foreign(const struct key *key, struct wire_bytes data,
    struct buf *signature, struct fault *f)
{
	size_t before = signature->len;
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct fault ignored = { 0 };
	unsigned len = 0;
	int result;

	if (EVP_Digest(data.data, data.len, digest, &len,
		digest_of(key->spki.kind), NULL) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "a digest");
	result = key->foreign(key->arg, (struct wire_bytes){ digest, len },
	    signature, f);
	if (result == 0)
		result = check_foreign(key, data, signature, before, f);
	else if (f->code == FAULT_SUSPENDED && signature->len > before &&
	    check_foreign(key, data, signature, before, &ignored) == 0)
		return -1;
	if (result < 0)
		signature->len = before;
	return result;
}

int
key_sign(const struct key *key, struct wire_bytes data, struct buf *signature,
    struct fault *f)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	uint8_t *room;
	size_t len;

	if (key->foreign != NULL)
		return sign_foreign(key, data, signature, f);
	len = (size_t)EVP_PKEY_get_size(key->pkey);
	if ((room = buf_room(signature, len)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a signature");
	if (EVP_Digest(data.data, data.len, digest, &digest_len,
		digest_of(key->spki.kind), NULL) != 1 ||
	    EVP_PKEY_sign(key->signer, room, &len, digest, digest_len) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "signing");
	signature->len += len;
	return 0;
}
