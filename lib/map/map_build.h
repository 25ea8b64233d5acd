#ifndef MAP_MAP_BUILD_H
#define MAP_MAP_BUILD_H

#include "map/map_index.h"
#include "map/map_layout.h"

#include <sys/stat.h>

/*
 * The inside of an index that is being made: what map_build.c gathers, and
 * map_build_write.c puts into a file.
 */

/* Memory that grows: what has not been written is not taken from the system. */
struct map_heap {
	uint8_t *data;
	size_t len;
	size_t size;
};

struct map_build {
	size_t limit;
	struct map_heap records; /* as in the file, without the head */
	struct map_heap hashes;	 /* uint64_t, one a name */
	struct map_heap refs;	 /* uint32_t, likewise */
	size_t count;
	size_t pairs;	 /* of a name and an account */
	uint32_t *found; /* hash table: number of a name, from 1 */
	size_t found_size;
	bool gone;	     /* a name that is gone is among them */
	struct buf key_text; /* of the name at hand */
	struct buf other;    /* of one it is compared with */
	uint64_t key[2];
};

/* Room for ${len} bytes at the end of ${h}, counted; NULL: no memory. */
uint8_t *map_heap_room(struct map_heap *h, size_t len);

/* What a record takes with what follows it. */
struct map_build_record {
	enum map_record_kind kind;
	struct wire_bytes first;
	struct wire_bytes second;
};

/* Append a record; its reference, or 0 and a fault. */
uint32_t map_build_record(struct map_build *b,
    const struct map_build_record *record, struct fault *f);

/* The record at ${ref} of those that were appended. */
void map_build_look(const struct map_build *b, uint32_t ref,
    struct map_build_record *record);

/* Write the file: ${text} is that of the map it counts for only, or NULL. */
CHECKED int map_build_file(struct map_build *b, const char *path,
    enum map_layout_kind kind, const struct map_index_head *head,
    const struct stat *text, struct fault *f);

#endif
