#ifndef MYPROXY_TRUSTROOTS_H
#define MYPROXY_TRUSTROOTS_H

#include "base/buf.h"
#include "base/checked.h"

/* The trust directory as a reply, and back (facts: PROTOCOL 7). */
struct fault;

#define TRUSTROOTS_MAX (16u * 1024 * 1024)

/* Append the TRUSTED_CERTS= and FILEDATA_ lines for every regular,
 * world-readable file of ${dir}; *${files} says how many.  No NUL. */
CHECKED int trustroots_write(const char *dir, struct buf *out, size_t *files,
    struct fault *f);

/* Install the files of a reply's lines into ${dir} (made if missing): each
 * checked to be what its name says (certificate, CRL, signing_policy, other
 * names refused), written atomically, mode 0644.  Names with '/', leading
 * dots or odd characters are refused.  *${files} says how many. */
CHECKED int trustroots_install(const char *lines, size_t len, const char *dir,
    size_t *files, struct fault *f);

#endif
