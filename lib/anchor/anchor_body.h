#ifndef ANCHOR_ANCHOR_BODY_H
#define ANCHOR_ANCHOR_BODY_H

#include "base/buf.h"
#include "base/checked.h"
#include "x509/cert.h"

/*
 * What a server sent, taken apart: certificates and lists in the forms in which
 * CAs publish them.  Which form it is is seen in the bytes; what a description
 * says of it is only a hint for people.
 */
struct fault;

#define ANCHOR_CERT_BODY_MAX 1048576 /* bytes that may hold certificates */

/**
 * body_certs(list, body, f):
 * All certificates in ${body}: PEM with any text around, DER, PKCS#7 (PEM or
 * DER), or Netscape's wrapper.  ${list} is filled from empty, for
 * cert_list_free().  FAULT_INPUT if there is none, or one is malformed.
 */
CHECKED int body_certs(struct cert_list *list, struct wire_bytes body,
    struct fault *f);

/* ${cert} as PEM and nothing else. */
void body_cert_put(struct buf *out, const struct cert *cert);

/**
 * body_crl(body, decoded, der, f):
 * The one CRL in ${body}: DER, then ${der} is ${body}; or PEM, then ${decoded}
 * holds it.  FAULT_INPUT if there is none, or more than one.
 */
CHECKED int body_crl(struct wire_bytes body, struct buf *decoded,
    struct wire_bytes *der, struct fault *f);

#endif
