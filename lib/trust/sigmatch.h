#ifndef TRUST_SIGMATCH_H
#define TRUST_SIGMATCH_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/* How names in signing policies compare. */

/**
 * sigmatch_fold(in, out, size):
 * Write the one form in which names and patterns are compared: lower case,
 * USERID and its OID as UID, E and Email as emailAddress, no backslash before
 * '/' and '+', other runs of backslashes as one.  False if ${size} bytes are
 * too few.
 */
CHECKED bool sigmatch_fold(const char *in, char *out, size_t size);

/* Whether ${text} fits ${pattern}, both folded: '*' is one or more characters,
 * '?' is one. */
bool sigmatch_pattern(const char *pattern, const char *text);

#endif
