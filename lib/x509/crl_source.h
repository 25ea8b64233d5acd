#ifndef X509_CRL_SOURCE_H
#define X509_CRL_SOURCE_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The octets of a CRL, one after the other, from a file that holds them as
 * they are (DER) or as PEM text: what is no block "X509 CRL" is passed over,
 * and the first such block is the CRL.  In a few kilobytes of memory, whatever
 * the size.
 */
struct fault;

#define CRL_SOURCE_RAW 16384
#define CRL_SOURCE_LINE 80

struct crl_source {
	int fd;	      /* borrowed, or -1: all is in raw */
	size_t limit; /* octets of the file that may still come */
	const uint8_t *raw;
	size_t left; /* of raw */
	uint8_t buffer[CRL_SOURCE_RAW];
	enum {
		CRL_SOURCE_NEW,
		CRL_SOURCE_DER,
		CRL_SOURCE_TEXT, /* before the block */
		CRL_SOURCE_BODY, /* in it */
		CRL_SOURCE_LAST, /* in its last line */
		CRL_SOURCE_END
	} state;
	char line[CRL_SOURCE_LINE]; /* its beginning; or digits not decoded */
	size_t line_len;
	bool padded; /* '=' was seen: nothing may follow */
};

/* From ${fd}, at most ${limit} octets of it; or from memory. */
void crl_source_file(struct crl_source *s, int fd, size_t limit);
void crl_source_memory(struct crl_source *s, const void *data, size_t len);

/**
 * crl_source_get(s, to, size, len, f):
 * Put up to ${size} (48 or more) of the next octets at ${to}: *${len} of them,
 * 0 at the end.  FAULT_INPUT if there is no CRL, or malformed PEM.
 */
CHECKED int crl_source_get(struct crl_source *s, uint8_t *to, size_t size,
    size_t *len, struct fault *f);

#endif
