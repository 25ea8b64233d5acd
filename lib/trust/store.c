#include "trust/store.h"

#include "base/fault.h"
#include "base/text.h"
#include "trust/shelf.h"
#include "trust/stamp.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANCHORS_MAX 4096

/*
 * Records live in one array: anchors first, then those that have a signing
 * policy or a CRL but no certificate.
 */
struct trust_store {
	char dir[PATH_MAX];
	bool may_be_empty;
	unsigned demands;
	struct stamps *stamps;
	struct shelf *shelf; /* what records point into */
	struct known *known;
	struct trust_anchor *record;
	size_t records;
	size_t anchors;
	size_t buckets; /* a power of two */
	size_t *bucket; /* owned; the first anchor of names that fall there, */
	size_t *after;	/* owned; and the next one: both plus one, 0: none */
};

/* A load under way. */
struct load {
	struct trust_store *store;
	const struct shelf *old; /* NULL: none */
	trust_complaint_fn *complain;
	void *arg;
};

/* What is done with the ${at}th file. */
typedef int read_fn(struct load *l, size_t at, struct fault *f);

void
trust_free(struct trust_store *store)
{
	if (store == NULL)
		return;
	free(store->record);
	free(store->bucket);
	free(store->after);
	shelf_free(store->shelf);
	stamps_free(store->stamps);
	known_free(store->known);
	free(store);
}

static struct trust_anchor *
record_new(struct trust_store *store, const char *hash, struct fault *f)
{
	struct trust_anchor *more;
	struct trust_anchor *r;

	if (store->records == ANCHORS_MAX) {
		(void)fault_set(f, FAULT_INPUT, "more than %d CAs",
		    ANCHORS_MAX);
		return NULL;
	}
	more = reallocarray(store->record, store->records + 1, sizeof(*more));
	if (more == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust store");
		return NULL;
	}
	store->record = more;
	r = &more[store->records++];
	*r = (struct trust_anchor){ .cert = NULL };
	memcpy(r->hash, hash, 8);
	return r;
}

/* The ${at}th file; NULL and a fault if it is no good. */
static const struct shelf_file *
get(struct load *l, size_t at, enum shelf_kind kind, struct fault *f)
{
	const struct stamps *stamps = l->store->stamps;
	const struct shelf_file *file =
	    shelf_get(l->store->shelf, l->old, stamps_fd(stamps),
		stamps_name(stamps, at), kind, stamps_state(stamps, at), f);

	if (file == NULL)
		return NULL;
	if (file->bad.code == FAULT_NONE)
		return file;
	*f = file->bad;
	return NULL;
}

static bool
is_known(const struct trust_store *store, const struct cert *cert)
{
	for (size_t i = 0; i < store->records; i++) {
		const struct cert *one = store->record[i].cert;

		if (one == cert ||
		    (one->len == cert->len &&
			memcmp(one->der, cert->der, cert->len) == 0))
			return true;
	}
	return false;
}

static int
read_anchor(struct load *l, size_t at, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, at);
	const struct shelf_file *file = get(l, at, SHELF_ANCHOR, f);
	struct trust_anchor *r;

	if (file == NULL)
		return -1;
	if (memcmp(name, file->hash, 8) != 0 &&
	    (file->old_hash[0] == '\0' || memcmp(name, file->old_hash, 8) != 0))
		return fault_set(f, FAULT_INPUT,
		    "the hash of the name of its certificate is %s",
		    file->hash);
	if (!is_known(l->store, file->cert)) {
		if ((r = record_new(l->store, file->hash, f)) == NULL)
			return -1;
		r->cert = file->cert;
		l->store->anchors++;
	}
	if (file->more)
		return fault_set(f, FAULT_INPUT,
		    "only the first certificate of this file is trusted");
	return 0;
}

