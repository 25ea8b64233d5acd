#ifndef X509_KEY_H
#define X509_KEY_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys: make, load, sign, and what may be said of a public one. */
struct fault;
struct key; /* a private key */

enum key_kind {
	KEY_RSA,
	KEY_P256,
	KEY_P384,
	KEY_OTHER /* read in certificates of others, never used */
};

/* A public key as it stands in a certificate: borrowed bytes. */
struct spki {
	struct wire_bytes der;	/* SubjectPublicKeyInfo, whole */
	struct wire_bytes bits; /* contents of its BIT STRING */
	enum key_kind kind;
	unsigned size; /* bits of the modulus or the curve */
};

#define KEY_ID_SIZE 20 /* SHA-1 of bits: RFC 5280 4.2.1.2 method (1) */

/**
 * key_make(what, f):
 * A new key: "rsa:2048", "rsa:3072", "rsa:4096", "ec:P-256", "ec:P-384".
 * FAULT_USAGE for anything else.  key_free() the result.
 */
CHECKED struct key *key_make(const char *what, struct fault *f);

/**
 * key_foreign(spki, sign, arg, f):
 * A key that is elsewhere, behind ${sign}: it is asked for a signature over
 * ${digest} (of SHA-384 for P-384, else of SHA-256) and appends it as X.509
 * wants it.  ${spki} is copied; ${arg} is borrowed.  What key_sign hands on
 * verifies with ${spki}; FAULT_INTERNAL if what came does not.
 *
 * If ${sign} fails with FAULT_SUSPENDED it may have appended a signature all
 * the same, which nobody may be given (token/token.h): key_sign then fails with
 * that fault and leaves it in its ${signature} if it verifies.  In all other
 * cases a key_sign that fails appends nothing.
 *
 * The functions that write a private key or hand it to OpenSSL refuse it:
 * FAULT_UNSUPPORTED, or NULL.
 */
typedef int key_sign_fn(void *arg, struct wire_bytes digest,
    struct buf *signature, struct fault *f);
CHECKED struct key *key_foreign(const struct spki *spki, key_sign_fn *sign,
    void *arg, struct fault *f);

/* From PEM: PKCS#8, encrypted PKCS#8 (then ${phrase} is needed: FAULT_LOGIN
 * if it is wrong or NULL), traditional RSA and EC.  Other text before or after
 * is passed over.  FAULT_ABSENT if there is no key in it, FAULT_KEY if it is of
 * a kind we do not use or its halves do not belong together. */
CHECKED struct key *key_read_pem(const void *pem, size_t len,
    const struct secret *phrase, struct fault *f);

/* Whether the PEM text holds a key that needs a pass phrase. */
bool key_is_encrypted(const void *pem, size_t len);

/* Append to ${out} as PKCS#8; with ${phrase} encrypted by PBES2 (scrypt N=2^14,
 * r=8, p=8, AES-256-CBC: the work of N=2^17 in the 32 MiB that OpenSSL's
 * readers allow).  key_write_traditional: "RSA PRIVATE KEY" or "EC PRIVATE
 * KEY", which old grid software wants in a proxy file; never encrypted. */
CHECKED int key_write_pem(const struct key *key, const struct secret *phrase,
    struct buf *out, struct fault *f);
CHECKED int key_write_traditional(const struct key *key, struct buf *out,
    struct fault *f);

void key_free(struct key *key);

enum key_kind key_kind_of(const struct key *key);
unsigned key_size(const struct key *key);

/* The public half; its bytes belong to ${key} and live as long. */
const struct spki *key_spki(const struct key *key);

/* The AlgorithmIdentifier we sign with: sha256WithRSAEncryption (NULL
 * parameters), ecdsa-with-SHA256 (P-256), ecdsa-with-SHA384 (P-384); whole
 * DER, static. */
struct wire_bytes key_signature_algorithm(enum key_kind kind);

/* Sign ${data} so; append the signature (contents of the BIT STRING).  Not
 * from two threads with one key. */
CHECKED int key_sign(const struct key *key, struct wire_bytes data,
    struct buf *signature, struct fault *f);

/* Read a SubjectPublicKeyInfo strictly: RSA (NULL parameters, odd modulus,
 * exponent 65537 or larger and odd, at most 64 bits; 512 to 16384 bits) or an
 * uncompressed point on P-256 or P-384, checked to be on its curve when it is
 * used.  FAULT_KEY for anything else. */
CHECKED int spki_read(struct spki *spki, struct wire_bytes der,
    struct fault *f);

/* The same for certificates of others: a well-formed key of another algorithm,
 * curve or size is KEY_OTHER, which spki_verify and spki_check refuse. */
CHECKED int spki_read_any(struct spki *spki, struct wire_bytes der,
    struct fault *f);

/* Whether ${signature} over ${data} was made with the key of ${spki} under
 * ${algorithm} (a whole AlgorithmIdentifier): SHA-256, -384 or -512, with RSA
 * PKCS#1 v1.5 or ECDSA.  FAULT_INPUT if not; FAULT_KEY if the key cannot be
 * used; FAULT_UNSUPPORTED for another algorithm (SHA-1, say). */
CHECKED int spki_verify(const struct spki *spki, struct wire_bytes algorithm,
    struct wire_bytes data, struct wire_bytes signature, struct fault *f);

/* The same of data that was hashed before, as key_hash_for(${algorithm}) does.
 */
CHECKED int spki_verify_digest(const struct spki *spki,
    struct wire_bytes algorithm, struct wire_bytes digest,
    struct wire_bytes signature, struct fault *f);

/* SHA-1 of the key's bits. */
void spki_id(const struct spki *spki, uint8_t id[KEY_ID_SIZE]);

/* Whether ${rules} allow this key ("rsa:2048" means that size or more); also
 * refuses moduli with a prime factor up to 751 and of the ROCA form
 * (CVE-2017-15361).  FAULT_KEY says which rule.  Rules that cannot be read are
 * FAULT_CONFIG. */
struct key_rules {
	unsigned least_rsa; /* bits; 0: no RSA */
	bool p256;
	bool p384;
};
CHECKED int key_rules_read(struct key_rules *rules, const char *text,
    struct fault *f); /* "rsa:2048 ec:P-256 ec:P-384" */
CHECKED int spki_check(const struct spki *spki, const struct key_rules *rules,
    struct fault *f);

OWN_FREE_STRUCT(key, key_free)

#endif
