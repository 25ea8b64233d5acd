#ifndef X509_CRL_INDEX_PART_H
#define X509_CRL_INDEX_PART_H

#include "x509/crl.h"
#include "x509/key_hash.h"

/* An index from the inside, for who asks it (crl_index.c), who makes it
 * (crl_reading.c) and who puts it in order (crl_sort.c). */
#define CRL_INDEX_TAIL 5 /* octets of an entry: date and reason */
#define CRL_INDEX_ALGORITHM 256
#define CRL_INDEX_SIGNATURE 4096
#define CRL_INDEX_AUTHORITY_ID 1024

struct crl_index {
	struct crl head; /* its bytes are in what follows */
	uint8_t algorithm[CRL_INDEX_ALGORITHM];
	uint8_t signature[CRL_INDEX_SIGNATURE];
	uint8_t authority_id[CRL_INDEX_AUTHORITY_ID];
	uint8_t digest[KEY_HASH_MAX];
	size_t digest_len; /* 0: signed in a way that we cannot check */
	size_t width;	   /* octets of the longest serial */
	size_t count;
	size_t room;
	uint8_t *entries; /* owned; count times width + CRL_INDEX_TAIL */
};

#endif
