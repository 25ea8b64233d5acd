#include "authn/authn_slow.h"

#include "base/fault.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define FIRST_WAIT_MS 1000
#define HALF_LIFE_MS 600000
#define KEY_SIZE 264
/* Past this many the wait has long reached its longest. */
#define FAILURES_MAX 64

struct entry {
	char key[KEY_SIZE]; /* "u" and the user, or "a" and the address */
	unsigned failures;
	int64_t halved_ms; /* when ${failures} was last halved or begun */
	int64_t last_ms;
	int64_t until_ms;
};

struct authn_slow {
	size_t count;
	size_t used; /* places from here on were never taken */
	unsigned user_tries;
	unsigned address_tries;
	int64_t longest_ms;
	uint64_t *tag; /* of the key: what a search looks at; 0 is free */
	struct entry *entry;
};

struct authn_slow *
authn_slow_new(size_t entries, unsigned user_tries, unsigned address_tries,
    int64_t longest_ms, struct fault *f)
{
	OWN_STRUCT(authn_slow) s = calloc(1, sizeof(*s));

	if (s == NULL || entries == 0 ||
	    (s->tag = calloc(entries, sizeof(*s->tag))) == NULL ||
	    (s->entry = calloc(entries, sizeof(*s->entry))) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a table of %zu", entries);
		return NULL;
	}
	s->count = entries;
	s->user_tries = user_tries;
	s->address_tries = address_tries;
	s->longest_ms = longest_ms;
	return TAKE(s);
}

void
authn_slow_free(struct authn_slow *s)
{
	if (s == NULL)
		return;
	free(s->tag);
	free(s->entry);
	free(s);
}

/* FNV-1a; it only saves comparisons, so nobody gains by a collision. */
static uint64_t
tag_of(const char *key)
{
	uint64_t tag = 14695981039346656037u;

	for (; *key != '\0'; key++)
		tag = (tag ^ (uint8_t)*key) * 1099511628211u;
	return tag == 0 ? 1 : tag;
}

/* The address without its port. */
static void
bare_address(const char *address, char *bare, size_t size)
{
	const char *from = address + (address[0] == '[');
	const char *colon = strchr(from, ':');
	size_t len = strlen(from);

	if (address[0] == '[')
		len = strcspn(from, "]");
	else if (colon != NULL && strchr(colon + 1, ':') == NULL)
		len = (size_t)(colon - from);
	if (len >= size)
		len = size - 1;
	memcpy(bare, from, len);
	bare[len] = '\0';
}

static void
address_key(const char *address, char key[KEY_SIZE])
{
	char bare[KEY_SIZE - 1];
	struct in6_addr v6;

	bare_address(address, bare, sizeof(bare));
	if (inet_pton(AF_INET6, bare, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6))
		memset(v6.s6_addr + 8, 0, 8);
	else if (inet_pton(AF_INET6, bare, &v6) != 1)
		memset(&v6, 0, sizeof(v6));
	key[0] = 'a';
	if (!IN6_IS_ADDR_UNSPECIFIED(&v6))
		(void)inet_ntop(AF_INET6, &v6, bare, sizeof(bare));
	memcpy(key + 1, bare, strlen(bare) + 1);
}

/*
 * A name too long for any account is slowed by its beginning.  To PAM and to
 * directories "Eve" may be "eve": she has no more tries for that.
 */
static void
user_key(const char *user, char key[KEY_SIZE])
{
	size_t len = strnlen(user, KEY_SIZE - 2);

	key[0] = 'u';
	for (size_t i = 0; i < len; i++)
		if (user[i] >= 'A' && user[i] <= 'Z')
			key[1 + i] = (char)(user[i] - 'A' + 'a');
		else
			key[1 + i] = user[i];
	key[1 + len] = '\0';
}

/* Time forgets. */
static void
decay(struct entry *e, int64_t now_ms)
{
	while (e->failures > 0 && now_ms - e->halved_ms >= HALF_LIFE_MS) {
		e->failures /= 2;
		e->halved_ms += HALF_LIFE_MS;
	}
}

static struct entry *
find(struct authn_slow *s, const char *key, int64_t now_ms)
{
	uint64_t tag = tag_of(key);

	for (size_t i = 0; i < s->used; i++)
		if (s->tag[i] == tag && strcmp(s->entry[i].key, key) == 0) {
			decay(&s->entry[i], now_ms);
			return &s->entry[i];
		}
	return NULL;
}

/* A free place, or that of the oldest. */
static struct entry *
make(struct authn_slow *s, const char *key, int64_t now_ms)
{
	size_t best = 0;

	for (size_t i = 0; i < s->count && s->tag[best] != 0; i++)
		if (s->tag[i] == 0 ||
		    s->entry[i].last_ms < s->entry[best].last_ms)
			best = i;
	if (best >= s->used)
		s->used = best + 1;
	s->tag[best] = tag_of(key);
	memset(&s->entry[best], 0, sizeof(s->entry[best]));
	memcpy(s->entry[best].key, key, strlen(key) + 1);
	s->entry[best].halved_ms = now_ms;
	return &s->entry[best];
}

/* Failures that cost the owner of ${key} nothing. */
static unsigned
free_tries(const struct authn_slow *s, const char *key)
{
	return key[0] == 'a' ? s->address_tries : s->user_tries;
}

static int64_t
wait_of(struct authn_slow *s, const char *key, int64_t now_ms)
{
	const struct entry *e = find(s, key, now_ms);

	if (e == NULL || e->failures <= free_tries(s, key) ||
	    e->until_ms <= now_ms)
		return 0;
	return e->until_ms - now_ms;
}

int64_t
authn_slow_wait(struct authn_slow *s, const char *user, const char *address,
    int64_t now_ms)
{
	char key[KEY_SIZE];
	int64_t by_user, by_address;

	user_key(user, key);
	by_user = wait_of(s, key, now_ms);
	address_key(address, key);
	by_address = wait_of(s, key, now_ms);
	return by_user > by_address ? by_user : by_address;
}

static void
count_failure(struct authn_slow *s, const char *key, int64_t now_ms)
{
	struct entry *e = find(s, key, now_ms);
	const unsigned tries = free_tries(s, key);
	int64_t wait = FIRST_WAIT_MS;

	if (e == NULL)
		e = make(s, key, now_ms);
	if (e->failures == 0)
		e->halved_ms = now_ms;
	if (e->failures < tries + FAILURES_MAX)
		e->failures++;
	e->last_ms = now_ms;
	if (e->failures <= tries)
		return;
	for (unsigned i = tries + 1; i < e->failures; i++)
		if (wait < s->longest_ms)
			wait *= 2;
	e->until_ms = now_ms + (wait < s->longest_ms ? wait : s->longest_ms);
}

void
authn_slow_failed(struct authn_slow *s, const char *user, const char *address,
    int64_t now_ms)
{
	char key[KEY_SIZE];

	user_key(user, key);
	count_failure(s, key, now_ms);
	address_key(address, key);
	count_failure(s, key, now_ms);
}

void
authn_slow_passed(struct authn_slow *s, const char *user, const char *address,
    int64_t now_ms)
{
	char key[KEY_SIZE];
	struct entry *e;

	(void)address;
	user_key(user, key);
	if ((e = find(s, key, now_ms)) == NULL)
		return;
	s->tag[e - s->entry] = 0;
	memset(e, 0, sizeof(*e));
}
