#include "map/map_replay.h"

#include "base/fault.h"
#include "base/rand.h"
#include "base/sip.h"
#include "map/map_name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64
#define KEY_MAX 8192
#define HELD_MAX 1024 /* accounts of one name */

struct named {
	char *name;
	char *key;
	struct map_replay_held *held; /* the newest last */
	size_t count;
	size_t room;
};

struct map_replay {
	struct named *names;
	size_t count;
	size_t room;
	uint32_t *slots; /* number + 1; 0 is free */
	size_t slot_count;
	uint8_t seed[SIP_KEY];
};

struct map_replay *
map_replay_new(struct fault *f)
{
	struct map_replay *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->slots = calloc(FIRST_SLOTS, sizeof(*r->slots));
	if (r == NULL || r->slots == NULL) {
		free(r);
		(void)fault_set(f, FAULT_MEMORY, "requests");
		return NULL;
	}
	r->slot_count = FIRST_SLOTS;
	rand_bytes(r->seed, sizeof(r->seed));
	return r;
}

static void
drop_held(struct named *n, size_t i)
{
	free(n->held[i].account);
	n->count--;
	memmove(n->held + i, n->held + i + 1,
	    (n->count - i) * sizeof(*n->held));
}

void
map_replay_free(struct map_replay *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++) {
		struct named *n = &r->names[i];

		while (n->count > 0)
			drop_held(n, n->count - 1);
		free(n->held);
		free(n->name);
		free(n->key);
	}
	free(r->names);
	free(r->slots);
	free(r);
}

/* The slot where ${key} is, or would be. */
static size_t
slot_of(const struct map_replay *r, const char *key)
{
	size_t at = sip_hash(r->seed, key, strlen(key)) & (r->slot_count - 1);

	while (r->slots[at] != 0 &&
	    strcmp(r->names[r->slots[at] - 1].key, key) != 0)
		at = (at + 1) & (r->slot_count - 1);
	return at;
}

static struct named *
find(const struct map_replay *r, const char *name)
{
	OWN_BUF(key, KEY_MAX);
	const char *text;
	size_t at;

	map_name_key(name, strlen(name), &key);
	if ((text = buf_cstr(&key)) == NULL)
		return NULL;
	at = slot_of(r, text);
	return r->slots[at] == 0 ? NULL : &r->names[r->slots[at] - 1];
}

static int
grow_slots(struct map_replay *r, struct fault *f)
{
	uint32_t *old = r->slots;
	uint32_t *slots = calloc(2 * r->slot_count, sizeof(*slots));

	if (slots == NULL)
		return fault_set(f, FAULT_MEMORY, "requests");
	r->slots = slots;
	r->slot_count *= 2;
	for (size_t i = 0; i < r->count; i++)
		r->slots[slot_of(r, r->names[i].key)] = (uint32_t)i + 1;
	free(old);
	return 0;
}

static int
grow_names(struct map_replay *r, struct fault *f)
{
	size_t room = r->room == 0 ? 16 : 2 * r->room;
	struct named *names;

	if (r->count < r->room)
		return 0;
	if (room >= UINT32_MAX ||
	    (names = realloc(r->names, room * sizeof(*names))) == NULL)
		return fault_set(f, FAULT_MEMORY, "requests");
	r->names = names;
	r->room = room;
	return 0;
}

static struct named *
make(struct map_replay *r, const char *name, struct fault *f)
{
	OWN_BUF(key, KEY_MAX);
	struct named *n;
	const char *text;

	map_name_key(name, strlen(name), &key);
	if ((text = buf_cstr(&key)) == NULL || grow_names(r, f) < 0 ||
	    (2 * (r->count + 1) > r->slot_count && grow_slots(r, f) < 0)) {
		(void)fault_set(f, FAULT_MEMORY, "requests");
		return NULL;
	}
	n = &r->names[r->count];
	*n = (struct named){ .name = strdup(name), .key = strdup(text) };
	if (n->name == NULL || n->key == NULL) {
		free(n->name);
		free(n->key);
		(void)fault_set(f, FAULT_MEMORY, "requests");
		return NULL;
	}
	r->slots[slot_of(r, text)] = (uint32_t)++r->count;
	return n;
}

