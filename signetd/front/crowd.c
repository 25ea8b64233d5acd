#include "signetd/front/crowd.h"

#include "base/fault.h"
#include "base/rand.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define CROWD_MOST 65536u
#define BUCKETS 1024u
#define KEY_SIZE 16
#define NOBODY UINT32_MAX

struct origin {
	struct origin *next;
	uint8_t key[KEY_SIZE];
	size_t count;
};

struct place {
	void *guest;
	struct origin *origin;
	uint16_t generation;
	uint32_t next_free;
};

struct crowd {
	size_t most;
	size_t per_address;
	size_t count;
	struct place *place; /* CROWD_MOST of them; memory as it is touched */
	uint32_t used;	     /* places that were ever taken */
	uint32_t first_free;
	uint64_t seed; /* so that nobody can aim at a bucket */
	struct origin *origin[BUCKETS];
};

struct crowd *
crowd_new(size_t most, size_t per_address, struct fault *f)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	if (crowd == NULL ||
	    (crowd->place = calloc(CROWD_MOST, sizeof(*crowd->place))) ==
		NULL) {
		free(crowd);
		(void)fault_set(f, FAULT_MEMORY, "no room for guests");
		return NULL;
	}
	crowd->first_free = NOBODY;
	rand_bytes(&crowd->seed, sizeof(crowd->seed));
	crowd_bounds(crowd, most, per_address);
	return crowd;
}

void
crowd_free(struct crowd *crowd)
{
	if (crowd == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (crowd->origin[i] != NULL) {
			struct origin *origin = crowd->origin[i];

			crowd->origin[i] = origin->next;
			free(origin);
		}
	free(crowd->place);
	free(crowd);
}

void
crowd_bounds(struct crowd *crowd, size_t most, size_t per_address)
{
	crowd->most = most < CROWD_MOST ? most : CROWD_MOST;
	crowd->per_address = per_address;
}

static void
key_of(const struct sockaddr *from, uint8_t key[KEY_SIZE])
{
	memset(key, 0, KEY_SIZE);
	if (from->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, from, sizeof(in));
		key[10] = key[11] = 0xff; /* RFC 4291 2.5.5.2 */
		memcpy(key + 12, &in.sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		bool mapped;

		memcpy(&in6, from, sizeof(in6));
		mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
		memcpy(key, &in6.sin6_addr, mapped ? KEY_SIZE : KEY_SIZE / 2);
	}
}

static struct origin **
bucket_of(struct crowd *crowd, const uint8_t key[KEY_SIZE])
{
	uint64_t hash = crowd->seed;

	/* Mixed by a large odd number: spread, not secrecy, is wanted, and the
	 * seed keeps the order from being known. */
	for (size_t i = 0; i < KEY_SIZE; i++) {
		hash = (hash ^ key[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return &crowd->origin[hash % BUCKETS];
}

static struct origin *
origin_get(struct crowd *crowd, const struct sockaddr *from)
{
	uint8_t key[KEY_SIZE];
	struct origin **bucket, *origin;

	key_of(from, key);
	bucket = bucket_of(crowd, key);
	for (origin = *bucket; origin != NULL; origin = origin->next)
		if (memcmp(origin->key, key, KEY_SIZE) == 0)
			return origin;
	if ((origin = calloc(1, sizeof(*origin))) == NULL)
		return NULL;
	memcpy(origin->key, key, KEY_SIZE);
	origin->next = *bucket;
	*bucket = origin;
	return origin;
}

static void
origin_leave(struct crowd *crowd, struct origin *origin)
{
	struct origin **at = bucket_of(crowd, origin->key);

	if (origin->count > 0)
		return;
	while (*at != origin)
		at = &(*at)->next;
	*at = origin->next;
	free(origin);
}

/* The place that was given up last is taken first; its generation tells its
 * guests apart. */
static uint32_t
place_take(struct crowd *crowd)
{
	uint32_t at = crowd->first_free;

	if (at != NOBODY)
		crowd->first_free = crowd->place[at].next_free;
	else
		at = crowd->used++;
	return at;
}

int
crowd_enter(struct crowd *crowd, const struct sockaddr *from, void *guest,
    uint32_t *id, struct fault *f)
{
	struct origin *origin;
	struct place *place;
	uint32_t at;

	if (crowd->count >= crowd->most)
		return fault_set(f, FAULT_BUSY, "%zu connections", crowd->most);
	if ((origin = origin_get(crowd, from)) == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for an address");
	if (origin->count >= crowd->per_address) {
		origin_leave(crowd, origin);
		return fault_set(f, FAULT_BUSY,
		    "%zu connections from one address", crowd->per_address);
	}
	at = place_take(crowd);
	place = &crowd->place[at];
	place->guest = guest;
	place->origin = origin;
	origin->count++;
	crowd->count++;
	*id = (uint32_t)place->generation << 16 | at;
	return 0;
}

void *
crowd_find(const struct crowd *crowd, uint32_t id)
{
	const struct place *place = &crowd->place[id & 0xffff];

	return place->generation == id >> 16 ? place->guest : NULL;
}

void
crowd_leave(struct crowd *crowd, uint32_t id)
{
	struct place *place = &crowd->place[id & 0xffff];

	if (crowd_find(crowd, id) == NULL)
		return;
	place->origin->count--;
	origin_leave(crowd, place->origin);
	place->origin = NULL;
	place->guest = NULL;
	place->generation++;
	place->next_free = crowd->first_free;
	crowd->first_free = id & 0xffff;
	crowd->count--;
}

size_t
crowd_count(const struct crowd *crowd)
{
	return crowd->count;
}

void
crowd_each(struct crowd *crowd, void (*fn)(void *arg, void *guest), void *arg)
{
	for (uint32_t at = 0; at < crowd->used; at++)
		if (crowd->place[at].guest != NULL)
			fn(arg, crowd->place[at].guest);
}
