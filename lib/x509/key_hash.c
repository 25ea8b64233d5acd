#include "x509/key_hash.h"

#include "base/buf.h"
#include "base/fault.h"
#include "x509/key_ssl.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <openssl/rsa.h>

#include <stdlib.h>

struct key_hash {
	const EVP_MD *md;
	EVP_MD_CTX *ctx; /* owned */
	bool failed;
};

static const EVP_MD *
md_of(enum key_kind kind)
{
	return kind == KEY_P384 ? EVP_sha384() : EVP_sha256();
}

static struct key_hash *
start(const EVP_MD *md, struct fault *f)
{
	struct key_hash *hash = calloc(1, sizeof(*hash));

	if (hash == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a digest");
		return NULL;
	}
	hash->md = md;
	hash->ctx = EVP_MD_CTX_new();
	if (hash->ctx == NULL ||
	    EVP_DigestInit_ex2(hash->ctx, hash->md, NULL) != 1) {
		(void)ossl_fault(f, FAULT_SYSTEM, "a digest");
		key_hash_free(hash);
		return NULL;
	}
	return hash;
}

struct key_hash *
key_hash_new(enum key_kind kind, struct fault *f)
{
	return start(md_of(kind), f);
}

struct key_hash *
key_hash_for(struct wire_bytes algorithm, struct fault *f)
{
	const EVP_MD *md = spki_digest(algorithm);

	if (md != NULL)
		return start(md, f);
	(void)fault_set(f, FAULT_UNSUPPORTED,
	    "a signature that is neither RSA nor ECDSA with SHA-2");
	return NULL;
}

void
key_hash_free(struct key_hash *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->ctx);
	free(hash);
}

void
key_hash_add(struct key_hash *hash, struct wire_bytes data)
{
	if (data.len > 0 &&
	    EVP_DigestUpdate(hash->ctx, data.data, data.len) != 1)
		hash->failed = true;
}

int
key_hash_end(struct key_hash *hash, uint8_t digest[KEY_HASH_MAX], size_t *len,
    struct fault *f)
{
	unsigned size = 0;

	if (hash->failed || EVP_DigestFinal_ex(hash->ctx, digest, &size) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "a digest");
	hash->failed = true;
	*len = size;
	return 0;
}

/* ${ctx}, made ready to sign or to check, does so as we do. */
static int
choose(const EVP_MD *md, enum key_kind kind, EVP_PKEY_CTX *ctx)
{
	if (kind == KEY_RSA &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
		return -1;
	return EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 ? 0 : -1;
}

int
key_hash_sign(struct key_hash *hash, const struct key *key,
    struct buf *signature, struct fault *f)
{
	EVP_PKEY *pkey = key_pkey(key);
	OWN(EVP_PKEY_CTX) ctx = NULL;
	size_t size, len;
	uint8_t digest[KEY_HASH_MAX];
	uint8_t *room;

	if (pkey == NULL)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "the key is elsewhere: it signs whole data");
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	size = (size_t)EVP_PKEY_get_size(pkey);
	if ((room = buf_room(signature, size)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a signature");
	if (key_hash_end(hash, digest, &len, f) < 0)
		return -1;
	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1 ||
	    choose(hash->md, key_kind_of(key), ctx) < 0 ||
	    EVP_PKEY_sign(ctx, room, &size, digest, len) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "signing");
	signature->len += size;
	return 0;
}

int
key_hash_verify(struct key_hash *hash, const struct spki *spki,
    struct wire_bytes signature, struct fault *f)
{
	uint8_t digest[KEY_HASH_MAX];
	size_t len;

	if (key_hash_end(hash, digest, &len, f) < 0)
		return -1;
	return key_digest_verify(spki, (struct wire_bytes){ digest, len },
	    signature, f);
}

int
key_digest_verify(const struct spki *spki, struct wire_bytes digest,
    struct wire_bytes signature, struct fault *f)
{
	OWN(EVP_PKEY) pkey = spki_pkey(spki, f);
	OWN(EVP_PKEY_CTX) ctx = NULL;

	if (pkey == NULL)
		return -1;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1 ||
	    choose(md_of(spki->kind), spki->kind, ctx) < 0)
		return ossl_fault(f, FAULT_SYSTEM, "verifying a signature");
	if (EVP_PKEY_verify(ctx, signature.data, signature.len, digest.data,
		digest.len) != 1)
		return ossl_fault(f, FAULT_INPUT, "the signature is wrong");
	return 0;
}
