#include "map/map_build.h"

#include "base/fault.h"
#include "base/rand.h"
#include "map/map_name.h"

#include <stdlib.h>
#include <string.h>

#define HEAP_FIRST ((size_t)1 << 16)
#define FOUND_FIRST ((size_t)1 << 12)

/* realloc moves pages, not bytes, where memory is large. */
uint8_t *
map_heap_room(struct map_heap *h, size_t len)
{
	uint8_t *room;

	if (h->data == NULL || h->size - h->len < len) {
		size_t size = h->size > 0 ? h->size : HEAP_FIRST;
		uint8_t *more;

		while (size - h->len < len) {
			if (size > SIZE_MAX / 2)
				return NULL;
			size *= 2;
		}
		if ((more = realloc(h->data, size)) == NULL)
			return NULL;
		h->data = more;
		h->size = size;
	}
	room = h->data + h->len;
	h->len += len;
	return room;
}

struct map_build *
map_build_new(size_t limit, struct fault *f)
{
	struct map_build *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for an index");
		return NULL;
	}
	b->limit = limit;
	b->key_text = b->other = BUF(8 * MAP_TEXT_MAX);
	rand_bytes(b->key, sizeof(b->key));
	return b;
}

void
map_build_free(struct map_build *b)
{
	if (b == NULL)
		return;
	buf_free(&b->key_text);
	buf_free(&b->other);
	free(b->records.data);
	free(b->hashes.data);
	free(b->refs.data);
	free(b->found);
	free(b);
}

static size_t
taken(const struct map_build *b)
{
	return b->records.len + b->hashes.len + b->refs.len +
	    b->found_size * sizeof(b->found[0]);
}

uint32_t
map_build_record(struct map_build *b, const struct map_build_record *record,
    struct fault *f)
{
	size_t len = sizeof(struct map_layout_record) + record->first.len +
	    record->second.len;
	size_t whole =
	    (len + MAP_LAYOUT_UNIT - 1) / MAP_LAYOUT_UNIT * MAP_LAYOUT_UNIT;
	uint64_t ref =
	    (sizeof(struct map_layout_head) + b->records.len) / MAP_LAYOUT_UNIT;
	struct map_layout_record head = { .kind_first = (uint32_t)record->kind
			<< MAP_LAYOUT_KIND_SHIFT |
		    (uint32_t)record->first.len,
		.second = (uint32_t)record->second.len };
	uint8_t *room = NULL;

	if (whole <= b->limit && taken(b) <= b->limit - whole &&
	    ref < UINT32_MAX)
		room = map_heap_room(&b->records, whole);
	if (room == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for an index");
		return 0;
	}
	memcpy(room, &head, sizeof(head));
	memcpy(room + sizeof(head), record->first.data, record->first.len);
	if (record->second.len > 0)
		memcpy(room + sizeof(head) + record->first.len,
		    record->second.data, record->second.len);
	memset(room + len, 0, whole - len);
	head.tag = map_layout_hash(b->key, MAP_LAYOUT_RECORD, ref,
	    room + sizeof(head.tag), len - sizeof(head.tag));
	memcpy(room, &head.tag, sizeof(head.tag));
	return (uint32_t)ref;
}

void
map_build_look(const struct map_build *b, uint32_t ref,
    struct map_build_record *record)
{
	const uint8_t *at = b->records.data +
	    ((size_t)ref * MAP_LAYOUT_UNIT - sizeof(struct map_layout_head));
	struct map_layout_record head;

	memcpy(&head, at, sizeof(head));
	record->kind =
	    (enum map_record_kind)(head.kind_first >> MAP_LAYOUT_KIND_SHIFT);
	record->first = (struct wire_bytes){ at + sizeof(head),
		head.kind_first & MAP_LAYOUT_FIRST_MAX };
	record->second =
	    (struct wire_bytes){ at + sizeof(head) + record->first.len,
		    head.second };
}

static uint64_t
hash_of(const struct map_build *b, size_t number)
{
	uint64_t hash;

	memcpy(&hash, b->hashes.data + number * sizeof(hash), sizeof(hash));
	return hash;
}

