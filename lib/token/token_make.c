#include "token/token_make.h"

#include "token/token_part.h"
#include "token/token_public.h"
#include "token/token_rv.h"
#include "x509/cert.h"
#include "x509/der.h"

#include <string.h>

#define CERT_OCTETS 16384

static const struct make {
	const char *what;
	CK_KEY_TYPE type;
	CK_MECHANISM_TYPE mechanism;
	CK_ULONG bits;
	size_t params_len;
	const char *params; /* RFC 5480 2.1.1.1, as CKA_EC_PARAMS */
} makes[] = {
	{ "rsa:2048", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, 2048, 0, NULL },
	{ "rsa:3072", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, 3072, 0, NULL },
	{ "rsa:4096", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, 4096, 0, NULL },
	{ "ec:P-256", CKK_EC, CKM_EC_KEY_PAIR_GEN, 0, 10,
	    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" },
	{ "ec:P-384", CKK_EC, CKM_EC_KEY_PAIR_GEN, 0, 7,
	    "\x06\x05\x2b\x81\x04\x00\x22" },
};

static const uint8_t exponent[] = { 0x01, 0x00, 0x01 };
static const CK_BBOOL yes = CK_TRUE;
static const CK_BBOOL no = CK_FALSE;

#define YES(type)                                     \
	{                                             \
		(type), token_lend(&yes), sizeof(yes) \
	}
#define NO(type)                                    \
	{                                           \
		(type), token_lend(&no), sizeof(no) \
	}

struct pair {
	CK_OBJECT_HANDLE public;
	CK_OBJECT_HANDLE private;
};

/* Label and id go last into both templates. */
static CK_ULONG
add_names(const struct token *token, CK_ATTRIBUTE *template, CK_ULONG count)
{
	const struct token_uri *which = &token->which;

	if (which->object[0] != '\0')
		template[count++] = (CK_ATTRIBUTE){ CKA_LABEL,
			token_lend(which->object), strlen(which->object) };
	if (which->id_len > 0)
		template[count++] = (CK_ATTRIBUTE){ CKA_ID,
			token_lend(which->id), which->id_len };
	return count;
}

static CK_ULONG
add_size(const struct make *make, CK_ATTRIBUTE *template, CK_ULONG count)
{
	if (make->type != CKK_RSA) {
		template[count++] = (CK_ATTRIBUTE){ CKA_EC_PARAMS,
			token_lend(make->params), make->params_len };
		return count;
	}
	template[count++] = (CK_ATTRIBUTE){ CKA_MODULUS_BITS,
		token_lend(&make->bits), sizeof(make->bits) };
	template[count++] = (CK_ATTRIBUTE){ CKA_PUBLIC_EXPONENT,
		token_lend(exponent), sizeof(exponent) };
	return count;
}

static int
generate(struct token *token, CK_SESSION_HANDLE session,
    const struct make *make, struct pair *pair, struct fault *f)
{
	CK_MECHANISM mechanism = { make->mechanism, NULL, 0 };
	CK_ATTRIBUTE public[6] = { YES(CKA_TOKEN), YES(CKA_VERIFY) };
	CK_ATTRIBUTE private[9] = { YES(CKA_TOKEN), YES(CKA_PRIVATE),
		YES(CKA_SENSITIVE), NO(CKA_EXTRACTABLE), YES(CKA_SIGN) };
	CK_ULONG publics = add_names(token, public, add_size(make, public, 2));
	CK_ULONG privates = 5;
	CK_RV rv;

	if (make->type == CKK_RSA) {
		private[privates++] = (CK_ATTRIBUTE)NO(CKA_DECRYPT);
		private[privates++] = (CK_ATTRIBUTE)NO(CKA_UNWRAP);
	} else {
		private[privates++] = (CK_ATTRIBUTE)NO(CKA_DERIVE);
	}
	privates = add_names(token, private, privates);
	rv = token->module->call->C_GenerateKeyPair(session, &mechanism, public,
	    publics, private, privates, &pair->public, &pair->private);
	return rv == CKR_OK ? 0 : token_rv_fault(f, rv, "C_GenerateKeyPair");
}

static bool
is(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
    CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;
	size_t len = 0;

	return token_public_get(token->module->call, session, key, type, &value,
		   sizeof(value), &len) == 0 &&
	    value == CK_TRUE;
}

/* The id of both halves, so that they are found by one another. */
static int
set_id(struct token *token, CK_SESSION_HANDLE session, const struct pair *pair,
    const uint8_t id[KEY_ID_SIZE], struct fault *f)
{
	CK_ATTRIBUTE attribute = { CKA_ID, token_lend(id), KEY_ID_SIZE };
	CK_FUNCTION_LIST *call = token->module->call;
	CK_RV rv =
	    call->C_SetAttributeValue(session, pair->private, &attribute, 1);

	if (rv == CKR_OK)
		rv = call->C_SetAttributeValue(session, pair->public,
		    &attribute, 1);
	if (rv != CKR_OK)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "the token does not take an id afterwards: say id= in the "
		    "URI");
	return 0;
}

