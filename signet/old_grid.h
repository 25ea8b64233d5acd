#ifndef SIGNET_OLD_GRID_H
#define SIGNET_OLD_GRID_H

#include <stdbool.h>

/*
 * How the grid-* tools put things: their messages to the byte (facts:
 * CONVENTIONS 1), so that scripts which read them go on.
 */
struct call;
struct fault;

/* A mistake in the options, as globus_args puts it; ${syntax} is the tool's
 * own line. */
void old_grid_usage(const struct fault *f, const char *syntax);

/* "\nERROR: ${what}\n       globus_sysconfig: ...": why the file ${path},
 * ${named} on the command line or looked for in its usual place, is none. */
void old_grid_no_file(const char *what, const char *path, bool named,
    const struct fault *f);

#endif
