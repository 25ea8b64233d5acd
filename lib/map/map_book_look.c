#include "base/buf.h"
#include "base/fault.h"
#include "base/rand.h"
#include "base/sip.h"
#include "map/map_book_line.h"
#include "map/map_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536
#define KEY_LIMIT ((size_t)1 << 20)
#define HELD_LIMIT ((size_t)1 << 32)

/* ---- lines of the file */

struct reader {
	int fd;
	struct buf have;
	size_t at;	 /* of the next line in ${have} */
	uint64_t number; /* of the line that was read last, from 1 */
	size_t torn;
};

static int
reader_open(struct reader *r, const char *path, struct fault *f)
{
	*r = (struct reader){ .have = BUF(MAP_BOOK_LINE_MAX + 1 + CHUNK) };
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd >= 0)
		return 0;
	if (errno == ENOENT)
		return fault_set(f, FAULT_ABSENT, "there is no history");
	return fault_set(f, FAULT_SYSTEM, "%s", strerror(errno));
}

static void
reader_close(struct reader *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	buf_free(&r->have);
}

/* 1: there is more, 0: the end. */
static int
read_more(struct reader *r, struct fault *f)
{
	uint8_t *room;
	ssize_t n;

	memmove(r->have.data, r->have.data + r->at, r->have.len - r->at);
	r->have.len -= r->at;
	r->at = 0;
	if (r->have.len > MAP_BOOK_LINE_MAX)
		return fault_set(f, FAULT_INPUT,
		    "line %llu is longer than %d bytes",
		    (unsigned long long)r->number + 1, MAP_BOOK_LINE_MAX);
	if ((room = buf_room(&r->have, CHUNK)) == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a line");
	do
		n = read(r->fd, room, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fault_set(f, FAULT_SYSTEM, "%s", strerror(errno));
	r->have.len += (size_t)n;
	return n > 0;
}

/* 1 and the line without its newline, 0 at the end or at a torn line. */
static int
next_line(struct reader *r, const char **text, size_t *len, struct fault *f)
{
	for (;;) {
		const char *start = (const char *)r->have.data + r->at;
		const char *end = r->have.len > r->at
		    ? memchr(start, '\n', r->have.len - r->at)
		    : NULL;
		int more;

		if (end != NULL) {
			*text = start;
			*len = (size_t)(end - start);
			r->at += *len + 1;
			r->number++;
			return 1;
		}
		if (r->have.data == NULL && buf_room(&r->have, CHUNK) == NULL)
			return fault_set(f, FAULT_MEMORY,
			    "no memory for a line");
		if ((more = read_more(r, f)) < 0)
			return -1;
		if (more == 0) {
			r->torn = r->have.len;
			return 0;
		}
	}
}

typedef int line_fn(void *arg, const struct map_book_line *line,
    const char *text, size_t len, struct fault *f);

/* Call ${fn} with each line until it returns other than 0. */
static int
walk(const char *path, struct reader *r, line_fn *fn, void *arg,
    struct fault *f)
{
	const char *text;
	size_t len;
	int result = reader_open(r, path, f);

	while (result == 0) {
		struct map_book_line line;

		if ((result = next_line(r, &text, &len, f)) <= 0)
			break;
		result = map_book_line_read(&line, text, len, f);
		if (result < 0)
			(void)fault_wrap(f, "line %llu",
			    (unsigned long long)r->number);
		else
			result = fn(arg, &line, text, len, f);
		map_book_line_free(&line);
	}
	reader_close(r);
	return result < 0 ? fault_wrap(f, "history %s", path) : result;
}

/* ---- those that are asked for */

struct asking {
	const struct map_book_filter *filter;
	struct buf wanted; /* key of the name */
	map_book_fn *fn;
	void *arg;
};

static bool
fits(const struct asking *a, const struct map_book_entry *e)
{
	const struct map_book_filter *w = a->filter;
	bool same;

	if ((w->account != NULL && strcmp(w->account, e->account) != 0) ||
	    (w->service != NULL && strcmp(w->service, e->service) != 0) ||
	    (w->since != 0 && e->when < w->since) ||
	    (w->until != 0 && e->when > w->until))
		return false;
	if (w->name == NULL)
		return true;
	OWN_BUF(key, KEY_LIMIT);
	map_name_key(e->name, strlen(e->name), &key);
	same = !key.failed && key.len == a->wanted.len &&
	    memcmp(key.data, a->wanted.data, key.len) == 0;
	return same;
}

static int
ask(struct asking *a, struct fault *f)
{
	a->wanted = BUF(KEY_LIMIT);
	if (a->filter->name == NULL)
		return 0;
	map_name_key(a->filter->name, strlen(a->filter->name), &a->wanted);
	return a->wanted.failed || a->wanted.len == 0
	    ? fault_set(f, FAULT_INPUT, "no name")
	    : 0;
}

static int
each_line(void *arg, const struct map_book_line *line, const char *text,
    size_t len, struct fault *f)
{
	struct asking *a = arg;

	(void)text;
	(void)len;
	(void)f;
	return fits(a, &line->entry) ? a->fn(a->arg, &line->entry) : 0;
}

int
map_book_each(const char *path, const struct map_book_filter *filter,
    map_book_fn *fn, void *arg, struct fault *f)
{
	struct asking a = { .filter = filter, .fn = fn, .arg = arg };
	struct reader r;
	int result = ask(&a, f);

	if (result == 0)
		result = walk(path, &r, each_line, &a, f);
	buf_free(&a.wanted);
	return result;
}

/* ---- what held at a moment */

struct held {
	size_t line; /* in text, with a NUL */
	size_t len;
	uint64_t hash;
	bool gone;
};

struct holding {
	struct asking *ask;
	time_t at;
	uint8_t key[SIP_KEY];
	struct held *all; /* owned; in the order in which they began */
	size_t count;
	size_t room;
	uint32_t *table; /* owned; 1 more than the place in all, by hash */
	size_t size;
	struct buf text;
	struct buf id;
};

/* What makes two entries be about one thing: service, account and name. */
static uint64_t
identify(struct holding *h, const struct map_book_entry *e)
{
	buf_clear(&h->id);
	buf_put(&h->id, e->service, strlen(e->service) + 1);
	buf_put(&h->id, e->account, strlen(e->account) + 1);
	map_name_key(e->name, strlen(e->name), &h->id);
	return sip_hash(h->key, h->id.data, h->id.len);
}

static int
table_grow(struct holding *h, struct fault *f)
{
	size_t size = h->size == 0 ? 256 : h->size * 2;
	uint32_t *table = calloc(size, sizeof(*table));

	if (table == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a history");
	for (size_t i = 0; i < h->count; i++) {
		size_t at = (size_t)h->all[i].hash & (size - 1);

		while (table[at] != 0)
			at = (at + 1) & (size - 1);
		table[at] = (uint32_t)i + 1;
	}
	free(h->table);
	h->table = table;
	h->size = size;
	return 0;
}

/* The newest that has ${hash}: of 64 bits under a key of ours, so none else. */
static struct held *
find_held(const struct holding *h, uint64_t hash)
{
	struct held *found = NULL;

	for (size_t at = (size_t)hash & (h->size - 1);
	     h->size > 0 && h->table[at] != 0; at = (at + 1) & (h->size - 1))
		if (h->all[h->table[at] - 1].hash == hash)
			found = &h->all[h->table[at] - 1];
	return found;
}

static int
hold(struct holding *h, uint64_t hash, const char *text, size_t len,
    struct fault *f)
{
	size_t at;

	if (h->count == h->room) {
		size_t room = h->room == 0 ? 256 : h->room * 2;
		struct held *more = reallocarray(h->all, room, sizeof(*more));

		if (more == NULL)
			return fault_set(f, FAULT_MEMORY,
			    "no memory for a history");
		h->all = more;
		h->room = room;
	}
	if ((h->count + 1) * 2 > h->size && table_grow(h, f) < 0)
		return -1;
	h->all[h->count] = (struct held){ h->text.len, len, hash, false };
	buf_put(&h->text, text, len);
	if (h->text.failed)
		return fault_set(f, FAULT_MEMORY, "no memory for a history");
	at = (size_t)hash & (h->size - 1);
	while (h->table[at] != 0)
		at = (at + 1) & (h->size - 1);
	h->table[at] = (uint32_t)++h->count;
	return 0;
}

static int
hold_line(void *arg, const struct map_book_line *line, const char *text,
    size_t len, struct fault *f)
{
	struct holding *h = arg;
	const struct map_book_entry *e = &line->entry;
	struct held *held;
	uint64_t hash;

	if (e->when > h->at || !fits(h->ask, e))
		return 0;
	hash = identify(h, e);
	held = find_held(h, hash);
	if (e->sign == '-') {
		if (held != NULL)
			held->gone = true;
		return 0;
	}
	if (held != NULL && !held->gone)
		return 0;
	return hold(h, hash, text, len, f);
}

static int
tell_held(struct holding *h, struct fault *f)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < h->count; i++) {
		struct map_book_line line;

		if (h->all[i].gone)
			continue;
		result = map_book_line_read(&line,
		    (const char *)h->text.data + h->all[i].line, h->all[i].len,
		    f);
		if (result == 0)
			result = h->ask->fn(h->ask->arg, &line.entry);
		map_book_line_free(&line);
	}
	return result;
}

int
map_book_at(const char *path, const struct map_book_filter *filter, time_t at,
    map_book_fn *fn, void *arg, struct fault *f)
{
	struct asking a = { .filter = filter, .fn = fn, .arg = arg };
	struct holding h = { .ask = &a,
		.at = at,
		.text = BUF(HELD_LIMIT),
		.id = BUF(KEY_LIMIT) };
	struct reader r;
	int result = ask(&a, f);

	rand_bytes(h.key, sizeof(h.key));
	if (result == 0)
		result = walk(path, &r, hold_line, &h, f);
	if (result == 0)
		result = tell_held(&h, f);
	free(h.all);
	free(h.table);
	buf_free(&h.text);
	buf_free(&h.id);
	buf_free(&a.wanted);
	return result;
}

/* ---- the chain */

struct chain {
	struct map_book_sum sum;
	struct map_book_hash *hash;
	char before[MAP_BOOK_HASH_SIZE];
};

static int
check_line(void *arg, const struct map_book_line *line, const char *text,
    size_t len, struct fault *f)
{
	struct chain *c = arg;
	char hash[MAP_BOOK_HASH_SIZE];

	if (map_book_hash_line(c->hash, c->before,
		text + MAP_BOOK_HASH_SIZE - 1, len - (MAP_BOOK_HASH_SIZE - 1),
		hash, f) < 0)
		return -1;
	c->sum.entries++;
	if (strcmp(hash, line->hash) != 0)
		return fault_set(f, FAULT_INPUT,
		    "line %llu: its hash is not what it and the line before "
		    "come to: one of them was changed, or lines are missing",
		    (unsigned long long)c->sum.entries);
	memcpy(c->before, hash, sizeof(hash));
	if (c->sum.entries == 1)
		c->sum.first = line->entry.when;
	c->sum.last = line->entry.when;
	return 0;
}

int
map_book_check(const char *path, struct map_book_sum *sum, struct fault *f)
{
	struct chain c = { .hash = map_book_hash_new(f),
		.before = MAP_BOOK_NOTHING };
	struct reader r;
	int result;

	if (c.hash == NULL)
		return -1;
	result = walk(path, &r, check_line, &c, f);
	map_book_hash_free(c.hash);
	if (result < 0)
		return -1;
	memcpy(c.sum.head, c.before, sizeof(c.before));
	c.sum.torn = r.torn;
	*sum = c.sum;
	return 0;
}
