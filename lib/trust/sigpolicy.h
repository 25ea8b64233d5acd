#ifndef TRUST_SIGPOLICY_H
#define TRUST_SIGPOLICY_H

#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * `.signing_policy` files: who may sign whom, in the language that the Grid
 * Community Toolkit reads (facts: FORMATS section 3).
 *
 * Names compare without regard to case, to UID or USERID, to E, Email or
 * emailAddress, and to the backslash that OpenSSL 3 puts before '/' and '+'.
 * In a pattern every '*' stands for one or more characters and '?' for one;
 * the Toolkit knows only the last '*', so that what it lets pass, passes here.
 * Stricter than it: neg_rights take away what another right gives, and a
 * condition we do not know is never met.
 */
struct fault;
struct sigpolicy_rules;

#define SIGPOLICY_MAX 262144 /* bytes of a file */

struct sigpolicy {
	struct sigpolicy_rules *rules; /* owned */
};

/**
 * sigpolicy_read(p, text, len, f):
 * Read the ${len} bytes at ${text}.  A file without any entry, with an
 * unknown word or an open quote is FAULT_INPUT, with the line.
 * sigpolicy_clear() gives back what ${p} holds.
 */
CHECKED int sigpolicy_read(struct sigpolicy *p, const char *text, size_t len,
    struct fault *f);
void sigpolicy_clear(struct sigpolicy *p);

/* Append ${p} as text that reads back the same. */
void sigpolicy_write(const struct sigpolicy *p, struct buf *out);

/* Call ${fn} with each pattern of names that ${p} lets the CA named ${ca} sign
 * (slash form), until it returns non-zero, which is returned.  FAULT_INPUT if
 * patterns alone do not say it: rights that are taken away, or conditions that
 * must all be met. */
typedef int sigpolicy_pattern_fn(void *arg, const char *pattern,
    struct fault *f);
CHECKED int sigpolicy_patterns(const struct sigpolicy *p, const char *ca,
    sigpolicy_pattern_fn *fn, void *arg, struct fault *f);

/* Whether ${p} lets the CA named ${ca} sign ${subject} (both slash form);
 * a CA may always sign itself. */
bool sigpolicy_allows(const struct sigpolicy *p, const char *ca,
    const char *subject);

#endif
