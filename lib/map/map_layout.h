#ifndef MAP_MAP_LAYOUT_H
#define MAP_MAP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * How an index and a delta lie in their files: a head; the records, one a name
 * in the order in which they were added, then one an account (but for one that
 * a single name has: that name's is found then); a table of the
 * names and one of the accounts.  Numbers are the machine's; a file from
 * another kind of machine is refused.  A record is referred to by its place in
 * units of 8 bytes; 0 is no record, since the head is there.
 *
 * A table is of buckets of 7 slots.  What does not fit in its bucket is in the
 * next, so a search ends at the first bucket that is not full.  Each head,
 * bucket and record bears a tag, SipHash-2-4 of it and of where it is, under
 * the file's key: what was cut, mixed or written over is noticed where it is
 * read, and a "no" is as sure as a "yes".
 */
#define MAP_LAYOUT_MAGIC "SgntMap1"
#define MAP_LAYOUT_ORDER UINT32_C(0x01020304)
#define MAP_LAYOUT_UNIT 8
#define MAP_LAYOUT_SLOTS 7

enum map_layout_kind {
	MAP_LAYOUT_INDEX = 1,
	MAP_LAYOUT_DELTA
};

/* What a tag or a hash is of. */
enum map_layout_use {
	MAP_LAYOUT_HEAD = 1,
	MAP_LAYOUT_RECORD,
	MAP_LAYOUT_NAMES,    /* a bucket of the names' table */
	MAP_LAYOUT_ACCOUNTS, /* of the accounts' */
	MAP_LAYOUT_NAME,     /* a name's key */
	MAP_LAYOUT_ACCOUNT
};

struct map_layout_table {
	uint64_t at; /* in bytes */
	uint64_t buckets;
};

struct map_layout_head {
	char magic[8];
	uint32_t order;
	uint32_t kind;
	uint64_t key[2];
	uint64_t seq;
	uint64_t base;
	int64_t made;
	int64_t fresh;
	uint64_t entries;
	uint64_t size; /* of the file */
	uint64_t records_end;
	struct map_layout_table names;
	struct map_layout_table accounts;
	/* The text it was made from, if it counts only for that. */
	uint64_t text_bound;
	uint64_t text_inode;
	uint64_t text_size;
	int64_t text_seconds;
	int64_t text_nanoseconds;
	uint64_t unused[11];
	uint64_t tag;
};

struct map_layout_slot {
	uint32_t print; /* of the hash */
	uint32_t ref;
};

struct map_layout_bucket {
	struct map_layout_slot slot[MAP_LAYOUT_SLOTS];
	uint64_t tag;
};

enum map_record_kind {
	MAP_RECORD_NAME = 1, /* name; accounts, each with a NUL */
	MAP_RECORD_GONE,     /* name; nothing */
	MAP_RECORD_ACCOUNT   /* account; references of its names' records */
};

/* ${first} bytes and ${second} bytes follow. */
struct map_layout_record {
	uint64_t tag;
	uint32_t kind_first; /* the kind is in the upper 7 bits */
	uint32_t second;
};
#define MAP_LAYOUT_KIND_SHIFT 25
#define MAP_LAYOUT_FIRST_MAX ((UINT32_C(1) << MAP_LAYOUT_KIND_SHIFT) - 1)

_Static_assert(sizeof(struct map_layout_head) == 256, "no gaps in the head");
_Static_assert(sizeof(struct map_layout_bucket) == 64, "a line of the cache");
_Static_assert(sizeof(struct map_layout_record) == 16, "no gaps in a record");

/* The hash of ${len} bytes for ${use}; ${where} tells two of a use apart. */
uint64_t map_layout_hash(const uint64_t key[2], enum map_layout_use use,
    uint64_t where, const void *data, size_t len);

/* The bucket of a table of ${buckets} in which the search for ${hash} begins.
 */
uint64_t map_layout_bucket_of(uint64_t hash, uint64_t buckets);

#endif
