#ifndef TRUST_NAMESPACES_H
#define TRUST_NAMESPACES_H

#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * `.namespaces` files of the IGTF: who may sign whom, as expressions (facts:
 * FORMATS section 2).
 *
 *   TO Issuer "DN" | SELF  PERMIT | DENY  Subject "expression"
 *
 * A rule goes on over lines by a backslash; `#` begins a comment.  Keywords are
 * read in any case.  The expression (trust/expression.h) fits the whole
 * subject, without regard to case, to UID or USERID, to E, Email or
 * emailAddress, and to the backslash that OpenSSL 3 puts before '/' and '+'.
 *
 * Of the rules for an issuer one that denies prevails, wherever it stands: a
 * site that adds a line to refuse something has it refused.
 */
struct fault;
struct namespaces_rules;

#define NAMESPACES_MAX 262144 /* bytes of a file */

struct namespaces {
	struct namespaces_rules *rules; /* owned */
};

enum namespaces_say {
	NAMESPACES_SILENT, /* no rule is about this issuer */
	NAMESPACES_PERMIT,
	NAMESPACES_REFUSE /* denied, or permitted by none of its rules */
};

/**
 * namespaces_read(n, text, len, f):
 * Read the ${len} bytes at ${text}.  A file of comments alone has no rule and
 * says nothing.  FAULT_INPUT with the line for anything malformed.
 * namespaces_clear() gives back what ${n} holds.
 */
CHECKED int namespaces_read(struct namespaces *n, const char *text, size_t len,
    struct fault *f);
void namespaces_clear(struct namespaces *n);

/* Append ${n} as text that reads back the same. */
void namespaces_write(const struct namespaces *n, struct buf *out);

size_t namespaces_count(const struct namespaces *n);

/* What ${n}, the file of the CA named ${self}, says of ${subject} signed by
 * ${issuer} (all slash form). */
enum namespaces_say namespaces_says(const struct namespaces *n,
    const char *self, const char *issuer, const char *subject);

#endif
