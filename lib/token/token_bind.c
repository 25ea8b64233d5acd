/* The key: which it is, and that it is the CA's. */
#include "base/rand.h"
#include "token/token_part.h"
#include "token/token_public.h"
#include "token/token_rv.h"
#include "x509/cert.h"
#include "x509/der.h"
#include "x509/key_hash.h"

#include <string.h>

#define CERT_OCTETS 16384

int
token_count_keys(struct token *token, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE *key, unsigned *count, struct fault *f)
{
	const struct token_uri *which = &token->which;
	CK_FUNCTION_LIST *call = token->module->call;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE like[3] = { { CKA_CLASS, &class, sizeof(class) } };
	CK_OBJECT_HANDLE found[2];
	CK_ULONG parts = 1, got = 0;
	CK_RV rv;

	if (which->object[0] != '\0')
		like[parts++] = (CK_ATTRIBUTE){ CKA_LABEL,
			token_lend(which->object), strlen(which->object) };
	if (which->id_len > 0)
		like[parts++] = (CK_ATTRIBUTE){ CKA_ID, token_lend(which->id),
			which->id_len };
	if ((rv = call->C_FindObjectsInit(session, like, parts)) != CKR_OK)
		return token_rv_fault(f, rv, "C_FindObjectsInit");
	rv = call->C_FindObjects(session, found, 2, &got);
	(void)call->C_FindObjectsFinal(session);
	if (rv != CKR_OK)
		return token_rv_fault(f, rv, "C_FindObjects");
	if (got > 0)
		*key = found[0];
	*count = (unsigned)got;
	return 0;
}

int
token_find_key(struct token *token, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE *key, struct fault *f)
{
	CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
	unsigned count = 0;

	if (token_count_keys(token, session, &found, &count, f) < 0)
		return -1;
	if (count == 0)
		return fault_set(f, FAULT_CONFIG,
		    "the token has no such private key: check object= and id=");
	if (count > 1)
		return fault_set(f, FAULT_CONFIG,
		    "the token has several such private keys: say which by "
		    "object= and id=");
	*key = found;
	return 0;
}

/* A CK_BBOOL of the key, or ${otherwise} if it has none. */
static bool
flag(struct token *token, CK_SESSION_HANDLE session, CK_ATTRIBUTE_TYPE type,
    bool otherwise)
{
	CK_BBOOL value = CK_FALSE;
	size_t len = 0;

	if (token_public_get(token->module->call, session, token->key, type,
		&value, sizeof(value), &len) < 0 ||
	    len != sizeof(value))
		return otherwise;
	return value != CK_FALSE;
}

/* Compare what the token shows with the CA's key; or, if any will do, take it.
 */
static int
check_public(struct token *token, CK_SESSION_HANDLE session, struct fault *f)
{
	OWN_BUF(der, TOKEN_PUBLIC_MAX);
	struct wire_bytes found;
	struct spki spki;

	if (token_public_read(token->module->call, session, token->key, &der,
		f) < 0)
		/* The test signature will tell. */
		return f->code == FAULT_ABSENT && token->ca != NULL ? 0 : -1;
	found = (struct wire_bytes){ der.data, der.len };
	if (token->ca == NULL)
		return spki_read(&spki, found, f) < 0
		    ? -1
		    : token_set_key(token, &spki, f);
	if (!der_bytes_equal(found, token->spki.der))
		return fault_set(f, FAULT_CONFIG,
		    "the key in the token is not the one of the CA's "
		    "certificate");
	return 0;
}

/* A certificate beside the key must be of the same key; there may be none. */
static int
check_certificate(struct token *token, CK_SESSION_HANDLE session,
    struct fault *f)
{
	OWN_BUF(der, CERT_OCTETS);
	OWN_STRUCT(cert) cert = NULL;

	if (token_public_certificate(token->module->call, session, token->key,
		&der, f) < 0)
		return f->code == FAULT_ABSENT ? 0 : -1;
	cert = cert_read((struct wire_bytes){ der.data, der.len }, f);
	if (cert == NULL)
		return fault_wrap(f, "the certificate in the token");
	if (!der_bytes_equal(cert->spki.der, token->spki.der))
		return fault_set(f, FAULT_CONFIG,
		    "the certificate in the token is not of the CA's key");
	return 0;
}

/* A digest that is of nothing that means anything. */
static int
test_digest(enum key_kind kind, uint8_t digest[KEY_HASH_MAX], size_t *len,
    struct fault *f)
{
	static const char text[] = "signet: is this the key of the CA?";
	OWN_STRUCT(key_hash) hash = key_hash_new(kind, f);
	uint8_t fresh[32];

	if (hash == NULL)
		return -1;
	rand_bytes(fresh, sizeof(fresh));
	key_hash_add(hash,
	    (struct wire_bytes){ (const uint8_t *)text, sizeof(text) });
	key_hash_add(hash, (struct wire_bytes){ fresh, sizeof(fresh) });
	return key_hash_end(hash, digest, len, f);
}

static int
test_signature(struct token *token, CK_SESSION_HANDLE session,
    struct secret *pin, struct fault *f)
{
	struct token_signature signature = { .len = 0 };
	uint8_t data[KEY_HASH_MAX];
	struct wire_bytes digest = { data, 0 };
	CK_RV rv;

	if (test_digest(token->spki.kind, data, &digest.len, f) < 0)
		return -1;
	if (token_make_signature(token, session, pin, digest, &signature, &rv,
		f) < 0)
		return fault_wrap(f, "a test signature");
	if (!token_verifies(&token->spki, digest, &signature))
		return fault_set(f, FAULT_CONFIG,
		    "a test signature of the token's key does not verify with "
		    "the CA's");
	return 0;
}

int
token_bind(struct token *token, CK_SESSION_HANDLE session, struct secret *pin,
    struct fault *f)
{
	if (token_find_key(token, session, &token->key, f) < 0)
		return -1;
	if (!flag(token, session, CKA_SIGN, true))
		return fault_set(f, FAULT_CONFIG,
		    "the key in the token may not sign (CKA_SIGN)");
	token->each_time = flag(token, session, CKA_ALWAYS_AUTHENTICATE, false);
	if (check_public(token, session, f) < 0 ||
	    check_certificate(token, session, f) < 0)
		return -1;
	return test_signature(token, session, pin, f);
}
