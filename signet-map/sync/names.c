#include "names.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/rand.h"
#include "base/sip.h"
#include "map/map_name.h"

#include <string.h>

#define ROOM_FIRST 1024
#define NAME_MAX ((size_t)1 << 20)

struct slot {
	uint64_t name;
	uint64_t value; /* 0: free, or taken out */
};

/* Open addressing by a hash that is keyed already; ${room} is a power of two,
 * and at most three quarters of it are used. */
struct shadow {
	struct slot *slot;
	size_t room;
	size_t used; /* with those that were taken out */
	size_t count;
};

struct changes {
	struct change *list;
	size_t room;
	size_t count;
	struct shadow *place; /* of a name's hash: 1 + its place in the list */
};

static const uint8_t *
own_key(void)
{
	static uint8_t key[SIP_KEY];
	static bool made;

	if (!made) {
		rand_bytes(key, sizeof(key));
		made = true;
	}
	return key;
}

static uint64_t
hash(const void *data, size_t len)
{
	uint64_t n = sip_hash(own_key(), data, len);

	return n == 0 ? 1 : n;
}

uint64_t
names_hash(const char *name)
{
	OWN_BUF(key, NAME_MAX);

	map_name_key(name, strlen(name), &key);
	/* What is too long to be compared is nobody's name. */
	return key.failed ? 1 : hash(key.data, key.len);
}

uint64_t
names_hash_accounts(const char *accounts)
{
	return hash(accounts, strlen(accounts));
}

struct shadow *
shadow_new(struct fault *f)
{
	struct shadow *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->slot = calloc(ROOM_FIRST, sizeof(*s->slot));
	if (s == NULL || s->slot == NULL) {
		free(s);
		(void)fault_set(f, FAULT_MEMORY, "a table of names");
		return NULL;
	}
	s->room = ROOM_FIRST;
	return s;
}

void
shadow_free(struct shadow *s)
{
	if (s == NULL)
		return;
	free(s->slot);
	free(s);
}

/* The slot of ${name}, or the free one where it would be. */
static struct slot *
find(const struct shadow *s, uint64_t name)
{
	size_t at = (size_t)name & (s->room - 1);

	while (s->slot[at].name != 0 && s->slot[at].name != name)
		at = (at + 1) & (s->room - 1);
	return &s->slot[at];
}

static int
grow(struct shadow *s, struct fault *f)
{
	struct shadow larger = { .room = s->room };

	/* What was taken out needs no room in the new table. */
	if (s->count * 2 >= s->room)
		larger.room *= 2;
	if ((larger.slot = calloc(larger.room, sizeof(*larger.slot))) == NULL)
		return fault_set(f, FAULT_MEMORY, "a table of names");
	for (size_t i = 0; i < s->room; i++) {
		if (s->slot[i].value == 0)
			continue;
		*find(&larger, s->slot[i].name) = s->slot[i];
		larger.used++;
	}
	free(s->slot);
	larger.count = s->count;
	*s = larger;
	return 0;
}

int
shadow_put(struct shadow *s, uint64_t name, uint64_t value, struct fault *f)
{
	struct slot *slot = find(s, name);

	if (slot->name == 0) {
		if (value == 0)
			return 0;
		if (s->used * 4 >= s->room * 3) {
			if (grow(s, f) < 0)
				return -1;
			slot = find(s, name);
		}
		slot->name = name;
		s->used++;
	}
	if (slot->value == 0 && value != 0)
		s->count++;
	if (slot->value != 0 && value == 0)
		s->count--;
	slot->value = value;
	return 0;
}

uint64_t
shadow_get(const struct shadow *s, uint64_t name)
{
	return find(s, name)->value;
}

size_t
shadow_count(const struct shadow *s)
{
	return s->count;
}

struct changes *
changes_new(struct fault *f)
{
	struct changes *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a list of changes");
		return NULL;
	}
	if ((c->place = shadow_new(f)) == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
changes_clear(struct changes *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->list[i].name);
		free(c->list[i].accounts);
	}
	c->count = 0;
	memset(c->place->slot, 0, c->place->room * sizeof(*c->place->slot));
	c->place->used = c->place->count = 0;
}

void
changes_free(struct changes *c)
{
	if (c == NULL)
		return;
	changes_clear(c);
	free(c->list);
	shadow_free(c->place);
	free(c);
}

/* Room for one more. */
static int
make_room(struct changes *c, struct fault *f)
{
	size_t room = c->room == 0 ? 64 : 2 * c->room;
	struct change *list;

	if (c->count < c->room)
		return 0;
	if ((list = reallocarray(c->list, room, sizeof(*list))) == NULL)
		return fault_set(f, FAULT_MEMORY, "a list of changes");
	c->list = list;
	c->room = room;
	return 0;
}

static int
append(struct changes *c, uint64_t name_hash, const char *name,
    struct change **out, struct fault *f)
{
	struct change *change;

	if (make_room(c, f) < 0)
		return -1;
	change = &c->list[c->count];
	*change = (struct change){ name_hash, strdup(name), NULL };
	if (change->name == NULL)
		return fault_set(f, FAULT_MEMORY, "a list of changes");
	if (shadow_put(c->place, name_hash, c->count + 1, f) < 0) {
		free(change->name);
		return -1;
	}
	c->count++;
	*out = change;
	return 0;
}

int
changes_put(struct changes *c, const char *name, const char *accounts,
    struct fault *f)
{
	uint64_t name_hash = names_hash(name);
	uint64_t place = shadow_get(c->place, name_hash);
	char *copy = accounts == NULL ? NULL : strdup(accounts);
	struct change *change = NULL;

	if (accounts != NULL && copy == NULL)
		return fault_set(f, FAULT_MEMORY, "a list of changes");
	if (place != 0) {
		change = &c->list[place - 1];
	} else if (append(c, name_hash, name, &change, f) < 0) {
		free(copy);
		return -1;
	}
	free(change->accounts);
	change->accounts = copy;
	return 0;
}

const struct change *
changes_find(const struct changes *c, uint64_t hash_)
{
	uint64_t place = shadow_get(c->place, hash_);

	return place == 0 ? NULL : &c->list[place - 1];
}

size_t
changes_count(const struct changes *c)
{
	return c->count;
}

const struct change *
changes_at(const struct changes *c, size_t i)
{
	return &c->list[i];
}
