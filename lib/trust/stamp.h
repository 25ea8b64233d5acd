#ifndef TRUST_STAMP_H
#define TRUST_STAMP_H

#include "base/checked.h"
#include "base/own.h"

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>

/* What a directory held at one moment, to learn whether it still does. */
struct fault;
struct stamps;

/**
 * stamps_new(dir, wanted, f):
 * Note the names, sizes and times of the files in ${dir} whose names ${wanted}
 * says yes to; links are followed.  A directory that is not there is empty.
 * The directory stays open, so that what is read through it is of one state
 * also when another takes its name meanwhile.  stamps_free() the result.
 */
CHECKED struct stamps *stamps_new(const char *dir,
    bool (*wanted)(const char *name), struct fault *f);
void stamps_free(struct stamps *s);

/* The same in pieces: opened, and then ${count} files looked at in a call: 1
 * when all are, 0 if there are more.  Until then there is nothing to be seen.
 */
CHECKED struct stamps *stamps_open(const char *dir,
    bool (*wanted)(const char *name), struct fault *f);
CHECKED int stamps_read(struct stamps *s, size_t count, struct fault *f);

/* Name of the ${i}th file, in alphabetical order; NULL past the last. */
const char *stamps_name(const struct stamps *s, size_t i);

size_t stamps_count(const struct stamps *s);

/* Its state then: all zeroes if it was not there. */
const struct stat *stamps_state(const struct stamps *s, size_t i);

/* The open directory, -1 if it is not there. */
int stamps_fd(const struct stamps *s);

/* Whether a file or the directory itself is no longer what it was. */
bool stamps_changed(const struct stamps *s);

OWN_FREE_STRUCT(stamps, stamps_free)

#endif