static void
drop_account(struct named *n, const char *account)
{
	for (size_t i = n->count; i-- > 0;)
		if (strcmp(n->held[i].account, account) == 0)
			drop_held(n, i);
}

static int
hold(struct named *n, const char *account, size_t line, struct fault *f)
{
	char *copy;

	drop_account(n, account);
	if (n->count == HELD_MAX)
		return fault_set(f, FAULT_INPUT,
		    "a name is on more than %d accounts", HELD_MAX);
	if (n->count == n->room) {
		size_t room = n->room == 0 ? 1 : 2 * n->room;
		void *held = realloc(n->held, room * sizeof(*n->held));

		if (held == NULL)
			return fault_set(f, FAULT_MEMORY, "requests");
		n->held = held;
		n->room = room;
	}
	if ((copy = strdup(account)) == NULL)
		return fault_set(f, FAULT_MEMORY, "requests");
	n->held[n->count++] = (struct map_replay_held){ copy, line };
	return 0;
}

static int
put(struct map_replay *r, const struct map_request *req, size_t line,
    struct fault *f)
{
	struct named *n = find(r, req->name);
	char *name;

	if (n == NULL && (n = make(r, req->name, f)) == NULL)
		return -1;
	if (strcmp(n->name, req->name) != 0) {
		if ((name = strdup(req->name)) == NULL)
			return fault_set(f, FAULT_MEMORY, "requests");
		free(n->name);
		n->name = name;
	}
	return hold(n, req->account, line, f);
}

int
map_replay_do(struct map_replay *r, const struct map_request *req, size_t line,
    struct fault *f)
{
	struct named *n;

	switch (req->verb) {
	case MAP_REQUEST_ADD:
	case MAP_REQUEST_APPROVE:
		return put(r, req, line, f);
	case MAP_REQUEST_REMOVE:
		if ((n = find(r, req->name)) != NULL)
			drop_account(n, req->account);
		return 0;
	case MAP_REQUEST_REMOVE_NAME:
		if ((n = find(r, req->name)) != NULL)
			while (n->count > 0)
				drop_held(n, n->count - 1);
		return 0;
	case MAP_REQUEST_REMOVE_ACCOUNT:
		for (size_t i = 0; i < r->count; i++)
			drop_account(&r->names[i], req->account);
		return 0;
	case MAP_REQUEST_ASK:
	case MAP_REQUEST_REFUSE:
	case MAP_REQUEST_VERBS:
		break;
	}
	return 0;
}

int
map_replay_step(void *arg, const struct map_request *req, size_t line,
    struct fault *f)
{
	return map_replay_do(arg, req, line, f);
}

static bool
holds(const struct named *n, const char *account)
{
	if (*account == '\0')
		return n->count > 0;
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->held[i].account, account) == 0)
			return true;
	return false;
}

bool
map_replay_has(const struct map_replay *r, const char *name,
    const char *account)
{
	const struct named *n;

	if (*name != '\0')
		return (n = find(r, name)) != NULL && holds(n, account);
	for (size_t i = 0; i < r->count; i++)
		if (holds(&r->names[i], account))
			return true;
	return false;
}

bool
map_replay_room(const struct map_replay *r, const char *name,
    const char *account)
{
	const struct named *n = find(r, name);

	return n == NULL || n->count < HELD_MAX || holds(n, account);
}

const char *
map_replay_spelling(const struct map_replay *r, const char *name)
{
	const struct named *n = find(r, name);

	return n == NULL || n->count == 0 ? NULL : n->name;
}

size_t
map_replay_count(const struct map_replay *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		count += r->names[i].count > 0;
	return count;
}

int
map_replay_each(const struct map_replay *r, map_replay_fn *fn, void *arg)
{
	struct map_replay_held newest[HELD_MAX];
	int result;

	for (size_t i = 0; i < r->count; i++) {
		const struct named *n = &r->names[i];

		for (size_t j = 0; j < n->count; j++)
			newest[j] = n->held[n->count - 1 - j];
		if (n->count > 0 &&
		    (result = fn(arg, n->name, newest, n->count)) != 0)
			return result;
	}
	return 0;
}
