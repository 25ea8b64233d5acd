#include "trust/store_lists.h"

#include "base/fault.h"
#include "base/text.h"
#include "trust/store_part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SCANNED 8 /* records in the time that an octet takes */

/* The lists of one CA being read, one file after the other. */
struct store_reading {
	char start[11];		    /* HASH.r */
	size_t at;		    /* of the stamps */
	struct shelf_reading *file; /* owned; NULL: not begun */
	bool gone;		    /* one of them is there no more */
};

void
store_reading_free(struct store_reading *r)
{
	if (r == NULL)
		return;
	shelf_stop(r->file);
	free(r);
}

static void
set_state(struct trust_store *store, const char *hash,
    enum trust_lists_state state)
{
	struct trust_anchor *r;
	size_t at = 0;

	while ((r = store_next_of_hash(store, hash, &at)) != NULL)
		r->lists.state = state;
}

void
store_lists_note(struct trust_store *store, const char *name)
{
	set_state(store, name, TRUST_LISTS_UNREAD);
}

/* Where the names that begin with ${start} begin, in alphabetical order. */
static size_t
first_of(const struct stamps *stamps, const char *start)
{
	size_t low = 0, high = stamps_count(stamps);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(stamps_name(stamps, middle), start) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
aim(struct store_reading *r, const struct trust_store *store, const char *hash)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->start, hash, 8);
	memcpy(r->start + 8, ".r", 3);
	r->at = first_of(store->stamps, r->start);
}

/* The file that is next; NULL: that was the last. */
static const char *
next_name(const struct store_reading *r, const struct trust_store *store)
{
	const char *name = stamps_name(store->stamps, r->at);

	return name != NULL && text_starts(name, r->start) ? name : NULL;
}

/* Whether ${fresh} was issued after what ${r} has. */
static bool
newer(const struct trust_anchor *r, const struct crl_index *fresh)
{
	return r->lists.crl == NULL ||
	    crl_index_head(fresh)->this_update >
	    crl_index_head(r->lists.crl)->this_update;
}

/* Give ${crl} to each record of its hash whose CA made it. */
static int
share(struct trust_store *store, const char *name, const struct crl_index *crl,
    struct fault *f)
{
	struct trust_anchor *r;
	bool taken = false;
	size_t at = 0;

	(void)fault_set(f, FAULT_INPUT, "another CA's CRL");
	while ((r = store_next_of_hash(store, name, &at)) != NULL) {
		if (r->cert != NULL &&
		    (!dn_equal(&crl_index_head(crl)->issuer,
			 &r->cert->subject) ||
			known_check_crl(store->known, crl, r->cert, f) < 0))
			continue;
		if (newer(r, crl))
			r->lists.crl = crl;
		taken = true;
	}
	return taken ? 0 : -1;
}

/* What came of the file ${name}; NULL: there was no memory for it. */
static void
judge(struct trust_store *store, const char *name,
    const struct shelf_file *file, struct fault *f)
{
	struct trust_anchor *r;
	size_t at = 0;

	if (file != NULL && file->bad.code == FAULT_NONE &&
	    share(store, name, file->crl, f) == 0)
		return;
	if (file != NULL && file->bad.code != FAULT_NONE)
		*f = file->bad;
	while ((r = store_next_of_hash(store, name, &at)) != NULL)
		r->lists.bad = true;
	store_complain(store, name, f);
}

/* A CA that has one good list needs no other. */
static void
finish(struct trust_store *store, const char *hash)
{
	struct trust_anchor *r;
	size_t at = 0;

	while ((r = store_next_of_hash(store, hash, &at)) != NULL) {
		if (r->lists.crl != NULL)
			r->lists.bad = false;
		r->lists.state = TRUST_LISTS_READ;
	}
}

/* A list that has gone, where somebody looks after the directory: its
 * generation was cleared away, or another file is about to take its name. */
static bool
is_lost(const struct trust_store *store, const struct shelf_file *file)
{
	return file != NULL && file->gone && store->at_once != SIZE_MAX;
}

/* What is in place of the directory has them; nobody is refused meanwhile. */
static void
lose(struct trust_store *store, const char *hash)
{
	set_state(store, hash, TRUST_LISTS_LOST);
	store->lost = true;
}

void
store_lists_give_up(struct trust_store *store)
{
	for (size_t i = 0; i < store->records; i++) {
		struct trust_lists *lists = &store->record[i].lists;

		if (lists->state != TRUST_LISTS_LOST)
			continue;
		lists->bad = true;
		lists->state = TRUST_LISTS_READ;
	}
	store->lost = false;
}