/* What was made: its public half, and whether it is kept as it must be. */
static int
finish(struct token *token, CK_SESSION_HANDLE session, const struct make *make,
    const struct pair *pair, struct buf *out, struct fault *f)
{
	CK_FUNCTION_LIST *call = token->module->call;
	uint8_t a[1024], b[1024], id[KEY_ID_SIZE];
	struct wire_bytes first = { a, 0 }, second = { b, 0 };
	bool rsa = make->type == CKK_RSA;
	size_t from = out->len;
	struct spki spki;

	if (!is(token, session, pair->private, CKA_SENSITIVE) ||
	    is(token, session, pair->private, CKA_EXTRACTABLE))
		return fault_set(f, FAULT_UNSUPPORTED,
		    "the token makes keys that can be taken out of it");
	if (token_public_get(call, session, pair->public,
		rsa ? CKA_MODULUS : CKA_EC_PARAMS, a, sizeof(a),
		&first.len) < 0 ||
	    token_public_get(call, session, pair->public,
		rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT, b, sizeof(b),
		&second.len) < 0)
		return fault_set(f, FAULT_KEY, "a key without public half");
	if ((rsa ? token_public_rsa(out, first, second, f)
		 : token_public_ec(out, first, second, f)) < 0)
		return -1;
	if (spki_read(&spki,
		(struct wire_bytes){ out->data + from, out->len - from },
		f) < 0)
		return -1;
	spki_id(&spki, id);
	return token->which.id_len > 0 ? 0
				       : set_id(token, session, pair, id, f);
}

static int
make_in(struct token *token, CK_SESSION_HANDLE session, const struct make *make,
    struct buf *out, struct fault *f)
{
	CK_OBJECT_HANDLE there;
	struct pair pair;
	unsigned count = 0;

	if (token_count_keys(token, session, &there, &count, f) < 0)
		return -1;
	if (count > 0)
		return fault_set(f, FAULT_DENIED,
		    "the token has such a private key already; nothing was "
		    "made");
	if (generate(token, session, make, &pair, f) < 0)
		return -1;
	if (finish(token, session, make, &pair, out, f) == 0)
		return 0;
	(void)token->module->call->C_DestroyObject(session, pair.private);
	(void)token->module->call->C_DestroyObject(session, pair.public);
	return -1;
}

static int
begin(struct token *token, struct secret *pin, CK_FLAGS flags,
    CK_SESSION_HANDLE *session, struct fault *f)
{
	if (token_state(token, NULL) == TOKEN_READY)
		return fault_set(f, FAULT_USAGE, "the token is in use");
	if (token_prepare(token, f) < 0)
		return -1;
	return token_enter_pin(token, pin, flags, session, f);
}

int
token_make_key(struct token *token, struct secret *pin, const char *what,
    struct buf *spki, struct fault *f)
{
	const size_t kinds = sizeof(makes) / sizeof(makes[0]);
	CK_SESSION_HANDLE session;
	size_t i = 0;
	int result;

