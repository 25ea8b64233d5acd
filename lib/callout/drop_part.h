#ifndef CALLOUT_DROP_PART_H
#define CALLOUT_DROP_PART_H

#include "callout/drop.h"

struct stat;

/* What both sides of the request directory do alike. */

#define DROP_NAME_SIZE (2 + DROP_ID_SIZE)

/* "q.ID", of the kinds q, t, n and a. */
void drop_name(char name[DROP_NAME_SIZE], char kind,
    const char id[DROP_ID_SIZE]);

/* Whether ${name} is that of a file of ${kind}; then its id. */
bool drop_name_read(const char *name, char kind, char id[DROP_ID_SIZE]);

/* Hold the lock on ${fd} until it is closed; false if somebody holds it. */
bool drop_lock(int fd);

/* Whether somebody else holds it. */
bool drop_locked(int fd);

/* A watch of inotify on the directory ${dir} for ${mask}. */
CHECKED int drop_watch(int dir, uint32_t mask, struct fault *f);

/* Read what an inotify descriptor has, and forget it. */
void drop_watch_quiet(int watch);

/* See that the directory is closed to all but its owner and group; ${st} is
 * what it is. */
CHECKED int drop_check_mode(int dir, const char *what, struct stat *st,
    struct fault *f);

#endif
