#include "trust/store_load.h"

#include "base/fault.h"
#include "base/text.h"
#include "trust/store_lists.h"
#include "trust/store_part.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ANCHORS_MAX 4096
#define NAMES 32 /* looked at in one go */
#define NAME_COST                                                             \
	256	       /* of a name that is looked at: as many octets take as \
			*/
#define FILE_COST 4096 /* long; of one that is read, beside its octets, */
#define SCANNED 8      /* and so many records are gone through */

/* What is done, one after the other. */
enum stage {
	STAGE_NAMES,
	STAGE_ANCHORS,
	STAGE_POLICIES,
	STAGE_NAMESPACES,
	STAGE_OPTIONAL,
	STAGE_NOTES, /* that there are lists */
	STAGE_INDEX,
	STAGE_HEIRS, /* of lists that the old one has */
	STAGE_LISTS,
	STAGE_WHOLE
};

struct store_load {
	struct trust_store *store;     /* owned */
	const struct trust_store *old; /* NULL: none */
	bool wait;
	enum stage stage;
	size_t at; /* file, or record, of this stage */
};

/* What is done with the ${at}th file. */
typedef int read_fn(struct store_load *l, size_t at, struct fault *f);

static void
spend(size_t *left, size_t cost)
{
	*left -= cost < *left ? cost : *left;
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
get(struct store_load *l, size_t at, enum shelf_kind kind, struct fault *f)
{
	const struct stamps *stamps = l->store->stamps;
	const struct shelf_file *file = shelf_get(l->store->shelf,
	    l->old == NULL ? NULL : l->old->shelf, stamps_fd(stamps),
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
read_anchor(struct store_load *l, size_t at, struct fault *f)
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

/* Make sure there is a record for ${name}'s hash. */
static int
want_record(struct trust_store *store, const char *name, struct fault *f)
{
	size_t at = 0;

	if (store_next_of_hash(store, name, &at) != NULL)
		return 0;
	return record_new(store, name, f) == NULL ? -1 : 0;
}

static int
read_policy(struct store_load *l, size_t i, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, i);
	const struct shelf_file *file;
	struct trust_anchor *r;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0)
		return -1;
	file = get(l, i, SHELF_POLICY, f);
	while ((r = store_next_of_hash(l->store, name, &at)) != NULL) {
		r->bad_policy = file == NULL;
		r->has_policy = file != NULL;
		r->policy = file == NULL ? NULL : &file->policy;
	}
	return file == NULL ? -1 : 0;
}

static int
read_namespaces(struct store_load *l, size_t i, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, i);
	const struct shelf_file *file;
	struct trust_anchor *r;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0)
		return -1;
	file = get(l, i, SHELF_NAMESPACES, f);
	while ((r = store_next_of_hash(l->store, name, &at)) != NULL) {
		r->bad_namespaces = file == NULL;
		r->namespaces = file == NULL ? NULL : &file->namespaces;
	}
	return file == NULL ? -1 : 0;
}

static int
read_optional(struct store_load *l, size_t i, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, i);
	struct trust_anchor *r;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0)
		return -1;
	while ((r = store_next_of_hash(l->store, name, &at)) != NULL)
		r->crl_optional = true;
	return 0;
}

/* Its lists are read when somebody asks. */
static int
note_crl(struct store_load *l, size_t i, struct fault *f)
{
	const char *name = stamps_name(l->store->stamps, i);

	if (want_record(l->store, name, f) < 0)
		return -1;
	store_lists_note(l->store, name);
	return 0;
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
		    ? note_crl
		    : NULL;
	return *end != '\0' && end[strspn(end, "0123456789")] == '\0'
	    ? read_anchor
	    : NULL;
}

static bool
wanted(const char *name)
{
	return reader_of(name) != NULL;
}

/* Read on in the files that ${read} is for: whether all are read. */
static bool
read_some(struct store_load *l, read_fn *read, size_t *left)
{
	struct trust_store *store = l->store;
	const char *name;

	assert(read != NULL);
	while (*left > 0 &&
	    (name = stamps_name(store->stamps, l->at)) != NULL) {
		size_t fresh = shelf_fresh(store->shelf);
		struct fault f = { 0 };

		spend(left, NAME_COST / 4);
		if (reader_of(name) == read) {
			if (read(l, l->at, &f) < 0)
				store_complain(store, name, &f);
			spend(left, store->records / SCANNED);
		}
		if (shelf_fresh(store->shelf) != fresh)
			spend(left,
			    FILE_COST +
				(size_t)stamps_state(store->stamps, l->at)
				    ->st_size);
		l->at++;
	}
	return stamps_name(store->stamps, l->at) == NULL;
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
		size_t *first = &store->bucket[store_bucket(store,
		    &store->record[i - 1].cert->subject)];

		store->after[i] = *first;
		*first = i;
	}
	return 0;
}

