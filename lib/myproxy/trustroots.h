#ifndef MYPROXY_TRUSTROOTS_H
#define MYPROXY_TRUSTROOTS_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

/* The trust directory as a reply, and back (facts: PROTOCOL 7). */
struct fault;

#define TRUSTROOTS_MAX (16u << 20) /* 16 MiB */
#define TRUSTROOTS_NAME_SIZE 128

/**
 * trustroots_write(dir, out, files, f):
 * Append the TRUSTED_CERTS= and FILEDATA_ lines for every regular,
 * world-readable file of ${dir}, by name; *${files} says how many.  No NUL,
 * and nothing at all for an empty directory.  Left out: names that a reader
 * would refuse, and whatever holds a private key, which somebody put there by
 * mistake.  FAULT_CONFIG if all would be more than TRUSTROOTS_MAX.
 */
CHECKED int trustroots_write(const char *dir, struct buf *out, size_t *files,
    struct fault *f);

/**
 * trustroots_install(lines, len, dir, files, f):
 * Install the files of a reply's lines into ${dir} (made if missing), each
 * written atomically, mode 0644.  FAULT_INPUT, and nothing is written, if a
 * name is unsafe ('/', a leading dot, odd characters) or has no good base64.  A
 * file that trustroots_check refuses is left out.  *${files} says how many were
 * written.
 */
CHECKED int trustroots_install(const char *lines, size_t len, const char *dir,
    size_t *files, struct fault *f);

/* The next FILEDATA_ line from *${at} on: 1 with its name and its base64
 * (borrowed), 0 at the end, -1 (FAULT_INPUT) for an unsafe name. */
CHECKED int trustroots_next(const char *lines, size_t len, size_t *at,
    char name[TRUSTROOTS_NAME_SIZE], struct wire_bytes *base64,
    struct fault *f);

/* Whether ${data} is what the file's name says: a certificate or CRL whose
 * name hashes to it, a signing_policy, or the text of a .namespaces, .info or
 * .crl_url.  Other names are FAULT_INPUT. */
CHECKED int trustroots_check(const char *name, struct wire_bytes data,
    struct fault *f);

#endif