/* Read on in the file ${name}: whether it has ended, with what came of it. */
static bool
go_on(struct store_reading *r, struct trust_store *store,
    const struct trust_store *old, const char *name, size_t *left)
{
	const struct stamps *stamps = store->stamps;
	const struct stat *st = stamps_state(stamps, r->at);
	const struct shelf_file *file = NULL;
	struct fault f = { 0 };

	if (r->file == NULL) {
		file = shelf_find(store->shelf, old == NULL ? NULL : old->shelf,
		    SHELF_CRL, st, &f);
		if (file == NULL && f.code == FAULT_NONE)
			r->file = shelf_begin(store->shelf, stamps_fd(stamps),
			    name, st, &f);
	}
	if (r->file != NULL) {
		if (!shelf_go_on(r->file, left))
			return false;
		file = shelf_end(TAKE(r->file), &f);
	}
	if (is_lost(store, file))
		r->gone = true;
	else
		judge(store, name, file, &f);
	return true;
}

/* Read on for one CA: whether all of it is read. */
static bool
read_on(struct store_reading *r, struct trust_store *store,
    const struct trust_store *old, size_t *left)
{
	const char *name;

	while ((name = next_name(r, store)) != NULL) {
		if (*left == 0 || !go_on(r, store, old, name, left))
			return false;
		r->at++;
	}
	if (r->gone)
		lose(store, r->start);
	else
		finish(store, r->start);
	return true;
}

/* Begin with the next CA whose lists are wanted; NULL: none, or no memory. */
static struct store_reading *
begin(const struct trust_store *store, size_t *left)
{
	struct store_reading *r;
	size_t i = 0;

	while (i < store->records &&
	    store->record[i].lists.state != TRUST_LISTS_WANTED)
		i++;
	*left -= i / SCANNED < *left ? i / SCANNED : *left;
	if (i == store->records || (r = malloc(sizeof(*r))) == NULL)
		return NULL;
	aim(r, store, store->record[i].hash);
	return r;
}

size_t
store_lists_step(struct trust_store *store, const struct trust_store *old,
    size_t *left)
{
	size_t finished = 0;

	while (store->wanted > 0 && *left > 0) {
		if (store->reading == NULL &&
		    (store->reading = begin(store, left)) == NULL)
			break;
		if (!read_on(store->reading, store, old, left))
			break;
		store_reading_free(TAKE(store->reading));
		store->wanted--;
		finished++;
	}
	return finished;
}

static void
want(struct trust_store *store, const char *hash)
{
	set_state(store, hash, TRUST_LISTS_WANTED);
	store->wanted++;
}

/* Whether each file is on one of the shelves. */
static bool
at_hand(const struct trust_store *store, const struct trust_store *old,
    const char *hash)
{
	struct store_reading r;

	for (aim(&r, store, hash); next_name(&r, store) != NULL; r.at++) {
		struct fault f = { 0 };

		if (shelf_find(store->shelf, old->shelf, SHELF_CRL,
			stamps_state(store->stamps, r.at), &f) == NULL)
			return false;
	}
	return true;
}

static bool
in_use(const struct trust_store *old, const char *hash)
{
	const struct trust_anchor *r;
	size_t at = 0;

	while ((r = store_next_of_hash(old, hash, &at)) != NULL)
		if (r->lists.state != TRUST_LISTS_NONE &&
		    r->lists.state != TRUST_LISTS_UNREAD)
			return true;
	return false;
}

void
store_lists_inherit(struct trust_store *store, const struct trust_store *old,
    size_t i, bool now)
{
	const struct trust_anchor *a = &store->record[i];
	struct store_reading r;
	size_t left = SIZE_MAX;

	if (a->lists.state != TRUST_LISTS_UNREAD || !in_use(old, a->hash))
		return;
	if (!now || !at_hand(store, old, a->hash)) {
		want(store, a->hash);
		return;
	}
	aim(&r, store, a->hash);
	(void)read_on(&r, store, old, &left);
}

void
store_lists_read(struct trust_store *store, size_t i)
{
	struct store_reading r;
	size_t left = SIZE_MAX;

	if (store->record[i].lists.state != TRUST_LISTS_UNREAD)
		return;
	aim(&r, store, store->record[i].hash);
	while (!read_on(&r, store, NULL, &left))
		left = SIZE_MAX;
}

/* What there is to be read of a CA. */
static size_t
size_of(const struct trust_store *store, const char *hash)
{
	struct store_reading r;
	size_t size = 0;

	for (aim(&r, store, hash); next_name(&r, store) != NULL; r.at++)
		size += (size_t)stamps_state(store->stamps, r.at)->st_size;
	return size;
}

const struct trust_lists *
trust_lists(const struct trust_store *store, const struct trust_anchor *a)
{
	/* What is behind it may be filled in at any time. */
	struct trust_store *filled = (struct trust_store *)(uintptr_t)store;

	if (a->lists.state == TRUST_LISTS_UNREAD) {
		if (size_of(store, a->hash) <= store->at_once)
			store_lists_read(filled, (size_t)(a - store->record));
		else
			want(filled, a->hash);
	}
	return a->lists.state == TRUST_LISTS_READ ||
		a->lists.state == TRUST_LISTS_NONE
	    ? &a->lists
	    : NULL;
}

void
trust_read_lists(const struct trust_store *store)
{
	struct trust_store *filled = (struct trust_store *)(uintptr_t)store;

	for (size_t i = 0; i < store->records; i++)
		store_lists_read(filled, i);
}
