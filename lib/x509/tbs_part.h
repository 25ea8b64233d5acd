#ifndef X509_TBS_PART_H
#define X509_TBS_PART_H

/* What tbs.c, tbs_ext.c and tbs_crl.c share; nobody else includes this. */

#include "base/checked.h"
#include "x509/authority.h"
#include "x509/der.h"

#include <time.h>

struct fault;

/* An OID's contents, as a C string literal without its NUL. */
#define TBS_OID(literal)                                        \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

#define TBS_AHEAD 3600	 /* how far a time may lie in the future */
#define TBS_BEHIND 86400 /* and in the past */
#define TBS_SERIAL_MAX 20

/* The public key that is being certified. */
struct tbs_key {
	bool rsa;
	struct wire_bytes bits; /* contents of the BIT STRING */
};

/* The next element of ${in} must be ${a}'s own signature algorithm, the one
 * after it ${a}'s own name, byte for byte. */
CHECKED int tbs_algorithm(struct der_in *in, const struct authority *a,
    struct fault *f);
CHECKED int tbs_issuer(struct der_in *in, const struct authority *a,
    struct fault *f);

/* The next element is a serial number: its magnitude goes to ${serial}. */
CHECKED int tbs_serial(struct der_in *in, struct wire_bytes *serial,
    struct fault *f);

/* One Extension of ${in}, with its OID, its criticality, its value. */
struct tbs_extension {
	struct wire_bytes oid;
	bool critical;
	struct der_in value;
};
CHECKED int tbs_extension(struct der_in *in, struct tbs_extension *e,
    struct fault *f);

/* The value of an authorityKeyIdentifier names ${a}'s key and nothing else. */
CHECKED int tbs_authority_id(struct der_in *value, const struct authority *a,
    struct fault *f);

/* All extensions of a certificate: ${in} is what follows the key. */
CHECKED int tbs_extensions(struct der_in *in, const struct authority *a,
    const struct tbs_key *key, struct fault *f);

#endif
