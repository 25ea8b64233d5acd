#include "authn/authn_key.h"

#include "base/fault.h"
#include "x509/cert.h"
#include "x509/der.h"
#include "x509/key.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

/* The least of the keys whose word we take. */
#define LEAST_RSA 1024

static int
read_certs(struct authn_key_answer *answer, const struct wire_in *in,
    struct fault *f)
{
	struct der_in der = DER_IN(in->at, in->left);

	for (size_t i = 0; i < answer->count; i++) {
		answer->cert[i] = der_get_whole(&der, DER_SEQUENCE);
		if (answer->cert[i].len > CERT_MAX)
			return fault_set(f, FAULT_INPUT,
			    "a certificate of %zu bytes", answer->cert[i].len);
	}
	if (!der_ended(&der))
		return fault_set(f, FAULT_INPUT,
		    "not %zu certificates after the signature", answer->count);
	return 0;
}

int
authn_key_read(struct authn_key_answer *answer, struct wire_bytes bytes,
    struct fault *f)
{
	struct wire_in in = { .at = bytes.data, .left = bytes.len };

	answer->signature = wire_get_bytes(&in, AUTHN_KEY_SIGNATURE_MAX);
	answer->count = wire_get_u8(&in);
	if (in.failed || answer->signature.len == 0)
		return fault_set(f, FAULT_INPUT, "no signature of a challenge");
	if (answer->count == 0 || answer->count > AUTHN_KEY_CERTS_MAX)
		return fault_set(f, FAULT_INPUT, "%zu certificates",
		    answer->count);
	return read_certs(answer, &in, f);
}

/* SHA-1 is for old clients of this one challenge, where the site asks for it;
 * nothing else in the suite verifies it. */
static int
verify_sha1(const struct spki *spki, struct wire_bytes data,
    struct wire_bytes signature, struct fault *f)
{
	const uint8_t *at = spki->der.data;
	OWN(EVP_PKEY) key = d2i_PUBKEY(NULL, &at, (long)spki->der.len);
	OWN(EVP_MD_CTX) context = EVP_MD_CTX_new();

	if (key == NULL || context == NULL)
		return ossl_fault(f, FAULT_INPUT, "public key");
	if (EVP_DigestVerifyInit(context, NULL, EVP_sha1(), NULL, key) != 1)
		return ossl_fault(f, FAULT_FAILED, "SHA-1");
	if (EVP_DigestVerify(context, signature.data, signature.len, data.data,
		data.len) != 1)
		return ossl_fault(f, FAULT_LOGIN, "wrong signature");
	return 0;
}

/* The client signs with SHA-256 whatever its key is. */
static int
verify_sha256(const struct spki *spki, struct wire_bytes data,
    struct wire_bytes signature, struct fault *f)
{
	enum key_kind kind = spki->kind == KEY_RSA ? KEY_RSA : KEY_P256;

	if (spki_verify(spki, key_signature_algorithm(kind), data, signature,
		f) == 0)
		return 0;
	f->code = FAULT_LOGIN;
	return -1;
}

static int
check_signature(const struct cert *leaf, const char *challenge, bool sha1,
    struct wire_bytes signature, struct fault *f)
{
	struct wire_bytes data = { (const uint8_t *)challenge,
		strlen(challenge) };

	if (leaf->spki.kind == KEY_RSA && leaf->spki.size < LEAST_RSA)
		return fault_set(f, FAULT_LOGIN, "an RSA key of %u bits",
		    leaf->spki.size);
	return sha1 ? verify_sha1(&leaf->spki, data, signature, f)
		    : verify_sha256(&leaf->spki, data, signature, f);
}

static int
check_chain(const struct trust_store *store, struct cert_list *chain,
    const struct authn_key_answer *answer, const char *challenge, bool sha1,
    time_t now, struct trust_verdict *verdict, struct fault *f)
{
	for (size_t i = 0; i < answer->count; i++) {
		if ((chain->cert[i] = cert_read(answer->cert[i], f)) == NULL)
			return fault_wrap(f, "certificate %zu", i);
		chain->count = i + 1;
	}
	assert(chain->count > 0);
	if (check_signature(chain->cert[0], challenge, sha1, answer->signature,
		f) < 0)
		return -1;
	return trust_verify(store, chain, now, TRUST_CLIENT, verdict, f);
}

int
authn_key_check(const struct trust_store *store, const char *challenge,
    bool sha1, struct wire_bytes answer, time_t now,
    struct trust_verdict *verdict, struct fault *f)
{
	struct cert_list chain = { 0 };
	struct authn_key_answer parts;
	int result;

	if (authn_key_read(&parts, answer, f) < 0)
		return -1;
	result = check_chain(store, &chain, &parts, challenge, sha1, now,
	    verdict, f);
	cert_list_free(&chain);
	return result;
}
