#ifndef OFFICE_BUNDLE_H
#define OFFICE_BUNDLE_H

#include "base/checked.h"
#include "office/seal.h"

#include <stdint.h>

/*
 * The contents of a sealed backup: parts, each
 *
 *	 1 octet   length of its name, 1 to 15
 *	   octets  its name
 *	 8 octets  length of what follows, big-endian
 *	   octets  the part
 *
 * in the order of bundle.def, none twice, and after the last an octet of 0,
 * with which the file ends.
 */
struct fault;

enum bundle_part {
#define PART(name, called, most, needed) BUNDLE_##name,
#include "office/bundle.def"
#undef PART
	BUNDLE_COUNT
};

const char *bundle_name(enum bundle_part part);

/* Writing: a part's size is known before its octets come. */
struct bundle_out {
	struct seal_out *seal; /* borrowed */
	uint64_t left;	       /* of the part that was begun */
};
CHECKED int bundle_begin(struct bundle_out *b, enum bundle_part part,
    uint64_t size, struct fault *f);
CHECKED int bundle_put(struct bundle_out *b, const void *data, size_t len,
    struct fault *f);
/* The end mark, and the seal's end. */
CHECKED int bundle_end(struct bundle_out *b, struct fault *f);

struct bundle_in {
	struct seal_in *seal; /* borrowed */
	unsigned next;	      /* the first part that may come */
	uint64_t left;
};

/* The next part: 1 with its name and size, 0 at the end, when all was as it
 * was written; -1 and FAULT_INPUT for what is malformed.  What was not read of
 * the part before is passed over. */
CHECKED int bundle_next(struct bundle_in *b, enum bundle_part *part,
    uint64_t *size, struct fault *f);
/* Up to ${size} octets of the part; *${len} is 0 at its end. */
CHECKED int bundle_get(struct bundle_in *b, void *to, size_t size, size_t *len,
    struct fault *f);

#endif
