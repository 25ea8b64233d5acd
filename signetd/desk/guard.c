#include "signetd/desk/guard.h"

#include "base/fault.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 1024

struct guard {
	struct place {
		uint64_t source;
		int64_t since;
		unsigned failures;
	} place[PLACES];
};

struct guard *
guard_new(struct fault *f)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (g == NULL)
		(void)fault_set(f, FAULT_MEMORY, "no room for a guard");
	return g;
}

void
guard_free(struct guard *g)
{
	free(g);
}

/* FNV-1a; a collision costs a stranger another's tries. */
static uint64_t
mix(uint64_t seed, const void *data, size_t len)
{
	const uint8_t *at = data;
	uint64_t hash = 0xcbf29ce484222325u ^ seed;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	return hash;
}

uint64_t
guard_name(const char *principal)
{
	return mix(2, principal, strlen(principal));
}

uint64_t
guard_uid(uint32_t uid)
{
	return mix(1, &uid, sizeof(uid));
}

uint64_t
guard_address(const struct sockaddr *from)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (from->sa_family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		return mix(4, &four.sin_addr, sizeof(four.sin_addr));
	}
	if (from->sa_family != AF_INET6)
		return 0;
	memcpy(&six, from, sizeof(six));
	if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		return mix(4, &six.sin6_addr.s6_addr[12], 4);
	return mix(6, &six.sin6_addr, 8);
}

bool
guard_turns_away(const struct guard *g, uint64_t source, int64_t now)
{
	const struct place *p = &g->place[source % PLACES];

	return p->source == source && p->failures >= GUARD_TRIES &&
	    now - p->since < GUARD_WINDOW_MS;
}

void
guard_failed(struct guard *g, uint64_t source, int64_t now)
{
	struct place *p = &g->place[source % PLACES];

	if (p->source != source || now - p->since >= GUARD_WINDOW_MS)
		*p = (struct place){ .source = source, .since = now };
	p->failures++;
}
