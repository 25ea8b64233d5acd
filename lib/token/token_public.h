#ifndef TOKEN_PUBLIC_H
#define TOKEN_PUBLIC_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"
#include "x509/key.h"

#include <p11-kit/pkcs11.h>

/* For lib/token: the public half of a key, and what else lies beside it. */
struct fault;

#define TOKEN_PUBLIC_MAX 1024 /* octets of a SubjectPublicKeyInfo */

/* Append the SubjectPublicKeyInfo of an RSA key from its big numbers; of a key
 * on the curve of CKA_EC_PARAMS from a point that is in an OCTET STRING, as the
 * standard says, or bare.  FAULT_KEY if it is none that a CA may have. */
CHECKED int token_public_rsa(struct buf *out, struct wire_bytes modulus,
    struct wire_bytes exponent, struct fault *f);
CHECKED int token_public_ec(struct buf *out, struct wire_bytes params,
    struct wire_bytes point, struct fault *f);

/* Append that of the private key ${key}: from the public key that has its
 * CKA_ID, else from what the private one shows.  FAULT_ABSENT if the token does
 * not tell. */
CHECKED int token_public_read(CK_FUNCTION_LIST *call, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE key, struct buf *out, struct fault *f);

/* Append the certificate that has the CKA_ID of ${key}.  FAULT_ABSENT if there
 * is none; of several the first. */
CHECKED int token_public_certificate(CK_FUNCTION_LIST *call,
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, struct buf *out,
    struct fault *f);

/* The octets of an attribute: 0, or -1 if it has none or too many. */
CHECKED int token_public_get(CK_FUNCTION_LIST *call, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, uint8_t *data, size_t size,
    size_t *len);

#endif
