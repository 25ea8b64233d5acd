#ifndef TRUST_SIGPOLICY_H
#define TRUST_SIGPOLICY_H

#include "base/checked.h"
#include "x509/dn.h"

/* `.signing_policy` files: who may sign whom (facts: FORMATS section 2). */
struct fault;

#define SIGPOLICY_ENTRIES 16
#define SIGPOLICY_PATTERNS 64

struct sigpolicy_entry {
	char ca[DN_TEXT_MAX]; /* slash form */
	size_t count;
	char *pattern[SIGPOLICY_PATTERNS]; /* owned; '*' and '?' */
};

struct sigpolicy {
	size_t count;
	struct sigpolicy_entry *entry; /* owned */
};

CHECKED int sigpolicy_read(struct sigpolicy *p, const char *text, size_t len,
    struct fault *f);
void sigpolicy_clear(struct sigpolicy *p);

/* Whether ${p} lets the CA named ${ca} sign ${subject} (both slash form);
 * a CA may always sign itself. */
bool sigpolicy_allows(const struct sigpolicy *p, const char *ca,
    const char *subject);

#endif
