/* From what map_build.c has gathered to the file. */
#include "base/fault.h"
#include "base/file_part.h"
#include "base/text.h"
#include "map/map_build.h"
#include "map/mapfile.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Slots that are taken of a bucket's seven, on average. */
#define FILL 5

/* A name's record and one of its accounts, which is in that record. */
struct pair {
	uint64_t hash; /* of the account */
	uint32_t ref;
	uint32_t at; /* of the account among the name's */
};

/* A table that is being filled. */
struct table {
	struct map_layout_bucket *bucket;
	size_t buckets;
};

static int
table_new(struct table *t, size_t entries, struct fault *f)
{
	t->buckets = entries / FILL + 1;
	t->bucket = calloc(t->buckets, sizeof(t->bucket[0]));
	if (t->bucket == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for an index");
	return 0;
}

static void
table_free(struct table *t)
{
	free(t->bucket);
}

static void
table_put(struct table *t, uint64_t hash, uint32_t ref)
{
	size_t n = map_layout_bucket_of(hash, t->buckets);
	size_t i = 0;

	while (t->bucket[n].slot[i].ref != 0) {
		if (++i < MAP_LAYOUT_SLOTS)
			continue;
		i = 0;
		n = n + 1 < t->buckets ? n + 1 : 0;
	}
	t->bucket[n].slot[i] = (struct map_layout_slot){ (uint32_t)hash, ref };
}

static void
table_seal(struct table *t, const uint64_t key[2], enum map_layout_use use)
{
	for (size_t n = 0; n < t->buckets; n++)
		t->bucket[n].tag = map_layout_hash(key, use, n, &t->bucket[n],
		    offsetof(struct map_layout_bucket, tag));
}

static const char *
account_of(const struct map_build *b, const struct pair *pair)
{
	struct map_build_record record;

	map_build_look(b, pair->ref, &record);
	return (const char *)record.second.data + pair->at;
}

static int
pair_order(const void *left, const void *right, void *build)
{
	const struct pair *a = left, *b = right;
	int order;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	order = strcmp(account_of(build, a), account_of(build, b));
	if (order != 0)
		return order;
	return (a->ref > b->ref) - (a->ref < b->ref);
}

/* Every name with each of its accounts, those of one account in a row. */
static struct pair *
list_pairs(struct map_build *b, struct fault *f)
{
	struct pair *pairs = calloc(b->pairs + 1, sizeof(pairs[0]));
	size_t n = 0;

	if (pairs == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for an index");
		return NULL;
	}
	for (size_t i = 0; i < b->count; i++) {
		struct map_build_record record;
		uint32_t ref;

		memcpy(&ref, b->refs.data + i * sizeof(ref), sizeof(ref));
		map_build_look(b, ref, &record);
		for (size_t at = 0; at < record.second.len;) {
			const char *account =
			    (const char *)record.second.data + at;
			size_t len = strlen(account);

			pairs[n++] = (struct pair){ map_layout_hash(b->key,
							MAP_LAYOUT_ACCOUNT, 0,
							account, len),
				ref, (uint32_t)at };
			at += len + 1;
		}
	}
	qsort_r(pairs, n, sizeof(pairs[0]), pair_order, b);
	return pairs;
}

static bool
same_account(const struct map_build *b, const struct pair *x,
    const struct pair *y)
{
	return x->hash == y->hash &&
	    strcmp(account_of(b, x), account_of(b, y)) == 0;
}

/* One account's record, of the ${n} pairs at ${pair}.  One that a single name
 * has is found at that name's. */
static int
put_account(struct map_build *b, const struct pair *pair, size_t n,
    struct table *table, struct fault *f)
{
	OWN_BUF(refs, SIZE_MAX / 2);
	OWN_BUF(account, MAP_TEXT_MAX);
	struct map_build_record record = { .kind = MAP_RECORD_ACCOUNT };
	uint32_t ref;

	if (n == 1) {
		table_put(table, pair->hash, pair->ref);
		return 0;
	}
	buf_text(&account, account_of(b, pair));
	for (size_t i = 0; i < n; i++) {
		/* A name may have an account twice. */
		if (i == 0 || pair[i].ref != pair[i - 1].ref)
			buf_put(&refs, &pair[i].ref, sizeof(pair[i].ref));
	}
	if (account.failed || refs.failed)
		return fault_set(f, FAULT_MEMORY, "no memory for an index");
	record.first = (struct wire_bytes){ account.data, account.len };
	record.second = (struct wire_bytes){ refs.data, refs.len };
	if ((ref = map_build_record(b, &record, f)) == 0)
		return -1;
	table_put(table, pair->hash, ref);
	return 0;
}

static size_t
run_of(const struct map_build *b, const struct pair *pair, size_t left)
{
	size_t n = 1;

	while (n < left && same_account(b, pair, pair + n))
		n++;
	return n;
}

static int
put_accounts(struct map_build *b, const struct pair *pairs, struct table *table,
    struct fault *f)
{
	size_t accounts = 0;

	for (size_t i = 0; i < b->pairs;
	     i += run_of(b, pairs + i, b->pairs - i))
		accounts++;
	if (table_new(table, accounts, f) < 0)
		return -1;
	for (size_t i = 0; i < b->pairs;) {
		size_t n = run_of(b, pairs + i, b->pairs - i);

		if (put_account(b, pairs + i, n, table, f) < 0)
			return -1;
		i += n;
	}
	return 0;
}

static int
put_names(struct map_build *b, struct table *table, struct fault *f)
{
	if (table_new(table, b->count, f) < 0)
		return -1;
	for (size_t i = 0; i < b->count; i++) {
		uint64_t hash;
		uint32_t ref;

		memcpy(&hash, b->hashes.data + i * sizeof(hash), sizeof(hash));
		memcpy(&ref, b->refs.data + i * sizeof(ref), sizeof(ref));
		table_put(table, hash, ref);
	}
	return 0;
}

static int
put_part(struct file_part *p, const void *data, size_t len, struct fault *f)
{
	return len == 0 ? 0
			: file_part_put(p, (struct wire_bytes){ data, len }, f);
}

/* The three parts of an index behind its head. */
struct parts {
	struct map_layout_head head;
	struct table names;
	struct table accounts;
};

static void
parts_free(struct parts *p)
{
	table_free(&p->names);
	table_free(&p->accounts);
}

static void
lay_out(struct parts *p, const struct map_build *b)
{
	struct map_layout_head *h = &p->head;
	size_t bucket = sizeof(struct map_layout_bucket);

	memcpy(h->magic, MAP_LAYOUT_MAGIC, sizeof(h->magic));
	h->order = MAP_LAYOUT_ORDER;
	memcpy(h->key, b->key, sizeof(h->key));
	h->entries = b->count;
	h->records_end = sizeof(*h) + b->records.len;
	h->names =
	    (struct map_layout_table){ h->records_end, p->names.buckets };
	h->accounts = (struct map_layout_table){
		h->records_end + p->names.buckets * bucket, p->accounts.buckets
	};
	h->size = h->accounts.at + p->accounts.buckets * bucket;
	h->tag = map_layout_hash(h->key, MAP_LAYOUT_HEAD, 0, h,
	    offsetof(struct map_layout_head, tag));
	table_seal(&p->names, h->key, MAP_LAYOUT_NAMES);
	table_seal(&p->accounts, h->key, MAP_LAYOUT_ACCOUNTS);
}

static int
write_out(const struct map_build *b, const struct parts *p, const char *path,
    mode_t mode, struct fault *f)
{
	struct file_part file;
	size_t bucket = sizeof(struct map_layout_bucket);

	if (file_part_open(&file, path, mode, f) < 0)
		return -1;
	if (put_part(&file, &p->head, sizeof(p->head), f) == 0 &&
	    put_part(&file, b->records.data, b->records.len, f) == 0 &&
	    put_part(&file, p->names.bucket, p->names.buckets * bucket, f) ==
		0 &&
	    put_part(&file, p->accounts.bucket, p->accounts.buckets * bucket,
		f) == 0 &&
	    file_part_end(&file, true, NULL, f) == 0)
		return 0;
	file_part_drop(&file);
	return -1;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0644;
	return st.st_mode & 0755 & ~(mode_t)0111;
}

static int
make(struct map_build *b, const char *path, const char *file, struct parts *p,
    struct fault *f)
{
	struct pair *pairs = list_pairs(b, f);
	int result = -1;

	if (pairs != NULL && put_names(b, &p->names, f) == 0 &&
	    put_accounts(b, pairs, &p->accounts, f) == 0) {
		lay_out(p, b);
		result = write_out(b, p, file, mode_of(path), f);
	}
	free(pairs);
	return result;
}

int
map_build_file(struct map_build *b, const char *path, enum map_layout_kind kind,
    const struct map_index_head *head, const struct stat *text, struct fault *f)
{
	struct parts p = { .head = { .kind = (uint32_t)kind,
			       .seq = head->seq,
			       .base =
				   kind == MAP_LAYOUT_DELTA ? head->base : 0,
			       .made = head->made,
			       .fresh = head->fresh } };
	size_t names_end = b->records.len;
	char file[PATH_MAX];
	int result;

	if (text_fmt(file, sizeof(file), "%s%s", path,
		kind == MAP_LAYOUT_DELTA ? MAP_DELTA_SUFFIX
					 : MAP_INDEX_SUFFIX) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	if (text != NULL) {
		p.head.text_bound = 1;
		p.head.text_inode = (uint64_t)text->st_ino;
		p.head.text_size = (uint64_t)text->st_size;
		p.head.text_seconds = text->st_mtim.tv_sec;
		p.head.text_nanoseconds = text->st_mtim.tv_nsec;
	}
	result = make(b, path, file, &p, f);
	parts_free(&p);
	b->records.len = names_end; /* it may be added to, and written again */
	return result;
}

int
map_build_write(struct map_build *b, const char *path,
    const struct map_index_head *head, struct fault *f)
{
	if (b->gone)
		return fault_set(f, FAULT_INTERNAL,
		    "a name that is gone, in an index");
	return map_build_file(b, path, MAP_LAYOUT_INDEX, head, NULL, f);
}

int
map_delta_write(struct map_build *b, const char *path,
    const struct map_index_head *head, struct fault *f)
{
	return map_build_file(b, path, MAP_LAYOUT_DELTA, head, NULL, f);
}
