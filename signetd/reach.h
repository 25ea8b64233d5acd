#ifndef SIGNETD_REACH_H
#define SIGNETD_REACH_H

#include <limits.h>
#include <stdbool.h>

/*
 * How a role goes on reading the trust directory when that is exchanged for
 * its successor (anchor/house.h): another directory, which only the one above
 * has in common with it, and Landlock goes by directories.
 */
enum reach {
	REACH_ABOVE,  /* the directory above may be read as well */
	REACH_SHARED, /* something else is in it, which is the same user's */
	REACH_NONE    /* there is no trust directory, or none above it */
};

/**
 * reach_successor(dir, alone, above):
 * Which directory a role is to read beside the trust directory ${dir}.  One
 * that is ${alone}, with a user of its own, reads there what everybody may.
 * One that shares the user of the CA's keys may read it only if there is
 * nothing but the trust directory and what signet-trust has beside it, or if it
 * is the place of its generations.
 */
enum reach reach_successor(const char *dir, bool alone, char above[PATH_MAX]);

#endif
