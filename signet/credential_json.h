#ifndef SIGNET_CREDENTIAL_JSON_H
#define SIGNET_CREDENTIAL_JSON_H

#include "base/checked.h"

#include <jansson.h>
#include <time.h>

/* A credential as --json shows it: stable keys, times in RFC 3339 UTC. */
struct credential;
struct fault;
struct trust_store;

/**
 * credential_json(path, c, store, now, f):
 * The object for the credential ${c} read from ${path}; "verified" says
 * whether it holds against ${store} (NULL: null is said).  json_decref() it.
 */
CHECKED json_t *credential_json(const char *path, const struct credential *c,
    const struct trust_store *store, time_t now, struct fault *f);

/* One word for the kind of the leaf: "rfc3820", "draft", "legacy", "eec". */
const char *credential_json_type(const struct credential *c);

#endif
