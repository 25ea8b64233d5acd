#include "trust/store.h"

#include "base/fault.h"
#include "base/text.h"
#include "trust/store_lists.h"
#include "trust/store_load.h"
#include "trust/store_part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
trust_free(struct trust_store *store)
{
	if (store == NULL)
		return;
	store_reading_free(store->reading);
	free(store->record);
	free(store->bucket);
	free(store->after);
	shelf_free(store->shelf);
	stamps_free(store->stamps);
	known_free(store->known);
	free(store);
}

/* All of it now. */
static struct trust_store *
load_whole(const struct store_wish *wish, struct fault *f)
{
	OWN_STRUCT(store_load) l = store_load_new(wish, f);
	int done = 0;

	while (l != NULL && done == 0) {
		size_t left = SIZE_MAX;

		done = store_load_step(l, &left, f);
	}
	return done == 1 ? store_load_take(l) : NULL;
}

struct trust_store *
trust_load(const char *dir, bool may_be_empty, trust_complaint_fn *complain,
    void *arg, struct fault *f)
{
	return load_whole(&(struct store_wish){ dir, may_be_empty, NULL, true,
			      complain, arg },
	    f);
}

struct trust_store *
trust_reload(const struct trust_store *old, trust_complaint_fn *complain,
    void *arg, struct fault *f)
{
	return load_whole(&(struct store_wish){ old->dir, old->may_be_empty,
			      old, true, complain, arg },
	    f);
}

void
store_complain(const struct trust_store *store, const char *file,
    const struct fault *f)
{
	if (store->complain != NULL)
		store->complain(store->complain_arg, file, f);
}

struct trust_anchor *
store_next_of_hash(const struct trust_store *store, const char *name,
    size_t *at)
{
	while (*at < store->records) {
		struct trust_anchor *r = &store->record[(*at)++];

		if (memcmp(r->hash, name, 8) == 0)
			return r;
	}
	return NULL;
}

/* Where a name falls (FNV-1a). */
size_t
store_bucket(const struct trust_store *store, const struct dn *name)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < name->len; i++)
		hash = (hash ^ name->der[i]) * 1099511628211u;
	return (size_t)(hash ^ hash >> 32) & (store->buckets - 1);
}

size_t
trust_read(const struct trust_store *store)
{
	return shelf_fresh(store->shelf);
}

struct known *
trust_known(const struct trust_store *store)
{
	return store->known;
}

bool
trust_changed(const struct trust_store *store)
{
	return stamps_changed(store->stamps) || shelf_stale(store->shelf);
}

void
trust_demand(struct trust_store *store, unsigned flags)
{
	store->demands = flags;
}

unsigned
trust_demands(const struct trust_store *store)
{
	return store->demands;
}

void
trust_be_patient(struct trust_store *store, size_t at_once)
{
	store->at_once = at_once;
}

const char *
trust_dir(const struct trust_store *store)
{
	return store->dir;
}

size_t
trust_count(const struct trust_store *store)
{
	return store->anchors;
}

const struct trust_anchor *
trust_at(const struct trust_store *store, size_t i)
{
	return i < store->anchors ? &store->record[i] : NULL;
}

static const struct trust_anchor *
next_anchor(const struct trust_store *store, const struct dn *name, size_t *at)
{
	size_t i;

	if (*at >= store->anchors)
		return NULL;
	for (i = store->bucket[store_bucket(store, name)]; i != 0;
	     i = store->after[i]) {
		const struct trust_anchor *r = &store->record[i - 1];

		if (i <= *at || !dn_equal(&r->cert->subject, name))
			continue;
		*at = i;
		return r;
	}
	*at = store->anchors;
	return NULL;
}

const struct trust_anchor *
trust_next_of(const struct trust_store *store, const struct dn *name,
    size_t *at)
{
	const struct trust_anchor *r = next_anchor(store, name, at);
	struct fault ignored = { 0 };
	size_t first = 0;
	char hash[9];

	/* Hashing costs more than looking through the anchors. */
	if (r != NULL || *at >= store->records ||
	    next_anchor(store, name, &first) != NULL ||
	    dn_hash(name, hash, &ignored) < 0)
		return r;
	while ((r = store_next_of_hash(store, hash, at)) != NULL)
		if (r->cert == NULL)
			return r;
	return NULL;
}

const struct trust_anchor *
trust_find_issuer(const struct trust_store *store, const struct cert *cert)
{
	struct fault ignored = { 0 };
	const struct trust_anchor *r;
	size_t at = 0;

	while ((r = trust_next_of(store, &cert->issuer, &at)) != NULL)
		if (r->cert != NULL &&
		    cert_check_signature(cert, r->cert, &ignored) == 0)
			return r;
	return NULL;
}

static bool
home_dir(char *path, size_t size)
{
	const char *home = getenv("HOME");

	return home != NULL && home[0] == '/' &&
	    text_fmt(path, size, "%s/.globus/certificates", home) == 0;
}

static int
find_dir(const char *option, bool install, char *path, size_t size,
    struct fault *f)
{
	const char *env = getenv("X509_CERT_DIR");

	if (option == NULL && env != NULL && env[0] != '\0')
		option = env;
	if (option == NULL && home_dir(path, size) &&
	    ((install && geteuid() != 0) || access(path, F_OK) == 0))
		return 0;
	if (option == NULL)
		option = "/etc/grid-security/certificates";
	if (text_copy(path, size, option) < 0)
		return fault_set(f, FAULT_INPUT,
		    "the path of the trust directory is too long");
	return 0;
}

int
trust_default_dir(const char *option, char *path, size_t size, struct fault *f)
{
	return find_dir(option, false, path, size, f);
}

int
trust_install_dir(const char *option, char *path, size_t size, struct fault *f)
{
	return find_dir(option, true, path, size, f);
}
