/* Private keys in and out of files. */
#include "base/fault.h"
#include "base/rand.h"
#include "base/text.h"
#include "x509/key.h"
#include "x509/key_ssl.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"
#include "x509/pem.h"

#include <openssl/pem.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SALT_SIZE 16
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 8

static const char encrypted_label[] = "ENCRYPTED PRIVATE KEY";

/* Find the first private key in the text: as pem_find. */
static int
find_key(const void *pem, size_t len, struct pem_block *block, struct fault *f)
{
	static const char *const labels[] = { "PRIVATE KEY", encrypted_label,
		"RSA PRIVATE KEY", "EC PRIVATE KEY" };
	size_t at = 0;
	int found;

	while ((found = pem_find(pem, len, &at, block, f)) == 1)
		for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
			if (strcmp(block->label, labels[i]) == 0)
				return 1;
	return found;
}

/* Whether it is PKCS#8 of the encrypted form, or has the header of RFC 1421
 * that OpenSSL puts on traditional keys. */
static bool
is_encrypted(const struct pem_block *block)
{
	static const char header[] = "Proc-Type: 4,ENCRYPTED";
	size_t len = sizeof(header) - 1;

	if (strcmp(block->label, encrypted_label) == 0)
		return true;
	return block->body.len > len &&
	    memcmp(block->body.data, header, len) == 0;
}

bool
key_is_encrypted(const void *pem, size_t len)
{
	struct pem_block block;
	struct fault f;

	return find_key(pem, len, &block, &f) == 1 && is_encrypted(&block);
}

/* OpenSSL asks for the pass phrase; -1 if there is none or it is too long. */
static int
tell_phrase(char *to, int size, int writing, void *told)
{
	const struct secret *phrase = told;
	size_t len;

	(void)writing;
	if (phrase == NULL || size < 0)
		return -1;
	len = secret_len(phrase);
	if (len > (size_t)size)
		return -1;
	memcpy(to, secret_text(phrase), len);
	return (int)len;
}

/*
 * Whether the private half signs what the public half verifies.  A CA key
 * that was damaged on disk must not sign: one wrong RSA-CRT signature gives
 * its factors away.
 */
static int
check_halves(const struct key *key, struct fault *f)
{
	static const uint8_t text[] = "do these halves belong together?";
	struct wire_bytes data = { text, sizeof(text) };
	OWN_BUF(signature, 2048 + 64);
	struct fault other;

	if (key_sign(key, data, &signature, &other) < 0 ||
	    spki_verify(key_spki(key),
		key_signature_algorithm(key_kind_of(key)), data,
		(struct wire_bytes){ signature.data, signature.len },
		&other) < 0)
		return fault_set(f, FAULT_KEY,
		    "private and public half of a key do not belong together");
	return 0;
}

struct key *
key_read_pem(const void *pem, size_t len, const struct secret *phrase,
    struct fault *f)
{
	OWN(BIO) bio = NULL;
	OWN_STRUCT(key) key = NULL;
	struct pem_block block;
	EVP_PKEY *pkey;
	int found = find_key(pem, len, &block, f);

	if (found < 0)
		return NULL;
	if (found == 0 || block.whole.len > INT_MAX) {
		(void)fault_set(f, FAULT_ABSENT, "there is no private key");
		return NULL;
	}
	if (is_encrypted(&block) && phrase == NULL) {
		(void)fault_set(f, FAULT_LOGIN, "the key needs a pass phrase");
		return NULL;
	}
	bio = BIO_new_mem_buf(block.whole.data, (int)block.whole.len);
	if (bio == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a key");
		return NULL;
	}
	/* The callback only reads it: what it is handed has no const. */
	pkey = PEM_read_bio_PrivateKey(bio, NULL, tell_phrase,
	    (void *)(uintptr_t)phrase);
	if (pkey == NULL) {
		(void)ossl_fault(f,
		    is_encrypted(&block) ? FAULT_LOGIN : FAULT_INPUT,
		    is_encrypted(&block) ? "wrong pass phrase, or a damaged key"
					 : "malformed private key");
		return NULL;
	}
	if ((key = key_take(pkey, f)) == NULL || check_halves(key, f) < 0)
		return NULL;
	return TAKE(key);
}

/* ${p8} encrypted under ${phrase}: PBES2 with scrypt (RFC 7914 7). */
static X509_SIG *
encrypt(PKCS8_PRIV_KEY_INFO *p8, const struct secret *phrase)
{
	uint8_t salt[SALT_SIZE];
	OWN(X509_ALGOR) how = NULL;
	X509_SIG *made;

	rand_bytes(salt, sizeof(salt));
	how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL,
	    SCRYPT_N, SCRYPT_R, SCRYPT_P);
	if (how == NULL)
		return NULL;
	made = PKCS8_set0_pbe(secret_text(phrase), (int)secret_len(phrase), p8,
	    how);
	if (made != NULL)
		(void)TAKE(how); /* it is part of ${made} now */
	return made;
}

/* Append what OpenSSL made, ${len} octets at ${der}, and wipe it. */
static int
put_wiping(struct buf *out, const char *label, unsigned char *der, int len,
    struct fault *f)
{
	if (len <= 0)
		return ossl_fault(f, FAULT_KEY, "encoding a private key");
	pem_put(out, label, (struct wire_bytes){ der, (size_t)len });
	OPENSSL_clear_free(der, (size_t)len);
	if (out->failed)
		return fault_set(f, FAULT_MEMORY, "a private key");
	return 0;
}

static int
is_elsewhere(struct fault *f)
{
	return fault_set(f, FAULT_UNSUPPORTED,
	    "the private key is elsewhere, and cannot be written");
}

int
key_write_pem(const struct key *key, const struct secret *phrase,
    struct buf *out, struct fault *f)
{
	OWN(PKCS8_PRIV_KEY_INFO) p8 = NULL;
	OWN(X509_SIG) sealed = NULL;
	unsigned char *der = NULL;
	int len;

	if (key_pkey(key) == NULL)
		return is_elsewhere(f);
	if ((p8 = EVP_PKEY2PKCS8(key_pkey(key))) == NULL)
		return ossl_fault(f, FAULT_KEY, "encoding a private key");
	if (phrase == NULL) {
		len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
		return put_wiping(out, "PRIVATE KEY", der, len, f);
	}
	if ((sealed = encrypt(p8, phrase)) == NULL)
		return ossl_fault(f, FAULT_SYSTEM, "encrypting a private key");
	len = i2d_X509_SIG(sealed, &der);
	return put_wiping(out, encrypted_label, der, len, f);
}

int
key_write_traditional(const struct key *key, struct buf *out, struct fault *f)
{
	const char *label =
	    key_kind_of(key) == KEY_RSA ? "RSA PRIVATE KEY" : "EC PRIVATE KEY";
	unsigned char *der = NULL;
	int len;

	if (key_pkey(key) == NULL)
		return is_elsewhere(f);
	len = i2d_PrivateKey(key_pkey(key), &der);
	return put_wiping(out, label, der, len, f);
}
