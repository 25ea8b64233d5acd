#ifndef SIGNET_CA_CA_SYSCONFIG_H
#define SIGNET_CA_CA_SYSCONFIG_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/fault.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A file of shell assignments (/etc/sysconfig/NAME), read by us and by no
 * shell: NAME=VALUE lines, "export" before them if need be, values in the
 * shell's quotes, comments.  What a shell would carry out or look up ($,
 * backquotes, operators, globs, other commands) is not understood, and said to
 * be so, line by line; nothing is carried out.
 */
struct fault;

#define SYSCONFIG_LINES 1024
#define SYSCONFIG_NAME 64
#define SYSCONFIG_VALUE 1024
#define SYSCONFIG_MAX 65536 /* octets of a file */

enum sysconfig_kind {
	SYSCONFIG_EMPTY, /* blank, or a comment */
	SYSCONFIG_SET,
	SYSCONFIG_OTHER /* why says what is not understood */
};

struct sysconfig_line {
	enum sysconfig_kind kind;
	char name[SYSCONFIG_NAME];
	char value[SYSCONFIG_VALUE];
	const char *why;
};

/**
 * sysconfig_next(rest, line):
 * Read the next line of *${rest}, which becomes what is after it.  False at the
 * end.  A value is printable ASCII.
 */
bool sysconfig_next(struct wire_bytes *rest, struct sysconfig_line *line);

/* Append the assignment of ${line}, which reads the same. */
void sysconfig_write(const struct sysconfig_line *line, struct buf *out);

#endif
