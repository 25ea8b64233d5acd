#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that must not be seen: a password, a PIN, a private key.  They live on
 * pages of their own, locked in memory where the limit allows it, left out of
 * core dumps, absent in children, and are wiped when freed.
 */
struct fault;
struct secret;

/* Room for ${size} bytes (and a NUL after them), empty.  secret_free() it. */
CHECKED struct secret *secret_new(size_t size, struct fault *f);

/* The same for what is kept for long, where the kernel has memfd_secret(2):
 * pages that the kernel itself does not map, so that no debugger, no /proc and
 * no root reads them.  Elsewhere it is what secret_new makes. */
CHECKED struct secret *secret_new_hidden(size_t size, struct fault *f);

/* A secret that holds a copy of ${len} bytes at ${data}. */
CHECKED struct secret *secret_copy(const void *data, size_t len,
    struct fault *f);

/* Wipe and give back.  Nothing happens if ${s} is NULL. */
void secret_free(struct secret *s);

/* The bytes, writable up to secret_size(); how many count; change how many. */
uint8_t *secret_data(struct secret *s);
const char *secret_text(const struct secret *s); /* NUL-terminated */
size_t secret_len(const struct secret *s);
size_t secret_size(const struct secret *s);
void secret_set_len(struct secret *s, size_t len);

/* Whether both hold the same bytes, in time that depends on lengths only. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* Wipe ${len} bytes at ${data} for certain. */
void secret_wipe(void *data, size_t len);

OWN_FREE_STRUCT(secret, secret_free)

#endif
