#ifndef FETCH_FETCH_SINK_H
#define FETCH_FETCH_SINK_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * Where a body goes while it arrives: into memory, and what is too big for
 * that into a file, which is mapped at the end.  It is counted and digested
 * (SHA-256) on the way.
 */
struct fault;
struct evp_md_ctx_st;

#define FETCH_DIGEST 32

struct fetch_sink {
	const char *dir; /* borrowed; NULL: for files without a name */
	size_t max;
	size_t len;
	struct buf memory;
	struct evp_md_ctx_st *md;
	int fd;			  /* -1: it is in memory */
	char temporary[PATH_MAX]; /* the file's name, "" if it has none */
	void *map;
};

/* Begin a body of at most ${max} bytes, whose file would be in ${dir}.
 * fetch_sink_close() it, also after a fault. */
CHECKED int fetch_sink_open(struct fetch_sink *s, const char *dir, size_t max,
    struct fault *f);
void fetch_sink_close(struct fetch_sink *s);

/* FAULT_INPUT past max, FAULT_SYSTEM if the file cannot take it. */
CHECKED int fetch_sink_put(struct fetch_sink *s, const void *data, size_t len,
    struct fault *f);

/* It is whole: where it is until the sink is closed, and its digest. */
CHECKED int fetch_sink_end(struct fetch_sink *s, struct wire_bytes *body,
    uint8_t digest[FETCH_DIGEST], struct fault *f);

/**
 * fetch_sink_keep(s, path, tail, when, f):
 * The body with ${tail} behind it becomes the file ${path} of the sink's
 * directory, modified ${when}, in one step.  It is not synced: who reads it
 * checks the digest.
 */
CHECKED int fetch_sink_keep(struct fetch_sink *s, const char *path,
    struct wire_bytes tail, time_t when, struct fault *f);

/* The names that files have while they are written begin so. */
#define FETCH_PART ".part."

#endif
