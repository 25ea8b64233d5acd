#include "base/fault.h"
#include "base/rand.h"
#include "roster/roster_part.h"

#include <stdlib.h>
#include <string.h>

#define HASH_FIRST 1024u
#define ROOM_MORE 256 /* also where there are hardly any */
#define SLOTS_MAX (1u << 30)

void
roster_table_init(struct roster_table *t)
{
	*t = (struct roster_table){ 0 };
	rand_bytes(t->key, sizeof(t->key));
}

void
roster_table_free(struct roster_table *t)
{
	for (uint32_t i = 0; i < t->used; i++)
		free(t->slots[i]);
	free(t->slots);
	free(t->hash);
	*t = (struct roster_table){ 0 };
}

static uint32_t
hash_of(const struct roster_table *t, uint32_t source, const uint8_t *uuid)
{
	const uint64_t key[2] = { t->key[0] ^ source, t->key[1] };

	return (uint32_t)roster_hash(key, uuid, ROSTER_UUID);
}

static uint32_t
hash_of_slot(const struct roster_table *t, uint32_t slot)
{
	const struct roster_rec *rec = t->slots[slot];

	return hash_of(t, rec->source, rec->uuid);
}

/* Where it is in ->hash, or the free place for it. */
static uint32_t
place(const struct roster_table *t, uint32_t source, const uint8_t *uuid)
{
	uint32_t mask = t->hash_size - 1, at = hash_of(t, source, uuid) & mask;

	for (; t->hash[at] != 0; at = (at + 1) & mask) {
		const struct roster_rec *rec = t->slots[t->hash[at] - 1];

		if (rec->source == source &&
		    memcmp(rec->uuid, uuid, ROSTER_UUID) == 0)
			break;
	}
	return at;
}

uint32_t
roster_table_find(const struct roster_table *t, uint32_t source,
    const uint8_t uuid[ROSTER_UUID])
{
	uint32_t at;

	if (t->hash_size == 0)
		return ROSTER_NONE;
	at = place(t, source, uuid);
	return t->hash[at] == 0 ? ROSTER_NONE : t->hash[at] - 1;
}

static int
set_hash(struct roster_table *t, uint32_t size, struct fault *f)
{
	uint32_t *hash = calloc(size, sizeof(*hash));

	if (hash == NULL)
		return fault_set(f, FAULT_MEMORY, "%u people", t->count);
	for (uint32_t i = 0; i < t->used; i++) {
		uint32_t at;

		if (t->slots[i] == NULL)
			continue;
		at = hash_of_slot(t, i) & (size - 1);
		while (hash[at] != 0)
			at = (at + 1) & (size - 1);
		hash[at] = i + 1;
	}
	free(t->hash);
	t->hash = hash;
	t->hash_size = size;
	return 0;
}

static int
set_room(struct roster_table *t, uint32_t room, struct fault *f)
{
	struct roster_rec **slots;

	if (room > SLOTS_MAX ||
	    (slots = reallocarray(t->slots, room, sizeof(void *))) == NULL)
		return fault_set(f, FAULT_MEMORY, "%u people", room);
	t->slots = slots;
	t->room = room;
	return 0;
}

int
roster_table_reserve(struct roster_table *t, size_t count, struct fault *f)
{
	uint32_t size = t->hash_size == 0 ? HASH_FIRST : t->hash_size;

	if (count > SLOTS_MAX / 2)
		return fault_set(f, FAULT_MEMORY, "%zu people", count);
	/* At most three quarters full. */
	while ((uint64_t)size * 3 < (uint64_t)count * 4)
		size *= 2;
	if (size != t->hash_size && set_hash(t, size, f) < 0)
		return -1;
	return count > t->room ? set_room(t, (uint32_t)count, f) : 0;
}

static int
make_room(struct roster_table *t, struct fault *f)
{
	if (t->used >= t->room &&
	    set_room(t, t->room + t->room / 2 + ROOM_MORE, f) < 0)
		return -1;
	if ((uint64_t)t->hash_size * 3 >= (uint64_t)(t->count + 1) * 4)
		return 0;
	return set_hash(t, t->hash_size == 0 ? HASH_FIRST : t->hash_size * 2,
	    f);
}

int
roster_table_put(struct roster_table *t, struct roster_rec *rec, uint32_t *slot,
    struct roster_rec **old, struct fault *f)
{
	uint32_t at;

	if (make_room(t, f) < 0)
		return -1;
	at = place(t, rec->source, rec->uuid);
	*old = NULL;
	if (t->hash[at] != 0) {
		*slot = t->hash[at] - 1;
		*old = t->slots[*slot];
		t->bytes -= roster_rec_size(*old);
	} else {
		*slot = t->used++;
		t->hash[at] = *slot + 1;
		t->count++;
	}
	t->slots[*slot] = rec;
	t->bytes += roster_rec_size(rec);
	return 0;
}

/* Close the gap at ${at}, so that no search stops there too early. */
static void
close_gap(struct roster_table *t, uint32_t at)
{
	uint32_t mask = t->hash_size - 1, next = at;

	for (;;) {
		uint32_t home;

		t->hash[at] = 0;
		do {
			next = (next + 1) & mask;
			if (t->hash[next] == 0)
				return;
			home = hash_of_slot(t, t->hash[next] - 1) & mask;
		} while (((next - home) & mask) < ((next - at) & mask));
		t->hash[at] = t->hash[next];
		at = next;
	}
}

struct roster_rec *
roster_table_take(struct roster_table *t, uint32_t slot)
{
	struct roster_rec *rec = t->slots[slot];

	close_gap(t, place(t, rec->source, rec->uuid));
	t->slots[slot] = NULL;
	t->count--;
	t->bytes -= roster_rec_size(rec);
	return rec;
}
