#include "maprule/maprule_set.h"

#include "base/fault.h"
#include "base/rand.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64
#define TEXT_LIMIT ((size_t)1 << 31)

struct maprule_set_slot {
	uint32_t at; /* 1 more than where in ${text}: len, then the bytes */
	uint32_t number;
};

struct maprule_claims_slot {
	uint32_t hash;
	uint32_t person; /* 1 more; 0: free */
};

/* ---- texts */

void
maprule_set_init(struct maprule_set *s)
{
	*s = (struct maprule_set){ .text = BUF(TEXT_LIMIT) };
	rand_bytes(s->key, sizeof(s->key));
}

void
maprule_set_free(struct maprule_set *s)
{
	free(s->slots);
	buf_free(&s->text);
	*s = (struct maprule_set){ 0 };
}

static struct maprule_set_slot *
set_slot(const struct maprule_set *s, const void *text, size_t len)
{
	size_t i = (size_t)sip_hash(s->key, text, len) & (s->size - 1);

	for (; s->slots[i].at != 0; i = (i + 1) & (s->size - 1)) {
		const uint8_t *there = s->text.data + s->slots[i].at - 1;
		uint32_t n;

		memcpy(&n, there, sizeof(n));
		if (n == len && memcmp(there + sizeof(n), text, len) == 0)
			break;
	}
	return &s->slots[i];
}

static int
set_grow(struct maprule_set *s, struct fault *f)
{
	struct maprule_set bigger = *s;

	bigger.size = s->size == 0 ? FIRST_SIZE : s->size * 2;
	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for names");
	for (size_t i = 0; i < s->size; i++) {
		const uint8_t *there;
		uint32_t n;

		if (s->slots[i].at == 0)
			continue;
		there = s->text.data + s->slots[i].at - 1;
		memcpy(&n, there, sizeof(n));
		*set_slot(&bigger, there + sizeof(n), n) = s->slots[i];
	}
	free(s->slots);
	*s = bigger;
	return 0;
}

int
maprule_set_put(struct maprule_set *s, const void *text, size_t len,
    uint32_t number, struct fault *f)
{
	uint32_t n = (uint32_t)len;
	struct maprule_set_slot *slot;
	size_t at = s->text.len;

	if ((s->count + 1) * 2 > s->size && set_grow(s, f) < 0)
		return -1;
	slot = set_slot(s, text, len);
	if (slot->at != 0)
		return 0;
	buf_put(&s->text, &n, sizeof(n));
	buf_put(&s->text, text, len);
	if (s->text.failed)
		return fault_set(f, FAULT_MEMORY, "no memory for names");
	slot->at = (uint32_t)at + 1;
	slot->number = number;
	s->count++;
	return 0;
}

bool
maprule_set_find(const struct maprule_set *s, const void *text, size_t len,
    uint32_t *number)
{
	const struct maprule_set_slot *slot;

	if (s->count == 0)
		return false;
	slot = set_slot(s, text, len);
	if (slot->at == 0)
		return false;
	*number = slot->number;
	return true;
}

/* ---- claims */

void
maprule_claims_init(struct maprule_claims *c)
{
	*c = (struct maprule_claims){ 0 };
	rand_bytes(c->key, sizeof(c->key));
}

void
maprule_claims_free(struct maprule_claims *c)
{
	free(c->slots);
	*c = (struct maprule_claims){ 0 };
}

uint64_t
maprule_claims_hash(const struct maprule_claims *c, const void *name,
    size_t len)
{
	return sip_hash(c->key, name, len);
}

/* The slot of both, or the free one where they would go. */
static struct maprule_claims_slot *
claims_slot(const struct maprule_claims *c, uint32_t hash, uint32_t person)
{
	size_t i = hash & (c->size - 1);

	while (c->slots[i].person != 0 &&
	    (c->slots[i].hash != hash || c->slots[i].person != person + 1))
		i = (i + 1) & (c->size - 1);
	return &c->slots[i];
}

static int
claims_grow(struct maprule_claims *c, struct fault *f)
{
	struct maprule_claims bigger = *c;

	bigger.size = c->size == 0 ? FIRST_SIZE : c->size * 2;
	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for names");
	for (size_t i = 0; i < c->size; i++)
		if (c->slots[i].person != 0)
			*claims_slot(&bigger, c->slots[i].hash,
			    c->slots[i].person - 1) = c->slots[i];
	free(c->slots);
	*c = bigger;
	return 0;
}

int
maprule_claims_put(struct maprule_claims *c, uint64_t hash, uint32_t person,
    struct fault *f)
{
	struct maprule_claims_slot *slot;

	if ((c->count + 1) * 4 > c->size * 3 && claims_grow(c, f) < 0)
		return -1;
	slot = claims_slot(c, (uint32_t)hash, person);
	if (slot->person != 0)
		return 0;
	slot->hash = (uint32_t)hash;
	slot->person = person + 1;
	c->count++;
	return 0;
}

/* What follows is moved up, so that no search ends too early. */
static void
close_gap(struct maprule_claims *c, size_t gap)
{
	size_t mask = c->size - 1;

	for (size_t i = (gap + 1) & mask; c->slots[i].person != 0;
	     i = (i + 1) & mask) {
		size_t home = c->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		c->slots[gap] = c->slots[i];
		gap = i;
	}
	c->slots[gap] = (struct maprule_claims_slot){ 0 };
}

void
maprule_claims_drop(struct maprule_claims *c, uint64_t hash, uint32_t person)
{
	struct maprule_claims_slot *slot;

	if (c->count == 0)
		return;
	slot = claims_slot(c, (uint32_t)hash, person);
	if (slot->person == 0)
		return;
	close_gap(c, (size_t)(slot - c->slots));
	c->count--;
}

bool
maprule_claims_next(const struct maprule_claims *c, uint64_t hash, size_t *at,
    uint32_t *person)
{
	if (c->count == 0)
		return false;
	for (;;) {
		size_t i = ((uint32_t)hash + (*at)++) & (c->size - 1);

		if (c->slots[i].person == 0)
			return false;
		if (c->slots[i].hash != (uint32_t)hash)
			continue;
		*person = c->slots[i].person - 1;
		return true;
	}
}