static int
step_names(struct store_load *l, size_t *left, struct fault *f)
{
	spend(left, (size_t)NAMES * NAME_COST);
	return stamps_read(l->store->stamps, NAMES, f);
}

static int
step_files(struct store_load *l, size_t *left, struct fault *f)
{
	static read_fn *const readers[] = { [STAGE_ANCHORS] = read_anchor,
		[STAGE_POLICIES] = read_policy,
		[STAGE_NAMESPACES] = read_namespaces,
		[STAGE_OPTIONAL] = read_optional,
		[STAGE_NOTES] = note_crl };

	(void)f;
	return read_some(l, readers[l->stage], left) ? 1 : 0;
}

static int
step_index(struct store_load *l, size_t *left, struct fault *f)
{
	struct trust_store *store = l->store;

	spend(left, store->anchors);
	if (store->anchors == 0 && !store->may_be_empty)
		return fault_set(f, FAULT_UNTRUSTED,
		    "no trusted CA in %s: install trust roots there",
		    store->dir);
	return index_names(store, f) < 0 ? -1 : 1;
}

static int
step_heirs(struct store_load *l, size_t *left, struct fault *f)
{
	struct trust_store *store = l->store;

	(void)f;
	for (; l->old != NULL && l->at<store->records && * left> 0; l->at++) {
		store_lists_inherit(store, l->old, l->at, !l->wait);
		spend(left, 1 + l->old->records / SCANNED);
	}
	return l->old == NULL || l->at == store->records ? 1 : 0;
}

static int
step_lists(struct store_load *l, size_t *left, struct fault *f)
{
	struct trust_store *store = l->store;

	if (!l->wait || store->wanted == 0)
		return 1;
	(void)store_lists_step(store, l->old, left);
	if (*left > 0 && store->wanted > 0 && store->reading == NULL)
		return fault_set(f, FAULT_MEMORY, "trust store");
	return store->wanted == 0 ? 1 : 0;
}

int
store_load_step(struct store_load *l, size_t *left, struct fault *f)
{
	static int (*const steps[])(struct store_load *, size_t *,
	    struct fault *) = { [STAGE_NAMES] = step_names,
		[STAGE_ANCHORS] = step_files,
		[STAGE_POLICIES] = step_files,
		[STAGE_NAMESPACES] = step_files,
		[STAGE_OPTIONAL] = step_files,
		[STAGE_NOTES] = step_files,
		[STAGE_INDEX] = step_index,
		[STAGE_HEIRS] = step_heirs,
		[STAGE_LISTS] = step_lists };

	while (l->stage != STAGE_WHOLE && *left > 0) {
		int done = steps[l->stage](l, left, f);

		if (done < 0)
			return -1;
		if (done == 0)
			continue;
		l->stage++;
		l->at = 0;
	}
	return l->stage == STAGE_WHOLE ? 1 : 0;
}

static struct trust_store *
new_store(const char *dir, const struct trust_store *old, struct fault *f)
{
	OWN_STRUCT(trust_store) store = calloc(1, sizeof(*store));

	if (store == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust store");
		return NULL;
	}
	store->known = old != NULL ? known_hold(old->known) : known_new(f);
	if (store->known == NULL)
		return NULL;
	if (text_copy(store->dir, sizeof(store->dir), dir) < 0) {
		(void)fault_set(f, FAULT_INPUT, "the path is too long");
		return NULL;
	}
	/* Taken before the files are read, so that no change goes unseen. */
	if ((store->shelf = shelf_new(f)) == NULL ||
	    (store->stamps = stamps_open(store->dir, wanted, f)) == NULL)
		return NULL;
	return TAKE(store);
}

struct store_load *
store_load_new(const struct store_wish *wish, struct fault *f)
{
	const struct trust_store *old = wish->old;
	OWN_STRUCT(trust_store) store = new_store(wish->dir, old, f);
	struct store_load *l = calloc(1, sizeof(*l));

	if (store == NULL || l == NULL) {
		if (store != NULL)
			(void)fault_set(f, FAULT_MEMORY, "trust store");
		free(l);
		return NULL;
	}
	store->may_be_empty = wish->may_be_empty;
	store->complain = wish->complain;
	store->complain_arg = wish->arg;
	store->demands = old == NULL ? 0 : old->demands;
	store->at_once = old == NULL ? SIZE_MAX : old->at_once;
	l->store = TAKE(store);
	l->old = old;
	l->wait = wish->wait;
	return l;
}

void
store_load_free(struct store_load *l)
{
	if (l == NULL)
		return;
	trust_free(l->store);
	free(l);
}

struct trust_store *
store_load_take(struct store_load *l)
{
	assert(l->stage == STAGE_WHOLE);
	return TAKE(l->store);
}
