#include "map/map_part.h"

#include "base/fault.h"
#include "map/map_accounts.h"
#include "map/map_name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Most records are shorter: one read is enough. */
#define AHEAD ((size_t)512)
#define RECORD_MAX ((size_t)1 << 31)

static int
damaged(const char *what, struct fault *f)
{
	return fault_set(f, FAULT_INPUT, "the index is damaged: %s", what);
}

/* Read up to ${len} bytes at ${at}; how many there were. */
static ssize_t
read_at(int fd, void *to, size_t len, uint64_t at)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = pread(fd, (uint8_t *)to + have, len - have,
		    (off_t)(at + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int
read_exactly(const struct map_part *p, void *to, size_t len, uint64_t at,
    struct fault *f)
{
	ssize_t n = read_at(p->fd, to, len, at);

	if (n < 0)
		return fault_set(f, FAULT_SYSTEM, "reading an index: %s",
		    strerror(errno));
	return (size_t)n == len ? 0 : damaged("it has been cut", f);
}

static bool
table_good(const struct map_layout_table *table, uint64_t size)
{
	return table->buckets > 0 &&
	    table->buckets <= size / sizeof(struct map_layout_bucket) &&
	    table->at <=
	    size - table->buckets * sizeof(struct map_layout_bucket);
}

static bool
head_good(const struct map_part *p)
{
	const struct map_layout_head *h = &p->head;

	return h->tag ==
	    map_layout_hash(h->key, MAP_LAYOUT_HEAD, 0, h,
		offsetof(struct map_layout_head, tag)) &&
	    h->size == (uint64_t)p->st.st_size && h->records_end <= h->size &&
	    h->records_end >= sizeof(*h) && table_good(&h->names, h->size) &&
	    table_good(&h->accounts, h->size);
}

static int
read_head(struct map_part *p, enum map_layout_kind kind, struct fault *f)
{
	struct map_layout_head *h = &p->head;

	if (p->st.st_size < (off_t)sizeof(*h) ||
	    read_exactly(p, h, sizeof(*h), 0, f) < 0 ||
	    memcmp(h->magic, MAP_LAYOUT_MAGIC, sizeof(h->magic)) != 0)
		return fault_set(f, FAULT_INPUT, "not an index of a map");
	if (h->order != MAP_LAYOUT_ORDER)
		return fault_set(f, FAULT_INPUT,
		    "made on another kind of machine");
	if (h->kind != (uint32_t)kind)
		return fault_set(f, FAULT_INPUT,
		    "an index in the place of a delta, or a delta in its");
	return head_good(p) ? 0 : damaged("its head", f);
}

int
map_part_open(struct map_part *p, const char *path, enum map_layout_kind kind,
    struct fault *f)
{
	*p = MAP_PART_CLOSED;
	p->window = BUF(RECORD_MAX);
	p->key = BUF(8 * MAP_TEXT_MAX);
	p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (p->fd < 0 || fstat(p->fd, &p->st) < 0) {
		(void)fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
	} else if (!S_ISREG(p->st.st_mode)) {
		(void)fault_set(f, FAULT_INPUT, "%s: not a file", path);
	} else if ((p->st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		(void)fault_set(f, FAULT_DENIED,
		    "%s: others can write it: chmod go-w", path);
	} else if (read_head(p, kind, f) < 0) {
		(void)fault_wrap(f, "%s", path);
	} else {
		/* Few places are read, and far from each other. */
		(void)posix_fadvise(p->fd, 0, 0, POSIX_FADV_RANDOM);
		return 0;
	}
	map_part_close(p);
	return -1;
}

void
map_part_close(struct map_part *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	buf_free(&p->window);
	buf_free(&p->key);
	*p = MAP_PART_CLOSED;
}

bool
map_part_same(const struct map_part *p, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return p->fd < 0 && errno == ENOENT;
	return p->fd >= 0 && st.st_ino == p->st.st_ino &&
	    st.st_dev == p->st.st_dev && st.st_size == p->st.st_size &&
	    st.st_mtim.tv_sec == p->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == p->st.st_mtim.tv_nsec;
}

/* See that the window holds ${len} bytes at ${at}, and ${ahead} if there are
 * so many: those at ${at}. */
static const uint8_t *
look_at(struct map_part *p, uint64_t at, size_t len, size_t ahead,
    struct fault *f)
{
	size_t want = len > ahead ? len : ahead;
	uint8_t *room;
	ssize_t n;

	if (at >= p->window_at && at - p->window_at <= p->window.len &&
	    len <= p->window.len - (size_t)(at - p->window_at))
		return p->window.data + (at - p->window_at);
	if (want > p->head.size - at)
		want = (size_t)(p->head.size - at);
	p->window.len = 0;
	if ((room = buf_room(&p->window, want)) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for an index");
		return NULL;
	}
	n = read_at(p->fd, room, want, at);
	if (n < 0 || (size_t)n < len) {
		(void)(n < 0 ? fault_set(f, FAULT_SYSTEM,
				   "reading an index: %s", strerror(errno))
			     : damaged("it has been cut", f));
		return NULL;
	}
	p->window.len = (size_t)n;
	p->window_at = at;
	return p->window.data;
}

static uint64_t
whole_units(uint64_t len)
{
	return (len + MAP_LAYOUT_UNIT - 1) / MAP_LAYOUT_UNIT * MAP_LAYOUT_UNIT;
}

int
map_part_record(struct map_part *p, uint64_t ref, size_t ahead,
    struct map_record *record, struct fault *f)
{
	uint64_t at = ref * MAP_LAYOUT_UNIT;
	uint64_t end = p->head.records_end;
	struct map_layout_record head;
	const uint8_t *data;
	uint64_t len;
	size_t first;

	if (at < sizeof(p->head) || at >= end || end - at < sizeof(head))
		return damaged("a reference leads nowhere", f);
	if ((data = look_at(p, at, sizeof(head), ahead, f)) == NULL)
		return -1;
	memcpy(&head, data, sizeof(head));
	first = head.kind_first & MAP_LAYOUT_FIRST_MAX;
	len = sizeof(head) + (uint64_t)first + head.second;
	if (len > end - at || len > RECORD_MAX)
		return damaged("a record's length", f);
	if ((data = look_at(p, at, (size_t)len, ahead, f)) == NULL)
		return -1;
	if (head.tag !=
	    map_layout_hash(p->head.key, MAP_LAYOUT_RECORD, ref,
		data + sizeof(head.tag), (size_t)len - sizeof(head.tag)))
		return damaged("a record", f);
	record->kind =
	    (enum map_record_kind)(head.kind_first >> MAP_LAYOUT_KIND_SHIFT);
	record->first = (struct wire_bytes){ data + sizeof(head), first };
	record->second =
	    (struct wire_bytes){ data + sizeof(head) + first, head.second };
	record->next = at + whole_units(len);
	return 0;
}

/* What a search looks for. */
struct wanted {
	enum map_layout_use table;
	uint64_t hash;
	struct wire_bytes key;
};

static bool
bytes_equal(struct wire_bytes a, struct wire_bytes b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Whether the accounts of a name, each with its NUL, have ${account}. */
static bool
has_account(struct wire_bytes accounts, struct wire_bytes account)
{
	const uint8_t *at = accounts.data, *end = at + accounts.len;

	while (at < end) {
		const uint8_t *stop = memchr(at, '\0', (size_t)(end - at));

		if (stop == NULL)
			return false;
		if (bytes_equal((struct wire_bytes){ at, (size_t)(stop - at) },
			account))
			return true;
		at = stop + 1;
	}
	return false;
}

static bool
is_name(struct map_part *p, const struct wanted *w,
    const struct map_record *record)
{
	if (record->kind != MAP_RECORD_NAME && record->kind != MAP_RECORD_GONE)
		return false;
	p->key.len = 0;
	map_name_key((const char *)record->first.data, record->first.len,
	    &p->key);
	return !p->key.failed &&
	    bytes_equal((struct wire_bytes){ p->key.data, p->key.len }, w->key);
}

/* Whether the record is the one wanted, and not one that only looks so. */
static bool
is_wanted(struct map_part *p, const struct wanted *w,
    const struct map_record *record)
{
	if (w->table == MAP_LAYOUT_NAMES)
		return is_name(p, w, record);
	if (record->kind == MAP_RECORD_NAME)
		return has_account(record->second, w->key);
	return record->kind == MAP_RECORD_ACCOUNT &&
	    bytes_equal(record->first, w->key);
}

/* Look through a bucket: 1 found, 0 not, -1; *full: the search goes on. */
static int
search_bucket(struct map_part *p, const struct map_layout_bucket *bucket,
    const struct wanted *w, struct map_record *record, bool *full,
    struct fault *f)
{
	size_t i;

	for (i = 0; i < MAP_LAYOUT_SLOTS && bucket->slot[i].ref != 0; i++) {
		if (bucket->slot[i].print != (uint32_t)w->hash)
			continue;
		if (map_part_record(p, bucket->slot[i].ref, AHEAD, record, f) <
		    0)
			return -1;
		if (is_wanted(p, w, record))
			return 1;
	}
	*full = i == MAP_LAYOUT_SLOTS;
	return 0;
}

static int
search(struct map_part *p, const struct map_layout_table *table,
    const struct wanted *w, struct map_record *record, struct fault *f)
{
	uint64_t n = map_layout_bucket_of(w->hash, table->buckets);
	struct map_layout_bucket bucket;
	bool full = true;
	int found = 0;

	for (uint64_t i = 0; i < table->buckets && full && found == 0; i++) {
		if (read_exactly(p, &bucket, sizeof(bucket),
			table->at + n * sizeof(bucket), f) < 0)
			return -1;
		if (bucket.tag !=
		    map_layout_hash(p->head.key, w->table, n, &bucket,
			offsetof(struct map_layout_bucket, tag)))
			return damaged("a table", f);
		found = search_bucket(p, &bucket, w, record, &full, f);
		n = n + 1 < table->buckets ? n + 1 : 0;
	}
	return found;
}

int
map_part_name(struct map_part *p, struct wire_bytes key,
    struct map_record *record, struct fault *f)
{
	struct wanted w = { MAP_LAYOUT_NAMES,
		map_layout_hash(p->head.key, MAP_LAYOUT_NAME, 0, key.data,
		    key.len),
		key };

	return search(p, &p->head.names, &w, record, f);
}

int
map_part_account(struct map_part *p, const char *account,
    struct map_record *record, struct fault *f)
{
	size_t len = strlen(account);
	struct wanted w = { MAP_LAYOUT_ACCOUNTS,
		map_layout_hash(p->head.key, MAP_LAYOUT_ACCOUNT, 0, account,
		    len),
		{ (const uint8_t *)account, len } };

	return search(p, &p->head.accounts, &w, record, f);
}
