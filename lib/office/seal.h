#ifndef OFFICE_SEAL_H
#define OFFICE_SEAL_H

#include "base/checked.h"
#include "base/own.h"
#include "base/secret.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A file that nobody reads without its pass phrase, and in which nobody
 * alters, cuts off, repeats or moves anything without being found out.
 *
 *	16 octets  "signet sealed 1\n"
 *	32 octets  salt
 *	chunks     of 65536 octets each, the last of 0 to 65536: AES-256-GCM
 *		   (RFC 5116 5.2), each followed by its tag of 16 octets
 *
 * The key is scrypt (RFC 7914) of pass phrase and salt with N = 2^17, r = 8,
 * p = 1: it takes 128 MiB, and serves this one file.  So the nonce may count:
 * one octet that is 1 for the last chunk and 0 before, three of 0, and eight
 * with the chunk's number from 0, big-endian.  The 48 octets of the header are
 * additional data of every chunk.
 */
struct fault;
struct seal_out;
struct seal_in;

#define SEAL_CHUNK 65536

/**
 * seal_out_new(fd, phrase, f):
 * Begin a sealed file on ${fd}, which stays the caller's.  Nothing is whole
 * before seal_out_end().  seal_out_free() the result; the phrase is not kept.
 */
CHECKED struct seal_out *seal_out_new(int fd, const struct secret *phrase,
    struct fault *f);
CHECKED int seal_put(struct seal_out *out, const void *data, size_t len,
    struct fault *f);
CHECKED int seal_out_end(struct seal_out *out, struct fault *f);
void seal_out_free(struct seal_out *out);
OWN_FREE_STRUCT(seal_out, seal_out_free)

/* Begin to read the sealed file on ${fd}, from where it stands.  FAULT_INPUT
 * if it is none; a wrong pass phrase shows at the first octet that is asked
 * for, as FAULT_LOGIN: it cannot be told from a first chunk that was altered.
 */
CHECKED struct seal_in *seal_in_new(int fd, const struct secret *phrase,
    struct fault *f);

/* Up to ${size} octets; *${len} is 0 at the end, and then the whole file was
 * as it was written.  FAULT_INPUT from the first octet that is not. */
CHECKED int seal_get(struct seal_in *in, void *to, size_t size, size_t *len,
    struct fault *f);
void seal_in_free(struct seal_in *in);
OWN_FREE_STRUCT(seal_in, seal_in_free)

#endif
