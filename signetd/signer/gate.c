#include "signetd/signer/gate.h"

#include "base/fault.h"
#include "base/secret.h"
#include "token/token_uri.h"
#include "x509/tbs.h"

#include <stdlib.h>
#include <string.h>

struct gate_ca {
	struct authority authority;
	struct key *key; /* NULL: it is in a token */
	bool borrowed;	 /* from the gate before, until gate_take_over() */
};

struct gate {
	size_t count;
	struct gate_ca ca[GATE_CAS_MAX];
};

struct gate *
gate_new(struct fault *f)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (gate == NULL)
		(void)fault_set(f, FAULT_MEMORY, "no room for the CAs");
	return gate;
}

void
gate_free(struct gate *gate)
{
	if (gate == NULL)
		return;
	for (size_t i = 0; i < gate->count; i++) {
		authority_clear(&gate->ca[i].authority);
		if (!gate->ca[i].borrowed)
			key_free(gate->ca[i].key);
	}
	free(gate);
}

static const struct gate_ca *
find(const struct gate *gate, const char *name)
{
	for (size_t i = 0; i < gate->count; i++)
		if (strcmp(gate->ca[i].authority.conf.name, name) == 0)
			return &gate->ca[i];
	return NULL;
}

static bool
is_same(const struct spki *a, const struct spki *b)
{
	return a->der.len == b->der.len &&
	    memcmp(a->der.data, b->der.data, a->der.len) == 0;
}

static bool
belong_together(const struct key *key, const struct authority *authority)
{
	return key != NULL && is_same(key_spki(key), &authority->cert->spki);
}

static struct key *
find_key(const struct gate *old, const struct authority *authority)
{
	for (size_t i = 0; old != NULL && i < old->count; i++)
		if (belong_together(old->ca[i].key, authority))
			return old->ca[i].key;
	return NULL;
}

static int
get_key(struct gate_ca *ca, struct wire_bytes key, struct wire_bytes phrase,
    const struct gate *old, struct fault *f)
{
	if (key.len > 0) {
		OWN_STRUCT(secret) s = NULL;

		if (phrase.len > 0 &&
		    (s = secret_copy(phrase.data, phrase.len, f)) == NULL)
			return -1;
		ca->key = key_read_pem(key.data, key.len, s, f);
		if (ca->key == NULL)
			return fault_wrap(f, "key of %s",
			    ca->authority.conf.name);
	} else {
		ca->key = find_key(old, &ca->authority);
		ca->borrowed = true;
	}
	if (ca->key == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "a new key of %s is only read at a restart",
		    ca->authority.conf.name);
	if (!belong_together(ca->key, &ca->authority))
		return fault_set(f, FAULT_CONFIG,
		    "the key of %s is not that of its certificate",
		    ca->authority.conf.name);
	return 0;
}

static bool
names_token(const struct gate_ca *ca)
{
	return token_uri_named(ca->authority.conf.key,
	    ca->authority.conf.key_module);
}

/* The process that has the token knows the key from its start on. */
static int
check_token(const struct gate_ca *ca, const struct gate *old, struct fault *f)
{
	const struct gate_ca *before =
	    old == NULL ? NULL : find(old, ca->authority.conf.name);

	if (old == NULL ||
	    (before != NULL && before->key == NULL &&
		is_same(&before->authority.cert->spki,
		    &ca->authority.cert->spki)))
		return 0;
	return fault_set(f, FAULT_CONFIG,
	    "a new key of %s is only taken at a restart",
	    ca->authority.conf.name);
}

int
gate_add(struct gate *gate, struct wire_bytes conf, struct wire_bytes cert,
    struct wire_bytes key, struct wire_bytes phrase, const struct gate *old,
    struct fault *f)
{
	struct gate_ca *ca = &gate->ca[gate->count];

	if (gate->count == GATE_CAS_MAX)
		return fault_set(f, FAULT_CONFIG, "more than %d CAs",
		    GATE_CAS_MAX);
	if (authority_read(&ca->authority, (const char *)conf.data, conf.len,
		cert.data, cert.len, f) < 0)
		return -1;
	if (find(gate, ca->authority.conf.name) != NULL) {
		(void)fault_set(f, FAULT_CONFIG, "two CAs are called %s",
		    ca->authority.conf.name);
		authority_clear(&ca->authority);
		return -1;
	}
	gate->count++;
	if (names_token(ca))
		return check_token(ca, old, f);
	return get_key(ca, key, phrase, old, f);
}

void
gate_take_over(struct gate *gate, struct gate *old)
{
	for (size_t i = 0; i < gate->count; i++) {
		struct gate_ca *ca = &gate->ca[i];

		for (size_t j = 0; ca->borrowed && j < old->count; j++)
			if (old->ca[j].key == ca->key && !old->ca[j].borrowed) {
				old->ca[j].borrowed = true;
				ca->borrowed = false;
			}
	}
}

size_t
gate_count(const struct gate *gate)
{
	return gate->count;
}

int
gate_sign(const struct gate *gate, const char *name, struct wire_bytes tbs,
    time_t now, struct buf *signature, struct fault *f)
{
	const struct gate_ca *ca = find(gate, name);

	if (ca == NULL)
		return fault_set(f, FAULT_DENIED, "no CA is called %s", name);
	if (ca->key == NULL)
		return fault_set(f, FAULT_INTERNAL, "%s: no key here", name);
	if (tbs_check(tbs, &ca->authority, now, f) < 0)
		return fault_wrap(f, "%s", name);
	return key_sign(ca->key, tbs, signature, f);
}

bool
gate_in_token(const struct gate *gate, size_t n)
{
	return n < gate->count && gate->ca[n].key == NULL;
}

const char *
gate_name(const struct gate *gate, size_t n)
{
	return gate->ca[n].authority.conf.name;
}

int
gate_find(const struct gate *gate, const char *name)
{
	const struct gate_ca *ca = find(gate, name);

	return ca == NULL ? -1 : (int)(ca - gate->ca);
}

int
gate_digest(const struct gate *gate, size_t n, struct wire_bytes tbs,
    time_t now, struct gate_digest *digest, struct fault *f)
{
	const struct authority *a = &gate->ca[n].authority;
	OWN_STRUCT(key_hash) hash = NULL;

	if (tbs_check(tbs, a, now, f) < 0)
		return fault_wrap(f, "%s", a->conf.name);
	if ((hash = key_hash_new(a->cert->spki.kind, f)) == NULL)
		return -1;
	key_hash_add(hash, tbs);
	return key_hash_end(hash, digest->data, &digest->len, f);
}

int
gate_verify(const struct gate *gate, size_t n, const struct gate_digest *digest,
    struct wire_bytes signature, struct fault *f)
{
	return key_digest_verify(&gate->ca[n].authority.cert->spki,
	    (struct wire_bytes){ digest->data, digest->len }, signature, f);
}

const struct authority *
gate_authority(const struct gate *gate, const char *name)
{
	const struct gate_ca *ca = find(gate, name);

	return ca != NULL ? &ca->authority : NULL;
}

const struct key *
gate_key(const struct gate *gate, const char *name)
{
	const struct gate_ca *ca = find(gate, name);

	return ca != NULL ? ca->key : NULL;
}
