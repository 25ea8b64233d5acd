#ifndef ANCHOR_CADESC_H
#define ANCHOR_CADESC_H

#include "anchor/want.h"
#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * gx-map's descriptions of CAs, HASH.NAME.cadesc (facts: FORMATS section 1):
 * one attribute a line.  cadesc.def lists them.
 *
 * New here: CERTIFICATE_SHA256 and CERTIFICATE_SHA384; several CERTIFICATE_URL
 * and CRL_URL lines as mirrors.  CRL_URL and SIGNING_POLICY_URL may be absent,
 * as gx-map's manual says.  An attribute given twice that is no list is wrong.
 */
struct fault;

#define CADESC_MAX 65536 /* bytes of a file */

/* What the name of the file says, without directory: 0 and both parts, 1 for a
 * template (00000000.*), which is no CA's, -1 if it is no such name. */
CHECKED int cadesc_name(const char *name, char hash[9],
    char alias[WANT_ALIAS_MAX]);

/**
 * cadesc_read(want, text, len, f):
 * Fill ${want}, which has file, hash and alias, from the ${len} bytes at
 * ${text}.  What is not right about them goes to ${want}->wrong, all of it;
 * only memory can fail.
 */
CHECKED int cadesc_read(struct anchor_want *want, const char *text, size_t len,
    struct fault *f);

/* Append ${want} as a cadesc file.  FAULT_INPUT if it cannot be one: no hash,
 * subject, pins or address, or only a signing_policy that is no list of
 * patterns. */
CHECKED int cadesc_write(const struct anchor_want *want, struct buf *out,
    struct fault *f);

/* Its attributes for the manual page, in mdoc(7). */
void cadesc_man(FILE *out);

#endif
