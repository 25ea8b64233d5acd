#ifndef SIGNET_MAP_CONVERT_CONV_TAG_H
#define SIGNET_MAP_CONVERT_CONV_TAG_H

#include "base/checked.h"

#include <stddef.h>

/* The tags of an XML file and their attributes, without anything else of it:
 * what a gums.config needs.  No entity is read but the five. */
struct fault;

#define CONV_ATTRIBUTES 24

struct conv_tag {
	size_t line;
	char name[64];
	size_t count;
	struct {
		char name[64];
		char value[512];
	} attribute[CONV_ATTRIBUTES];
};

/**
 * tag_read(text, len, at, line, tag, f):
 * The next tag that begins an element from offset *${at} on, which is moved
 * past it, as *${line} is; comments, declarations, text and ends are passed
 * over.  1: there is one, 0: the end, -1 and FAULT_INPUT for what is no XML,
 * and is not read on.
 */
CHECKED int tag_read(const char *text, size_t len, size_t *at, size_t *line,
    struct conv_tag *tag, struct fault *f);

/* The attribute ${name}; "" if it is not there. */
const char *tag_get(const struct conv_tag *tag, const char *name);

#endif
