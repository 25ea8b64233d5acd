#ifndef SIGNET_MAP_CONVERT_CONV_GX_H
#define SIGNET_MAP_CONVERT_CONV_GX_H

#include "base/checked.h"
#include "map/map_request.h"

#include <stddef.h>
#include <stdint.h>

/* gx-map's requests.log (facts: trustmap FORMATS): records in braces, of lines
 * with a key and a value. */
struct fault;

struct gx_record {
	size_t line;
	int64_t seconds;
	int64_t micros;
	enum map_request_verb verb;
	char dn[MAP_REQUEST_NAME_SIZE];
	char account[MAP_REQUEST_ACCOUNT_SIZE];
	char by[MAP_REQUEST_ACCOUNT_SIZE];
	char comment[512];
};

/**
 * gx_read(text, len, at, line, r, f):
 * The next record from offset *${at} on, which is moved past it, as *${line}
 * is.  1: there is one, 0: the end, -1 and FAULT_INPUT: one that ends at
 * *${line} cannot be used, and is passed.
 */
CHECKED int gx_read(const char *text, size_t len, size_t *at, size_t *line,
    struct gx_record *r, struct fault *f);

#endif
