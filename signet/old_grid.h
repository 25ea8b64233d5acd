#ifndef SIGNET_OLD_GRID_H
#define SIGNET_OLD_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * How the grid-* tools put things: their messages to the byte (facts:
 * CONVENTIONS 1), so that scripts which read them go on.
 */
struct call;
struct fault;

/* What a tool says of an option's value. */
struct old_grid_value {
	const char *options; /* "-file -f": those meant */
	const char *missing; /* there is none, or it begins with a dash */
	const char *bad;     /* NULL: as we put it */
};

struct old_grid {
	const char *syntax;  /* the tool's own line */
	const char *label;   /* before it: "Syntax: " */
	const char *end;     /* after all: "" */
	const char *unknown; /* of an option it does not have */
	const struct old_grid_value *values;
	size_t count;
};

/* A mistake in the options (FAULT_USAGE), and any other as "ERROR: ...". */
void old_grid_usage(const struct old_grid *tool, const struct fault *f);

/* "ERROR: option ${option} : ${says}" and the syntax. */
void old_grid_option(const struct old_grid *tool, const char *option,
    const char *says);

/* The old -help and -version; they go to standard output. */
void old_grid_help(const struct old_grid *tool, const struct call *call,
    FILE *out);
void old_grid_version(const struct call *call, FILE *out);

/**
 * old_grid_file(path, private, why):
 * What the old tools have against the file ${path}: that it is not there, not
 * one's own, empty or (if it is to be ${private}) open to others.  False
 * and "" if nothing.
 */
#define OLD_GRID_WHY_SIZE 1280
bool old_grid_file(const char *path, bool private, char why[OLD_GRID_WHY_SIZE]);

/* "\nERROR: ${what}\n       globus_sysconfig: ...": ${why} the file, ${named}
 * on the command line or looked for in its usual place, is none. */
void old_grid_no_file(const char *what, const char *why, bool named);

#endif
