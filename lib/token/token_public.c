#include "token/token_public.h"

#include "base/fault.h"
#include "token/token_part.h"
#include "token/token_rv.h"
#include "x509/der.h"

#include <string.h>

#define ATTRIBUTE_MAX 1024

static const uint8_t rsa_algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };

/* RFC 5480 2.1.1: a curve as CKA_EC_PARAMS names it, and its key's algorithm.
 */
static const struct {
	size_t params_len;
	const char *params;
	size_t algorithm_len;
	const char *algorithm;
	size_t point_len;
} curves[] = {
	{ 10, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 21,
	    "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
	    65 },
	{ 7, "\x06\x05\x2b\x81\x04\x00\x22", 18,
	    "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	    "\x06\x05\x2b\x81\x04\x00\x22",
	    97 },
};

#define CURVES (sizeof(curves) / sizeof(curves[0]))

/* See that what was put together from ${from} on is a key we use. */
static int
check(const struct buf *out, size_t from, struct fault *f)
{
	struct wire_bytes der = { NULL, 0 };
	struct spki spki;

	if (out->failed)
		return fault_set(f, FAULT_KEY,
		    "a public key that is too large");
	der.data = out->data + from;
	der.len = out->len - from;
	return spki_read(&spki, der, f);
}

int
token_public_rsa(struct buf *out, struct wire_bytes modulus,
    struct wire_bytes exponent, struct fault *f)
{
	OWN_BUF(key, TOKEN_PUBLIC_MAX);
	size_t from = out->len, mark = der_open(&key, DER_SEQUENCE);

	der_put_positive(&key, modulus.data, modulus.len);
	der_put_positive(&key, exponent.data, exponent.len);
	der_close(&key, mark);
	mark = der_open(out, DER_SEQUENCE);
	buf_put(out, rsa_algorithm, sizeof(rsa_algorithm));
	der_put_bits(out, key.data, key.len);
	der_close(out, mark);
	if (key.failed)
		return fault_set(f, FAULT_KEY,
		    "a public key that is too large");
	return check(out, from, f);
}

/* PKCS#11 2.40 2.3.3 wants an OCTET STRING; some tokens give what is in it.
 * Their lengths tell them apart. */
static struct wire_bytes
bare(struct wire_bytes point, size_t len)
{
	struct der_in in = DER_IN(point.data, point.len);
	struct wire_bytes inner;

	if (point.len == len)
		return point;
	inner = der_get(&in, DER_OCTET_STRING);
	if (!der_ended(&in) || inner.len != len)
		return (struct wire_bytes){ NULL, 0 };
	return inner;
}

int
token_public_ec(struct buf *out, struct wire_bytes params,
    struct wire_bytes point, struct fault *f)
{
	size_t from = out->len, mark, i = 0;

	while (i < CURVES &&
	    (params.len != curves[i].params_len ||
		memcmp(params.data, curves[i].params, params.len) != 0))
		i++;
	if (i == CURVES)
		return fault_set(f, FAULT_KEY,
		    "a key that is not on P-256 or P-384");
	if ((point = bare(point, curves[i].point_len)).data == NULL)
		return fault_set(f, FAULT_KEY, "CKA_EC_POINT is no point");
	mark = der_open(out, DER_SEQUENCE);
	buf_put(out, curves[i].algorithm, curves[i].algorithm_len);
	der_put_bits(out, point.data, point.len);
	der_close(out, mark);
	return check(out, from, f);
}

int
token_public_get(CK_FUNCTION_LIST *call, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, uint8_t *data, size_t size,
    size_t *len)
{
	CK_ATTRIBUTE attribute = { type, data, size };

	if (call->C_GetAttributeValue(session, object, &attribute, 1) !=
		CKR_OK ||
	    attribute.ulValueLen > size)
		return -1;
	*len = attribute.ulValueLen;
	return 0;
}

/* The first object of ${class} with the CKA_ID of ${key}; 0 if there is none.
 */
static CK_OBJECT_HANDLE
find_beside(CK_FUNCTION_LIST *call, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE key, CK_OBJECT_CLASS class)
{
	CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
	uint8_t id[ATTRIBUTE_MAX];
	size_t len = 0;
	CK_ULONG count = 0;
	CK_ATTRIBUTE like[] = { { CKA_CLASS, &class, sizeof(class) },
		{ CKA_ID, id, 0 } };

	if (token_public_get(call, session, key, CKA_ID, id, sizeof(id), &len) <
		0 ||
	    len == 0)
		return CK_INVALID_HANDLE;
	like[1].ulValueLen = len;
	if (call->C_FindObjectsInit(session, like, 2) != CKR_OK)
		return CK_INVALID_HANDLE;
	if (call->C_FindObjects(session, &found, 1, &count) != CKR_OK ||
	    count == 0)
		found = CK_INVALID_HANDLE;
	(void)call->C_FindObjectsFinal(session);
	return found;
}

/* What a key shows of its public half: two attributes. */
static int
read_half(CK_FUNCTION_LIST *call, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object, CK_KEY_TYPE type, struct buf *out, struct fault *f)
{
	uint8_t first[ATTRIBUTE_MAX], second[ATTRIBUTE_MAX];
	struct wire_bytes a = { first, 0 }, b = { second, 0 };
	bool rsa = type == CKK_RSA;

	if (object == CK_INVALID_HANDLE ||
	    token_public_get(call, session, object,
		rsa ? CKA_MODULUS : CKA_EC_PARAMS, first, sizeof(first),
		&a.len) < 0 ||
	    token_public_get(call, session, object,
		rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT, second,
		sizeof(second), &b.len) < 0 ||
	    a.len == 0 || b.len == 0)
		return fault_set(f, FAULT_ABSENT,
		    "the token does not show the key's public half");
	if (rsa)
		return token_public_rsa(out, a, b, f);
	return token_public_ec(out, a, b, f);
}

int
token_public_read(CK_FUNCTION_LIST *call, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE key, struct buf *out, struct fault *f)
{
	CK_KEY_TYPE type = 0;
	size_t len = 0;

	if (token_public_get(call, session, key, CKA_KEY_TYPE, (uint8_t *)&type,
		sizeof(type), &len) < 0 ||
	    len != sizeof(type))
		return fault_set(f, FAULT_KEY,
		    "the token does not say of what kind the key is");
	if (type != CKK_RSA && type != CKK_EC)
		return fault_set(f, FAULT_KEY,
		    "a key that is neither RSA nor on a curve");
	if (read_half(call, session,
		find_beside(call, session, key, CKO_PUBLIC_KEY), type, out,
		f) == 0)
		return 0;
	/* Another key of that id is no reason to look further. */
	if (f->code != FAULT_ABSENT)
		return -1;
	return read_half(call, session, key, type, out, f);
}

int
token_public_certificate(CK_FUNCTION_LIST *call, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE key, struct buf *out, struct fault *f)
{
	CK_OBJECT_HANDLE object =
	    find_beside(call, session, key, CKO_CERTIFICATE);
	size_t size = out->limit - out->len, len = 0;
	uint8_t *room;

	if (object == CK_INVALID_HANDLE)
		return fault_set(f, FAULT_ABSENT,
		    "no certificate lies beside the key");
	if ((room = buf_room(out, size)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a certificate");
	if (token_public_get(call, session, object, CKA_VALUE, room, size,
		&len) < 0)
		return fault_set(f, FAULT_INPUT,
		    "the certificate in the token cannot be read");
	out->len += len;
	return 0;
}
