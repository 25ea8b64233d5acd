#include "signetd/issuer/ticket.h"

#include "base/fault.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

struct ticket {
	uint8_t value[TICKET_SIZE];
	int64_t until;
	struct msg_vouch vouch;
};

/* The live ones lie side by side, in no order: few are live at a time, and
 * all of them are looked at whatever is asked for. */
struct ticket_table {
	size_t count;
	size_t most;
	struct ticket ticket[];
};

struct ticket_table *
ticket_table_new(size_t most, struct fault *f)
{
	struct ticket_table *t =
	    calloc(1, sizeof(*t) + most * sizeof(t->ticket[0]));

	if (t == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for tickets");
		return NULL;
	}
	t->most = most;
	return t;
}

void
ticket_table_free(struct ticket_table *t)
{
	if (t == NULL)
		return;
	explicit_bzero(t->ticket, t->count * sizeof(t->ticket[0]));
	free(t);
}

size_t
ticket_count(const struct ticket_table *t)
{
	return t->count;
}

static void
drop(struct ticket_table *t, size_t at)
{
	t->count--;
	if (at != t->count)
		t->ticket[at] = t->ticket[t->count];
	explicit_bzero(&t->ticket[t->count], sizeof(t->ticket[0]));
}

static void
drop_expired(struct ticket_table *t, int64_t now)
{
	for (size_t i = t->count; i > 0; i--)
		if (t->ticket[i - 1].until <= now)
			drop(t, i - 1);
}

/* The place of ${value}, or ${count}. */
static size_t
find(const struct ticket_table *t, struct wire_bytes value)
{
	size_t found = t->count;

	if (value.len != TICKET_SIZE)
		return found;
	for (size_t i = 0; i < t->count; i++)
		if (CRYPTO_memcmp(t->ticket[i].value, value.data,
			TICKET_SIZE) == 0)
			found = i;
	return found;
}

int
ticket_put(struct ticket_table *t, const struct msg_vouch *vouch, int64_t now,
    struct fault *f)
{
	int64_t valid = vouch->valid_ms < TICKET_LONGEST_MS ? vouch->valid_ms
							    : TICKET_LONGEST_MS;
	struct ticket *slot;
	size_t twin;

	drop_expired(t, now);
	if (vouch->ticket.len != TICKET_SIZE || valid == 0 ||
	    *vouch->subject == '\0' || *vouch->principal == '\0')
		return fault_set(f, FAULT_INPUT, "malformed ticket");
	if ((twin = find(t, vouch->ticket)) != t->count) {
		drop(t, twin);
		return fault_set(f, FAULT_INPUT, "the same ticket twice");
	}
	if (t->count == t->most)
		return fault_set(f, FAULT_BUSY, "%zu tickets are not used yet",
		    t->most);
	slot = &t->ticket[t->count++];
	memcpy(slot->value, vouch->ticket.data, TICKET_SIZE);
	slot->until = now + valid;
	slot->vouch = *vouch;
	slot->vouch.ticket = (struct wire_bytes){ NULL, 0 };
	return 0;
}

bool
ticket_take(struct ticket_table *t, struct wire_bytes ticket, int64_t now,
    struct msg_vouch *vouch)
{
	size_t found;

	drop_expired(t, now);
	if ((found = find(t, ticket)) == t->count)
		return false;
	*vouch = t->ticket[found].vouch;
	drop(t, found);
	return true;
}