	while (i < kinds && strcmp(makes[i].what, what) != 0)
		i++;
	if (i == kinds)
		return fault_set(f, FAULT_USAGE, "no kind of key: %.40s", what);
	if (token->which.object[0] == '\0' && token->which.id_len == 0)
		return fault_set(f, FAULT_USAGE,
		    "the URI has no object= or id=, by which the key would be "
		    "found again");
	token_take_control(token);
	result = begin(token, pin, CKF_RW_SESSION, &session, f);
	if (result == 0) {
		result = make_in(token, session, &makes[i], spki, f);
		token_leave(token);
	}
	token_leave_control(token);
	return result;
}

static int
create_certificate(struct token *token, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE key, const struct cert *cert, struct wire_bytes der,
    struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	OWN_BUF(serial, 64);
	uint8_t id[TOKEN_PUBLIC_MAX];
	size_t id_len = 0;
	CK_OBJECT_HANDLE made;
	CK_RV rv;

	der_put_positive(&serial, cert->serial, cert->serial_len);
	if (token_public_get(token->module->call, session, key, CKA_ID, id,
		sizeof(id), &id_len) < 0 ||
	    id_len == 0 || serial.failed)
		return fault_set(f, FAULT_CONFIG, "the key has no CKA_ID");

	CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof(class) },
		{ CKA_CERTIFICATE_TYPE, &type, sizeof(type) }, YES(CKA_TOKEN),
		NO(CKA_PRIVATE), { CKA_ID, id, id_len },
		{ CKA_SUBJECT, token_lend(cert->subject.der),
		    cert->subject.len },
		{ CKA_ISSUER, token_lend(cert->issuer.der), cert->issuer.len },
		{ CKA_SERIAL_NUMBER, serial.data, serial.len },
		{ CKA_VALUE, token_lend(der.data), der.len },
		{ CKA_LABEL, token_lend(token->which.object),
		    strlen(token->which.object) } };

	rv = token->module->call->C_CreateObject(session, template,
	    sizeof(template) / sizeof(template[0]), &made);
	return rv == CKR_OK ? 0 : token_rv_fault(f, rv, "C_CreateObject");
}

static int
put_in(struct token *token, CK_SESSION_HANDLE session, const struct cert *cert,
    struct wire_bytes der, struct fault *f)
{
	OWN_BUF(public, TOKEN_PUBLIC_MAX);
	OWN_BUF(there, CERT_OCTETS);
	CK_FUNCTION_LIST *call = token->module->call;
	CK_OBJECT_HANDLE key;

	if (token_find_key(token, session, &key, f) < 0 ||
	    token_public_read(call, session, key, &public, f) < 0)
		return -1;
	if (!der_bytes_equal((struct wire_bytes){ public.data, public.len },
		cert->spki.der))
		return fault_set(f, FAULT_CONFIG,
		    "the certificate is not of the key in the token");
	if (token_public_certificate(call, session, key, &there, f) == 0)
		return der_bytes_equal((struct wire_bytes){ there.data,
					   there.len },
			   der)
		    ? 0
		    : fault_set(f, FAULT_DENIED,
			  "another certificate lies beside the key");
	if (f->code != FAULT_ABSENT)
		return -1;
	return create_certificate(token, session, key, cert, der, f);
}

int
token_put_certificate(struct token *token, struct secret *pin,
    struct wire_bytes der, struct fault *f)
{
	OWN_STRUCT(cert) cert = cert_read(der, f);
	CK_SESSION_HANDLE session;
	int result;

	if (cert == NULL)
		return -1;
	token_take_control(token);
	result = begin(token, pin, CKF_RW_SESSION, &session, f);
	if (result == 0) {
		result = put_in(token, session, cert, der, f);
		token_leave(token);
	}
	token_leave_control(token);
	return result;
}

int
token_show_key(struct token *token, struct secret *pin, struct buf *spki,
    struct fault *f)
{
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	int result;

	token_take_control(token);
	result = begin(token, pin, CKF_SERIAL_SESSION, &session, f);
	if (result == 0) {
		result = token_find_key(token, session, &key, f);
		if (result == 0)
			result = token_public_read(token->module->call, session,
			    key, spki, f);
		token_leave(token);
	}
	token_leave_control(token);
	return result;
}
