#include "roster/roster_intern.h"

#include "base/fault.h"
#include "base/rand.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_FIRST 1024u

static uint64_t
rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* SipHash-1-3, on words of this machine's byte order: it never leaves it. */
uint64_t
roster_hash(const uint64_t key[2], const void *data, size_t len)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575u,
		key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
		key[1] ^ 0x7465646279746573u };
	const uint8_t *at = data;
	uint64_t word, last = (uint64_t)len << 56;

	for (; len >= 8; at += 8, len -= 8) {
		memcpy(&word, at, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)at[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
roster_intern_init(struct roster_intern *in)
{
	*in = (struct roster_intern){ 0 };
	rand_bytes(in->key, sizeof(in->key));
}

void
roster_intern_free(struct roster_intern *in)
{
	for (uint32_t i = 0; i < in->count; i++)
		free(in->words[i]);
	free(in->words);
	free(in->table);
	*in = (struct roster_intern){ 0 };
}

static uint64_t
hash_of(const struct roster_intern *in, uint32_t tag, const char *text,
    size_t len)
{
	const uint64_t key[2] = { in->key[0] ^ tag, in->key[1] };

	return roster_hash(key, text, len);
}

/* Where the text is in the table, or the free place for it. */
static uint32_t
place(const struct roster_intern *in, uint64_t hash, uint32_t tag,
    const char *text, size_t len)
{
	uint32_t mask = in->table_size - 1, at = (uint32_t)hash & mask;

	for (; in->table[at] != 0; at = (at + 1) & mask) {
		const struct roster_word *w = in->words[in->table[at] - 1];

		if (w->hash == hash && w->tag == tag && w->len == len &&
		    memcmp(w->text, text, len) == 0)
			break;
	}
	return at;
}

static int
grow_table(struct roster_intern *in, struct fault *f)
{
	uint32_t size = in->table_size == 0 ? TABLE_FIRST : in->table_size * 2;
	uint32_t *table = calloc(size, sizeof(*table));

	if (table == NULL)
		return fault_set(f, FAULT_MEMORY, "%u names", in->count);
	for (uint32_t i = 0; i < in->count; i++) {
		uint32_t at = (uint32_t)in->words[i]->hash & (size - 1);

		while (table[at] != 0)
			at = (at + 1) & (size - 1);
		table[at] = i + 1;
	}
	free(in->table);
	in->table = table;
	in->table_size = size;
	return 0;
}

static int
make_room(struct roster_intern *in, struct fault *f)
{
	uint32_t room = in->room == 0 ? 256 : in->room * 2;
	struct roster_word **words;

	if (in->table_size <= in->count * 2 && grow_table(in, f) < 0)
		return -1;
	if (in->count < in->room)
		return 0;
	if (room > UINT32_MAX / 4 ||
	    (words = reallocarray(in->words, room, sizeof(void *))) == NULL)
		return fault_set(f, FAULT_MEMORY, "%u names", room);
	in->words = words;
	in->room = room;
	return 0;
}

uint32_t
roster_intern_add(struct roster_intern *in, uint32_t tag, const char *text,
    size_t len, struct fault *f)
{
	uint64_t hash = hash_of(in, tag, text, len);
	struct roster_word *word;
	uint32_t at;

	if (make_room(in, f) < 0)
		return UINT32_MAX;
	at = place(in, hash, tag, text, len);
	if (in->table[at] != 0)
		return in->table[at] - 1;
	if (len > UINT32_MAX / 2 ||
	    (word = malloc(sizeof(*word) + len + 1)) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a name of %zu bytes", len);
		return UINT32_MAX;
	}
	*word = (struct roster_word){ hash, tag, (uint32_t)len };
	memcpy(word->text, text, len);
	word->text[len] = '\0';
	in->words[in->count] = word;
	in->table[at] = ++in->count;
	in->bytes += sizeof(*word) + len + 1;
	return in->count - 1;
}

uint32_t
roster_intern_find(const struct roster_intern *in, uint32_t tag,
    const char *text, size_t len)
{
	uint32_t at;

	if (in->table_size == 0)
		return UINT32_MAX;
	at = place(in, hash_of(in, tag, text, len), tag, text, len);
	return in->table[at] == 0 ? UINT32_MAX : in->table[at] - 1;
}

const char *
roster_intern_text(const struct roster_intern *in, uint32_t number)
{
	return in->words[number]->text;
}
