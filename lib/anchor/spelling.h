#ifndef ANCHOR_SPELLING_H
#define ANCHOR_SPELLING_H

#include "base/buf.h"

#include <stdbool.h>

/*
 * The ways in which grid software has written two attributes of a name (facts:
 * FORMATS 1.1).  Names and patterns are in slash form; attribute names stand
 * behind a slash and are written in the case shown.
 */
enum spelling {
	SPELLING_GT2, /* USERID, Email */
	SPELLING_GT3, /* UID, E */
	SPELLING_GT4, /* UID, emailAddress: the one that we compare */
	SPELLING_COUNT
};

/* Append ${text} as ${how} writes it. */
void spelling_put(struct buf *out, enum spelling how, const char *text);

/*
 * OpenSSL 3 puts a backslash before a '/' or '+' inside a value, and the
 * software on top of it compares that text.  Append ${text} with ${mark} before
 * each slash behind which no attribute name and '=' stand, and before each '+';
 * a backslash that stood there is dropped first.  "" for ${mark} writes the
 * plain form.
 */
void spelling_mark(struct buf *out, const char *text, const char *mark);

/* Whether spelling_mark has anything to do in ${text}. */
bool spelling_has_marks(const char *text);

/* Whether both texts name the same, however spelt; case counts. */
bool spelling_same(const char *a, const char *b);

#endif