/* The next record for ${name}'s hash from *${at} on. */
static struct trust_anchor *
next_of_hash(const struct trust_store *store, const char *name, size_t *at)
{
	while (*at < store->records) {
		struct trust_anchor *r = &store->record[(*at)++];

		if (memcmp(r->hash, name, 8) == 0)
			return r;
	}
	return NULL;
}

/* Make sure there is a record for ${name}'s hash. */
static int
want_record(struct trust_store *store, const char *name, struct fault *f)
{
	size_t at = 0;

	if (next_of_hash(store, name, &at) != NULL)
		return 0;
	return record_new(store, name, f) == NULL ? -1 : 0;
}

static int
read_policy(struct load *l, size_t i, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, i);
	const struct shelf_file *file;
	struct trust_anchor *r;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0 ||
	    (file = get(l, i, SHELF_POLICY, f)) == NULL)
		return -1;
	while ((r = next_of_hash(l->store, name, &at)) != NULL) {
		r->policy = &file->policy;
		r->has_policy = true;
	}
	return 0;
}

static int
read_namespaces(struct load *l, size_t i, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, i);
	const struct shelf_file *file;
	struct trust_anchor *r;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0)
		return -1;
	file = get(l, i, SHELF_NAMESPACES, f);
	while ((r = next_of_hash(l->store, name, &at)) != NULL) {
		r->bad_namespaces = file == NULL;
		r->namespaces = file == NULL ? NULL : &file->namespaces;
	}
	return file == NULL ? -1 : 0;
}

static int
read_optional(struct load *l, size_t i, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, i);
	struct trust_anchor *r;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0)
		return -1;
	while ((r = next_of_hash(l->store, name, &at)) != NULL)
		r->crl_optional = true;
	return 0;
}

/* Whether ${fresh} was issued after what ${r} has. */
static bool
newer(const struct trust_anchor *r, const struct crl_index *fresh)
{
	return r->crl == NULL ||
	    crl_index_head(fresh)->this_update >
	    crl_index_head(r->crl)->this_update;
}

/* Give ${crl} to each record of its hash whose CA made it. */
static int
share_crl(struct load *l, const char *name, const struct crl_index *crl,
    struct fault *f)
{
	struct trust_anchor *r;
	bool taken = false;
	size_t at = 0;

	(void)fault_set(f, FAULT_INPUT, "another CA's CRL");
	while ((r = next_of_hash(l->store, name, &at)) != NULL) {
		if (r->cert != NULL &&
		    (!dn_equal(&crl_index_head(crl)->issuer,
			 &r->cert->subject) ||
			known_check_crl(l->store->known, crl, r->cert, f) < 0))
			continue;
		if (newer(r, crl))
			r->crl = crl;
		taken = true;
	}
	return taken ? 0 : -1;
}

static int
read_crl(struct load *l, size_t i, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, i);
	const struct shelf_file *file;
	struct trust_anchor *r;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0)
		return -1;
	if ((file = get(l, i, SHELF_CRL, f)) != NULL &&
	    share_crl(l, name, file->crl, f) == 0)
		return 0;
	while ((r = next_of_hash(l->store, name, &at)) != NULL)
		r->crl_bad = true;
	return -1;
}

/* "01234567.0", "01234567.r0", "01234567.signing_policy". */
static read_fn *
reader_of(const char *name)
{
	static const struct {
		const char *ending;
		read_fn *read;
	} texts[] = { { "signing_policy", read_policy },
		{ "namespaces", read_namespaces },
		{ "crl_optional", read_optional } };
	const char *end = name + strspn(name, "0123456789abcdef");

	if (end - name != 8 || *end++ != '.')
		return NULL;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(end, texts[i].ending) == 0)
			return texts[i].read;
	if (*end == 'r')
		return end[1] != '\0' &&
			end[1 + strspn(end + 1, "0123456789")] == '\0'
		    ? read_crl
		    : NULL;
	return *end != '\0' && end[strspn(end, "0123456789")] == '\0'
	    ? read_anchor
	    : NULL;
}

