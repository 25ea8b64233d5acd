#ifndef MAP_MAPFILE_H
#define MAP_MAPFILE_H

#include "base/checked.h"

#include <stddef.h>

/* The grid-mapfile (facts: FORMATS 4): `"DN" account[,account...]`. */
struct fault;

struct mapfile_line {
	char dn[1024];	    /* unescaped */
	char accounts[512]; /* comma-separated */
};

/* Read one line (without newline).  1: an entry, 0: blank or comment, -1. */
CHECKED int mapfile_line_read(struct mapfile_line *line, const char *text,
    size_t len, struct fault *f);

/* Read backwards: the DN of the first line that has ${account} among its
 * accounts.  FAULT_ABSENT if there is none. */
CHECKED int mapfile_dn_of(const char *text, size_t len, const char *account,
    char *dn, size_t size, struct fault *f);

#endif
