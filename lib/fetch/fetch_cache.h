#ifndef FETCH_FETCH_CACHE_H
#define FETCH_FETCH_CACHE_H

#include "base/checked.h"
#include "base/wire.h"
#include "fetch/fetch_sink.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * The cache: a directory with a file a key.  A file is the body, so that it
 * can be mapped, and behind it what is known of it.  Its modification time is
 * when the source last said that this is it.  URLs are kept as digests alone,
 * since they may hold passwords.
 */
struct fault;

#define FETCH_KEY_MAX 100
#define FETCH_ETAG_SIZE 256
#define FETCH_DATE_SIZE 64
#define FETCH_VERDICT_SIZE 101

struct fetch_meta {
	uint8_t digest[FETCH_DIGEST];	/* of the body */
	uint8_t url[FETCH_DIGEST];	/* of the URL it came from */
	char etag[FETCH_ETAG_SIZE];	/* "" if there is none */
	char modified[FETCH_DATE_SIZE]; /* Last-Modified, likewise */
	uint64_t filetime; /* of ftp, seconds since 1970; 0: none */
	char verdict[FETCH_VERDICT_SIZE]; /* under which it was judged good */
};

/* An entry that is open. */
struct fetch_entry {
	struct fetch_meta meta;
	struct wire_bytes body;
	time_t when;
	void *map;
	size_t map_len;
};

#define FETCH_TAIL_MAX 1024

/* What stands behind a body of ${len} bytes: into ${tail}, its length. */
size_t fetch_tail_write(const struct fetch_meta *meta, size_t len,
    uint8_t tail[FETCH_TAIL_MAX]);

/**
 * fetch_tail_read(file, meta, body, f):
 * Take a file of the cache apart, which whoever may have cut or altered:
 * FAULT_INPUT unless the body is the one that was put there.
 */
CHECKED int fetch_tail_read(struct wire_bytes file, struct fetch_meta *meta,
    struct wire_bytes *body, struct fault *f);

bool fetch_key_good(const char *key);

/* SHA-256 of ${text}. */
CHECKED int fetch_digest(const char *text, uint8_t digest[FETCH_DIGEST],
    struct fault *f);

/**
 * fetch_cache_open(dir, f):
 * Make the directory ${dir} if it is not there, and clear away what who was
 * killed left of files under way.  FAULT_DENIED if others may write there.
 */
CHECKED int fetch_cache_open(const char *dir, time_t now, struct fault *f);

/* Open the entry of ${key}: FAULT_ABSENT if there is none that is whole.
 * fetch_entry_close() it, which does nothing to one that is all zeroes. */
CHECKED int fetch_entry_open(struct fetch_entry *e, const char *dir,
    const char *key, struct fault *f);
void fetch_entry_close(struct fetch_entry *e);

/* The body in ${sink} is ${key}'s entry from now on. */
CHECKED int fetch_entry_put(struct fetch_sink *sink, const char *key,
    const struct fetch_meta *meta, time_t now, struct fault *f);

/* What is in the cache is still what the source has, ${now}. */
CHECKED int fetch_entry_confirm(const char *dir, const char *key, time_t now,
    struct fault *f);

#endif
