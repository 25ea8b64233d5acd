#include "trust/known.h"

#include "base/fault.h"
#include "x509/key_hash.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 4096
#define WAYS 4 /* places that one may be at */
#define ID_SIZE 32

struct known {
	unsigned users;
	unsigned next; /* which of the ways is given up next */
	uint8_t id[PLACES][ID_SIZE];
};

struct known *
known_new(struct fault *f)
{
	struct known *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "signatures that are known");
		return NULL;
	}
	k->users = 1;
	return k;
}

struct known *
known_hold(struct known *k)
{
	k->users++;
	return k;
}

void
known_free(struct known *k)
{
	if (k != NULL && --k->users == 0)
		free(k);
}

/* Each part with its length before it, so that no two lists of parts are the
 * same octets. */
static void
add_part(struct key_hash *hash, struct wire_bytes part)
{
	uint8_t len[8];

	for (int i = 0; i < 8; i++)
		len[i] = (uint8_t)((uint64_t)part.len >> (8 * i));
	key_hash_add(hash, (struct wire_bytes){ len, sizeof(len) });
	key_hash_add(hash, part);
}

static int
identify(uint8_t id[ID_SIZE], const struct wire_bytes *parts, size_t count,
    struct fault *f)
{
	OWN_STRUCT(key_hash) hash = key_hash_new(KEY_P256, f);
	uint8_t digest[KEY_HASH_MAX];
	size_t len = 0;

	if (hash == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		add_part(hash, parts[i]);
	if (key_hash_end(hash, digest, &len, f) < 0)
		return -1;
	memcpy(id, digest, ID_SIZE);
	return 0;
}

static size_t
place_of(const uint8_t id[ID_SIZE])
{
	return (size_t)(id[0] | id[1] << 8) % (PLACES / WAYS) * WAYS;
}

static bool
has(const struct known *k, const uint8_t id[ID_SIZE])
{
	size_t place = place_of(id);

	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(k->id[place + i], id, ID_SIZE) == 0)
			return true;
	return false;
}

static void
learn(struct known *k, const uint8_t id[ID_SIZE])
{
	static const uint8_t nothing[ID_SIZE];
	size_t place = place_of(id);

	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(k->id[place + i], nothing, ID_SIZE) == 0) {
			memcpy(k->id[place + i], id, ID_SIZE);
			return;
		}
	memcpy(k->id[place + k->next++ % WAYS], id, ID_SIZE);
}

int
known_check_cert(struct known *k, const struct cert *cert,
    const struct cert *issuer, struct fault *f)
{
	const struct wire_bytes parts[] = { { cert->der, cert->len },
		issuer->spki.der };
	uint8_t id[ID_SIZE];

	if (identify(id, parts, sizeof(parts) / sizeof(parts[0]), f) < 0)
		return -1;
	if (has(k, id))
		return 0;
	if (cert_check_signature(cert, issuer, f) < 0)
		return -1;
	learn(k, id);
	return 0;
}

int
known_check_crl(struct known *k, const struct crl_index *crl,
    const struct cert *issuer, struct fault *f)
{
	const struct crl *head = crl_index_head(crl);
	/* The issuer whole: what it says decides who may sign a list. */
	const struct wire_bytes parts[] = { crl_index_digest(crl),
		head->algorithm, head->signature,
		{ issuer->der, issuer->len } };
	uint8_t id[ID_SIZE];

	if (identify(id, parts, sizeof(parts) / sizeof(parts[0]), f) < 0)
		return -1;
	if (has(k, id))
		return 0;
	if (crl_index_check(crl, issuer, f) < 0)
		return -1;
	learn(k, id);
	return 0;
}