static void
read_all(struct load *l, read_fn *read)
{
	const char *name;

	for (size_t i = 0; (name = stamps_name(l->store->stamps, i)) != NULL;
	     i++) {
		struct fault f = { 0 };

		if (reader_of(name) == read && read(l, i, &f) < 0 &&
		    l->complain != NULL)
			l->complain(l->arg, name, &f);
	}
}

static bool
wanted(const char *name)
{
	return reader_of(name) != NULL;
}

/* Where a name falls (FNV-1a). */
static size_t
bucket_of(const struct trust_store *store, const struct dn *name)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < name->len; i++)
		hash = (hash ^ name->der[i]) * 1099511628211u;
	return (size_t)(hash ^ hash >> 32) & (store->buckets - 1);
}

/* Anchors by name, those of one bucket in their order. */
static int
index_names(struct trust_store *store, struct fault *f)
{
	store->buckets = 16;
	while (store->buckets < 2 * store->anchors)
		store->buckets *= 2;
	store->bucket = calloc(store->buckets, sizeof(size_t));
	store->after = calloc(store->anchors + 1, sizeof(size_t));
	if (store->bucket == NULL || store->after == NULL)
		return fault_set(f, FAULT_MEMORY, "trust store");
	for (size_t i = store->anchors; i > 0; i--) {
		size_t *first = &store->bucket[bucket_of(store,
		    &store->record[i - 1].cert->subject)];

		store->after[i] = *first;
		*first = i;
	}
	return 0;
}

/* Fill ${store} from its directory as it is now. */
static int
fill(struct trust_store *store, const struct trust_store *old,
    trust_complaint_fn *complain, void *arg, struct fault *f)
{
	struct load l = { store, old == NULL ? NULL : old->shelf, complain,
		arg };

	/* Taken before the files are read, so that no change goes unseen. */
	if ((store->shelf = shelf_new(f)) == NULL ||
	    (store->stamps = stamps_new(store->dir, wanted, f)) == NULL)
		return -1;
	read_all(&l, read_anchor);
	read_all(&l, read_policy);
	read_all(&l, read_namespaces);
	read_all(&l, read_optional);
	read_all(&l, read_crl);
	stamps_close(store->stamps);
	for (size_t i = 0; i < store->records; i++)
		if (store->record[i].crl != NULL)
			store->record[i].crl_bad = false;
	if (store->anchors == 0 && !store->may_be_empty)
		return fault_set(f, FAULT_UNTRUSTED,
		    "no trusted CA in %s: install trust roots there",
		    store->dir);
	return index_names(store, f);
}

static struct trust_store *
load_once(const char *dir, bool may_be_empty, const struct trust_store *old,
    trust_complaint_fn *complain, void *arg, struct fault *f)
{
	OWN_STRUCT(trust_store) store = calloc(1, sizeof(*store));

	if (store == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust store");
		return NULL;
	}
	store->may_be_empty = may_be_empty;
	store->known = old != NULL ? known_hold(old->known) : known_new(f);
	if (store->known == NULL)
		return NULL;
	if (text_copy(store->dir, sizeof(store->dir), dir) < 0) {
		(void)fault_set(f, FAULT_INPUT, "the path is too long");
		return NULL;
	}
	return fill(store, old, complain, arg, f) < 0 ? NULL : TAKE(store);
}

struct trust_store *
trust_load(const char *dir, bool may_be_empty, trust_complaint_fn *complain,
    void *arg, struct fault *f)
{
	return load_once(dir, may_be_empty, NULL, complain, arg, f);
}

struct trust_store *
trust_reload(const struct trust_store *old, trust_complaint_fn *complain,
    void *arg, struct fault *f)
{
	struct trust_store *store =
	    load_once(old->dir, old->may_be_empty, old, complain, arg, f);

	if (store != NULL)
		store->demands = old->demands;
	return store;
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
	return stamps_changed(store->stamps);
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
	for (i = store->bucket[bucket_of(store, name)]; i != 0;
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
	while ((r = next_of_hash(store, hash, at)) != NULL)
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
