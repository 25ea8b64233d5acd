#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/checked.h"

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whole files: read with a bound, write so that a reader or a crash sees the
 * old contents or the new, never a mixture.
 */
struct fault;

/* Append the contents of ${path} (at most buf's limit) to ${b}.  A missing
 * file is FAULT_ABSENT, everything else FAULT_SYSTEM. */
CHECKED int file_read(const char *path, struct buf *b, struct fault *f);

/* As file_read, and refuse (FAULT_DENIED, saying chmod) a file that is not a
 * regular file of this user or root, or that group or others can read. */
CHECKED int file_read_private(const char *path, struct buf *b, struct fault *f);

/* As file_read from an open descriptor, which stays open. */
CHECKED int file_read_fd(int fd, const char *name, struct buf *b,
    struct fault *f);

/**
 * file_write(path, mode, data, len, f):
 * Make ${path} hold ${len} bytes with ${mode}: a temporary file made
 * exclusively beside it, written, fsynced, renamed; the directory fsynced.
 * A symbolic link at ${path} is replaced, not followed.
 */
CHECKED int file_write(const char *path, mode_t mode, const void *data,
    size_t len, struct fault *f);

/* As file_write, but FAULT_DENIED if ${path} exists; nothing is overwritten. */
CHECKED int file_write_new(const char *path, mode_t mode, const void *data,
    size_t len, struct fault *f);

/* See that the name ${path} is on the disk: sync the directory it is in. */
CHECKED int file_sync_directory(const char *path, struct fault *f);

/* mkdir, with parents; existing directories are left as they are. */
CHECKED int file_mkdir(const char *path, mode_t mode, struct fault *f);

/* Write all of ${len} bytes to ${fd}, through interruptions. */
CHECKED int file_write_all(int fd, const void *data, size_t len,
    struct fault *f);

/* Whether ${fd} is a pipe or a socket whose reader has gone away: what is
 * written there is lost, and nobody misses it. */
bool file_is_unread(int fd);

#endif