static uint32_t
ref_of(const struct map_build *b, size_t number)
{
	uint32_t ref;

	memcpy(&ref, b->refs.data + number * sizeof(ref), sizeof(ref));
	return ref;
}

static void
put_found(struct map_build *b, uint64_t hash, size_t number)
{
	size_t at = hash & (b->found_size - 1);

	while (b->found[at] != 0)
		at = (at + 1) & (b->found_size - 1);
	b->found[at] = (uint32_t)(number + 1);
}

static int
grow_found(struct map_build *b, struct fault *f)
{
	size_t size = b->found_size > 0 ? 2 * b->found_size : FOUND_FIRST;
	uint32_t *old = b->found;

	if (b->count < b->found_size / 4 * 3)
		return 0;
	b->found = calloc(size, sizeof(b->found[0]));
	if (b->found == NULL) {
		b->found = old;
		return fault_set(f, FAULT_MEMORY, "no memory for an index");
	}
	free(old);
	b->found_size = size;
	for (size_t i = 0; i < b->count; i++)
		put_found(b, hash_of(b, i), i);
	return 0;
}

static bool
same_key(struct map_build *b, size_t number)
{
	const struct buf *key = &b->key_text;
	struct map_build_record record;
	struct buf *other = &b->other;

	map_build_look(b, ref_of(b, number), &record);
	other->len = 0;
	map_name_key((const char *)record.first.data, record.first.len, other);
	return !other->failed && other->len == key->len &&
	    (key->len == 0 || memcmp(other->data, key->data, key->len) == 0);
}

static bool
has_name(struct map_build *b, uint64_t hash)
{
	for (size_t at = hash & (b->found_size - 1); b->found[at] != 0;
	     at = (at + 1) & (b->found_size - 1)) {
		size_t number = b->found[at] - 1;

		if (hash_of(b, number) == hash && same_key(b, number))
			return true;
	}
	return false;
}

static int
keep_name(struct map_build *b, uint64_t hash,
    const struct map_build_record *record, struct fault *f)
{
	uint32_t ref = map_build_record(b, record, f);
	uint8_t *hash_room, *ref_room;

	if (ref == 0)
		return -1;
	hash_room = map_heap_room(&b->hashes, sizeof(hash));
	ref_room = map_heap_room(&b->refs, sizeof(ref));
	if (hash_room == NULL || ref_room == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for an index");
	memcpy(hash_room, &hash, sizeof(hash));
	memcpy(ref_room, &ref, sizeof(ref));
	put_found(b, hash, b->count);
	b->count++;
	return 1;
}

static int
add(struct map_build *b, const char *name, enum map_record_kind kind,
    struct wire_bytes accounts, struct fault *f)
{
	const struct map_build_record record = { kind,
		{ (const uint8_t *)name, strlen(name) }, accounts };
	struct buf *key = &b->key_text;
	uint64_t hash;

	key->len = 0;
	map_name_key(name, record.first.len, key);
	if (key->failed || record.first.len > MAP_TEXT_MAX ||
	    accounts.len > MAP_TEXT_MAX) {
		buf_free(key);
		b->key_text = BUF(8 * MAP_TEXT_MAX);
		return fault_set(f, FAULT_INPUT,
		    "a name or its accounts are too long");
	}
	if (grow_found(b, f) < 0)
		return -1;
	hash = map_layout_hash(b->key, MAP_LAYOUT_NAME, 0, key->data, key->len);
	if (has_name(b, hash))
		return 0;
	return keep_name(b, hash, &record, f);
}

int
map_build_add(struct map_build *b, const char *name,
    const struct map_accounts *accounts, struct fault *f)
{
	const struct wire_bytes text = { accounts->text.data,
		accounts->text.len };
	int added;

	if (accounts->text.failed)
		return fault_set(f, FAULT_INPUT, "too many accounts");
	added = add(b, name, MAP_RECORD_NAME, text, f);
	if (added == 1)
		b->pairs += accounts->count;
	return added;
}

int
map_build_remove(struct map_build *b, const char *name, struct fault *f)
{
	b->gone = true;
	return add(b, name, MAP_RECORD_GONE, (struct wire_bytes){ NULL, 0 }, f);
}

size_t
map_build_count(const struct map_build *b)
{
	return b->count;
}
