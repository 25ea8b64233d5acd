#ifndef SIGNET_MAP_SYNC_OUT_SINK_H
#define SIGNET_MAP_SYNC_OUT_SINK_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/file_part.h"

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * A file that is written only if it becomes another: what is put is compared
 * with what is there, and copied from there once something differs.
 */
struct fault;

struct out_sink {
	const char *path;
	mode_t mode;
	struct buf pending;
	int old;    /* the file that is there, -1 if there is none */
	off_t same; /* bytes that are as they were */
	struct file_part part;
	bool differs; /* part is open */
};

/* Begin to put ${path}, which is borrowed. */
CHECKED int out_sink_open(struct out_sink *s, const char *path, mode_t mode,
    struct fault *f);
/* Text is appended to out_sink_text(), and goes on its way now and then. */
struct buf *out_sink_text(struct out_sink *s);
CHECKED int out_sink_flow(struct out_sink *s, struct fault *f);

/* All has been put: 1 if the file differs and is on the disk beside its place,
 * 0 if it is as it should be.  Then s->part.fd is what is to be dressed. */
CHECKED int out_sink_whole(struct out_sink *s, struct fault *f);
/* Put it in its place, if it differs. */
CHECKED int out_sink_end(struct out_sink *s, struct fault *f);
void out_sink_drop(struct out_sink *s);

#endif
