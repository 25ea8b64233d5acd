#ifndef MAP_MAP_PART_H
#define MAP_MAP_PART_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"
#include "map/map_layout.h"

#include <sys/stat.h>

#include <stdbool.h>

/*
 * One file of an index, open: what is read of it is checked before it is
 * believed.  FAULT_INPUT: it is damaged.
 */
struct fault;

struct map_part {
	int fd; /* -1: not open */
	struct stat st;
	struct map_layout_head head;
	/* What was read last, so that records in a row cost few reads. */
	struct buf window;
	uint64_t window_at;
	struct buf key; /* of a record that was found */
};

#define MAP_PART_CLOSED ((struct map_part){ .fd = -1 })

/* Open ${path}, of ${kind}: FAULT_ABSENT, FAULT_SYSTEM, FAULT_INPUT, or
 * FAULT_DENIED if others than its owner may write it. */
CHECKED int map_part_open(struct map_part *p, const char *path,
    enum map_layout_kind kind, struct fault *f);
void map_part_close(struct map_part *p);

/* Whether ${path} still is the file that is open. */
bool map_part_same(const struct map_part *p, const char *path);

/* A record, which lies in the part's window until the next is read. */
struct map_record {
	enum map_record_kind kind;
	struct wire_bytes first;
	struct wire_bytes second;
	uint64_t next; /* where the one behind it is, in bytes */
};

/* Read the record at ${ref}, and ${ahead} bytes at once. */
CHECKED int map_part_record(struct map_part *p, uint64_t ref, size_t ahead,
    struct map_record *record, struct fault *f);

/* The record of the name with ${key} (map_name_key), or of the account, which
 * is that of the name that has it if one alone does: 1, 0, -1 and a fault. */
CHECKED int map_part_name(struct map_part *p, struct wire_bytes key,
    struct map_record *record, struct fault *f);
CHECKED int map_part_account(struct map_part *p, const char *account,
    struct map_record *record, struct fault *f);

#endif
