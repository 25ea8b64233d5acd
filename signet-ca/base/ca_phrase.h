#ifndef SIGNET_CA_CA_PHRASE_H
#define SIGNET_CA_CA_PHRASE_H

#include "base/checked.h"
#include "base/secret.h"

#include <stdbool.h>

/* Pass phrases of keys and backups. */
struct fault;

#define CA_PHRASE_LEAST 15

/* The pass phrase of ${what}, from descriptor ${fd} (a number as text), or
 * asked for. */
CHECKED struct secret *ca_phrase_ask(const char *what, const char *fd,
    struct fault *f);

/* A pass phrase for a new key: *${phrase} is NULL with ${none}, else from
 * ${fd}, or asked for twice; at least CA_PHRASE_LEAST bytes. */
CHECKED int ca_phrase_new(bool none, const char *fd, const char *what,
    struct secret **phrase, struct fault *f);

#endif
