#ifndef X509_CERT_PART_H
#define X509_CERT_PART_H

#include "x509/cert.h"
#include "x509/der.h"

/* For the files that cert.c consists of. */

/* What cert_ext.c finds and cert_kind.c needs to tell the kind. */
struct cert_proxy_info {
	bool rfc;   /* there is a proxyCertInfo of RFC 3820 */
	bool draft; /* there is one of the draft */
	struct wire_bytes language;
	int path_length; /* -1: none */
};

/* Read the contents of Extensions into ${cert} and ${info}. */
CHECKED int cert_read_extensions(struct cert *cert, struct der_in in,
    struct cert_proxy_info *info, struct fault *f);

/* Set the kind (and what follows from it) of ${cert}, all else being read. */
CHECKED int cert_set_kind(struct cert *cert, const struct cert_proxy_info *info,
    struct fault *f);

#endif
