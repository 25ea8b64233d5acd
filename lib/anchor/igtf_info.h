#ifndef ANCHOR_IGTF_INFO_H
#define ANCHOR_IGTF_INFO_H

#include "anchor/want.h"
#include "base/buf.h"
#include "base/checked.h"

#include <stddef.h>

/*
 * The IGTF's `.info` and `.crl_url` files (facts: FORMATS section 2).
 *
 * .info: `key = value` a line; `#` begins a comment line; a line that ends in a
 * backslash goes on in the next.  crl_url and crl_url.N hold one list each,
 * its mirrors separated by ';'.  Keys that we do not use are passed over: the
 * format grows.
 */
struct fault;

#define IGTF_INFO_MAX 262144 /* bytes of a file */

/**
 * igtf_info_read(want, text, len, f):
 * Fill ${want} from the ${len} bytes at ${text}.  What is not right goes to
 * ${want}->wrong; only memory can fail.  A package of CAs (several subjectdn,
 * and requires) gets ${want}->meta.
 */
CHECKED int igtf_info_read(struct anchor_want *want, const char *text,
    size_t len, struct fault *f);

/* Append what ${want} says as such a file. */
void igtf_info_write(const struct anchor_want *want, struct buf *out);

/* Fill ${list} from a `.crl_url` file: a URL a line, all of one list. */
CHECKED int igtf_crl_url_read(struct anchor_want *want, struct want_list *list,
    const char *text, size_t len, struct fault *f);

/* The alias in "ALIAS = VERSION", an item of requires or obsoletes; *${version}
 * is behind the '=', or NULL.  -1 if it is no such item. */
CHECKED int igtf_item(const char *item, char alias[WANT_ALIAS_MAX],
    const char **version);

#endif
