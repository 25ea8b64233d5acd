#ifndef SIGNET_PROXY_FILE_H
#define SIGNET_PROXY_FILE_H

#include "base/checked.h"
#include "base/wire.h"

/* Proxies on disk: leaf, key, chain, mode 0600. */
struct credential;
struct fault;

/* Refuse (FAULT_DENIED) to put a proxy where there is a symbolic link, what is
 * no file, or a file of someone else's, and (FAULT_SYSTEM) where no file can
 * be made.  Ask early: before a password. */
CHECKED int proxy_file_check(const char *path, struct fault *f);

/* proxy_file_check, then write in one step: a reader sees the old proxy or
 * the new one. */
CHECKED int proxy_file_write(const char *path, const struct credential *c,
    struct fault *f);

/* The same for text that is ready, which may hold a key. */
CHECKED int proxy_file_write_text(const char *path, struct wire_bytes text,
    struct fault *f);

/* FAULT_ABSENT without the file, FAULT_DENIED if others may read it, with what
 * to do in the text.  credential_clear() the result. */
CHECKED int proxy_file_read(const char *path, struct credential *c,
    struct fault *f);

#endif
