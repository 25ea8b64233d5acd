#ifndef BASE_FILE_PART_H
#define BASE_FILE_PART_H

#include "base/checked.h"
#include "base/wire.h"

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>

/*
 * A file that is written in pieces, as file_write writes it whole: beside its
 * place until it is on the disk, then renamed.  Each piece is sent on its way
 * to the disk at once, so that the sync at the end finds little to wait for.
 */
struct fault;

struct file_part {
	int fd; /* -1: not open */
	char path[PATH_MAX];
	char temporary[PATH_MAX];
};

/* Begin the file ${path}. */
CHECKED int file_part_open(struct file_part *p, const char *path, mode_t mode,
    struct fault *f);
CHECKED int file_part_put(struct file_part *p, struct wire_bytes piece,
    struct fault *f);

/* It is whole: see that it is on the disk, still beside its place. */
CHECKED int file_part_sync(struct file_part *p, struct fault *f);

/**
 * file_part_end(p, replace, keep, f):
 * Put it in its place, after file_part_sync if that was not said.  Without
 * ${replace}, FAULT_DENIED if there is a file.  The file that was there is
 * kept as ${keep} (NULL: it is gone).
 */
CHECKED int file_part_end(struct file_part *p, bool replace, const char *keep,
    struct fault *f);

/* Give it up, if it has not ended. */
void file_part_drop(struct file_part *p);

#endif
