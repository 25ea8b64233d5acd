#ifndef SIGNET_MAP_CONVERT_CONV_OUT_H
#define SIGNET_MAP_CONVERT_CONV_OUT_H

#include "base/buf.h"
#include "base/checked.h"
#include "map/map_replay.h"
#include "map/map_request.h"

#include <stdbool.h>
#include <stddef.h>

/* What a conversion makes, and what it could not carry over. */
struct fault;

#define CONV_TEXT_MAX ((size_t)256 << 20)

struct conv {
	const char *path; /* of what is read */
	struct buf text;
	struct buf rules;
	struct buf map;
	struct buf report;
	size_t left; /* things that were not carried over */
};

/* Read ${path} into ->text. conv_free() it, whatever was returned. */
CHECKED int conv_open(struct conv *c, const char *path, struct fault *f);
void conv_free(struct conv *c);

/* Something of line ${line} (0: of no line) was left behind, and why. */
void conv_left(struct conv *c, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ${text} as the rules take a value: in quotes if it needs them; false if it
 * cannot be written. */
bool conv_quote(struct buf *out, const char *text);

/* The name as certificates are printed, if it can be read; else as it is.
 * false if it cannot stand in a map. */
bool conv_name(const char *text, char name[MAP_REQUEST_NAME_SIZE]);

/**
 * conv_write(c, dir, f):
 * Put rules, map and report into ${dir}, or print them if it is NULL.  A
 * status: 0, or that of FAULT_PARTLY if something was left.
 */
CHECKED int conv_write(struct conv *c, const char *dir, struct fault *f);

/* ${dir}/${name}, which may not exist; ${dir} is made. */
#define CONV_PATH_SIZE 1024
CHECKED int conv_path(const char *dir, const char *name,
    char path[CONV_PATH_SIZE], struct fault *f);

#endif
