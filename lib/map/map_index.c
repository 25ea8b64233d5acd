#include "map/map_index.h"

#include "base/fault.h"
#include "base/text.h"
#include "map/map_name.h"
#include "map/map_part.h"

#include <sys/stat.h>

#include <limits.h>
#include <string.h>
#include <time.h>

/* How much is read at once where one record follows another. */
#define AHEAD ((size_t)1 << 18)

struct map_index {
	char text[PATH_MAX]; /* the map file */
	char index[PATH_MAX];
	char delta[PATH_MAX];
	char dir[PATH_MAX]; /* in which they are */
	struct stat dir_st; /* as it was before the files were last looked at */
	bool settled;	    /* and had been for a while (see look_at_dir) */
	struct map_part base;
	struct map_part change; /* of the delta; closed: there is none */
	bool old;		/* the delta belongs to an earlier index */
	bool good;		/* may be asked */
	struct buf key;		/* of the name that is asked for */
};

/* The delta beside the index that is open: 1: it belongs to a later index. */
static int
load_delta(struct map_index *ix, struct fault *f)
{
	struct fault why = { 0 };

	ix->old = false;
	map_part_close(&ix->change);
	if (map_part_open(&ix->change, ix->delta, MAP_LAYOUT_DELTA, &why) < 0) {
		if (why.code == FAULT_ABSENT)
			return 0;
		*f = why;
		return -1;
	}
	ix->old = ix->change.head.base < ix->base.head.seq;
	return ix->change.head.base > ix->base.head.seq;
}

/* Whether the text is the one that an index was made from, if it says so. */
static int
check_text(const struct map_index *ix, struct fault *f)
{
	const struct map_layout_head *h = &ix->base.head;
	struct stat st;

	if (h->text_bound == 0)
		return 0;
	if (stat(ix->text, &st) < 0 || h->text_inode != (uint64_t)st.st_ino ||
	    h->text_size != (uint64_t)st.st_size ||
	    h->text_seconds != st.st_mtim.tv_sec ||
	    h->text_nanoseconds != st.st_mtim.tv_nsec)
		return fault_set(f, FAULT_INPUT,
		    "%s has changed since %s was made", ix->text, ix->index);
	return 0;
}

/*
 * A file that is put in the place of another changes its directory's time, so a
 * look at that says whether the files may have changed.  Times are as coarse as
 * the file system makes them: one of just now may be that of a change that is
 * still to come, and does not count.
 */
#define SETTLED_SECONDS 3

static void
look_at_dir(struct map_index *ix)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	ix->settled = stat(ix->dir, &ix->dir_st) == 0 &&
	    ix->dir_st.st_mtim.tv_sec < now.tv_sec - SETTLED_SECONDS;
}

static bool
dir_same(const struct map_index *ix)
{
	struct stat st;

	return ix->settled && stat(ix->dir, &st) == 0 &&
	    st.st_ino == ix->dir_st.st_ino && st.st_dev == ix->dir_st.st_dev &&
	    st.st_mtim.tv_sec == ix->dir_st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == ix->dir_st.st_mtim.tv_nsec;
}

static bool
files_same(struct map_index *ix)
{
	look_at_dir(ix);
	return map_part_same(&ix->base, ix->index) &&
	    map_part_same(&ix->change, ix->delta);
}

/*
 * The index first, then the delta.  A delta of a later index says that the
 * index was replaced in between: it is there, so the next try finds both.
 */
static int
load(struct map_index *ix, struct fault *f)
{
	int later = 1;

	ix->good = false;
	look_at_dir(ix);
	for (int i = 0; i < 2 && later > 0; i++) {
		map_part_close(&ix->base);
		if (map_part_open(&ix->base, ix->index, MAP_LAYOUT_INDEX, f) <
		    0)
			return -1;
		later = load_delta(ix, f);
	}
	if (later < 0)
		return -1;
	if (later > 0)
		return fault_set(f, FAULT_INPUT,
		    "%s belongs to a later index than there is", ix->delta);
	if (check_text(ix, f) < 0)
		return -1;
	ix->good = true;
	return 0;
}

static int
name_files(struct map_index *ix, const char *path, struct fault *f)
{
	char *slash;

	if (text_copy(ix->text, sizeof(ix->text), path) < 0 ||
	    text_copy(ix->dir, sizeof(ix->dir), path) < 0 ||
	    text_fmt(ix->index, sizeof(ix->index), "%s" MAP_INDEX_SUFFIX,
		path) < 0 ||
	    text_fmt(ix->delta, sizeof(ix->delta), "%s" MAP_DELTA_SUFFIX,
		path) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	if ((slash = strrchr(ix->dir, '/')) != NULL)
		slash[slash == ix->dir] = '\0';
	else if (text_copy(ix->dir, sizeof(ix->dir), ".") < 0)
		return fault_set(f, FAULT_INTERNAL, "a path of one byte");
	return 0;
}

struct map_index *
map_index_open(const char *path, struct fault *f)
{
	OWN_STRUCT(map_index) ix = calloc(1, sizeof(*ix));

	if (ix == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for an index");
		return NULL;
	}
	ix->base = ix->change = MAP_PART_CLOSED;
	ix->key = BUF(8 * MAP_TEXT_MAX);
	if (name_files(ix, path, f) < 0)
		return NULL;
	if (load(ix, f) < 0)
		return NULL;
	return TAKE(ix);
}

void
map_index_free(struct map_index *ix)
{
	if (ix == NULL)
		return;
	map_part_close(&ix->base);
	map_part_close(&ix->change);
	buf_free(&ix->key);
	free(ix);
}

int
map_index_fresh(struct map_index *ix, struct fault *f)
{
	if (ix->good && (dir_same(ix) || files_same(ix)) &&
	    check_text(ix, f) == 0)
		return 0;
	return load(ix, f);
}

static int
askable(const struct map_index *ix, struct fault *f)
{
	return ix->good ? 0 : fault_set(f, FAULT_INPUT, "there is no index");
}

static bool
has_delta(const struct map_index *ix)
{
	return ix->change.fd >= 0 && !ix->old;
}

/* The accounts of a record are what map_accounts holds: each with its NUL. */
static int
read_accounts(struct wire_bytes text, struct map_accounts *accounts,
    struct fault *f)
{
	if (text.len > 0 && text.data[text.len - 1] != '\0')
		return fault_set(f, FAULT_INPUT,
		    "the index is damaged: accounts");
	map_accounts_clear(accounts);
	buf_put(&accounts->text, text.data, text.len);
	if (accounts->text.failed)
		return fault_set(f, FAULT_MEMORY, "no memory for accounts");
	for (size_t i = 0; i < text.len; i++)
		accounts->count += text.data[i] == '\0';
	return 0;
}

/* The record of a name, of the delta if that has one. */
static int
find_record(struct map_index *ix, struct wire_bytes key,
    struct map_record *record, struct fault *f)
{
	int found = 0;

	if (has_delta(ix))
		found = map_part_name(&ix->change, key, record, f);
	if (found == 0)
		found = map_part_name(&ix->base, key, record, f);
	if (found == 1 && record->kind == MAP_RECORD_GONE)
		return 0;
	return found;
}

/* The key of a name, until the next is asked for. */
static int
key_of(struct map_index *ix, const char *dn, size_t len, struct wire_bytes *key,
    struct fault *f)
{
	if (ix->key.failed) {
		buf_free(&ix->key);
		ix->key = BUF(8 * MAP_TEXT_MAX);
	}
	ix->key.len = 0;
	map_name_key(dn, len, &ix->key);
	if (ix->key.failed)
		return fault_set(f, FAULT_INPUT, "the name is too long");
	*key = (struct wire_bytes){ ix->key.data, ix->key.len };
	return 0;
}

int
map_index_find(struct map_index *ix, const char *dn, size_t len,
    struct map_accounts *accounts, struct fault *f)
{
	struct map_record record = { 0 };
	struct wire_bytes key;
	int found;

	if (askable(ix, f) < 0 || key_of(ix, dn, len, &key, f) < 0)
		return -1;
	found = find_record(ix, key, &record, f);
	if (found < 0)
		ix->settled = false; /* written over in its place? */
	if (found != 1)
		return found;
	return read_accounts(record.second, accounts, f) < 0 ? -1 : 1;
}

/* Whether the delta says something of a name of the index: 1, 0, -1. */
static int
overruled(struct map_index *ix, struct wire_bytes name, struct fault *f)
{
	struct map_record record;
	struct wire_bytes key;

	if (!has_delta(ix))
		return 0;
	if (key_of(ix, (const char *)name.data, name.len, &key, f) < 0)
		return -1;
	return map_part_name(&ix->change, key, &record, f);
}

/* One record for whoever asked for all: its name and accounts, copied. */
struct entry {
	struct buf name;
	struct map_accounts accounts;
};

static void
entry_free(struct entry *e)
{
	buf_free(&e->name);
	map_accounts_free(&e->accounts);
}

/* 1: ${e} is the entry; 0: there is none in the record, or none that counts. */
static int
take_entry(struct map_index *ix, const struct map_part *part,
    const struct map_record *record, struct entry *e, struct fault *f)
{
	int over = 0;

	if (record->kind != MAP_RECORD_NAME)
		return 0;
	if (part == &ix->base)
		over = overruled(ix, record->first, f);
	if (over != 0)
		return over < 0 ? -1 : 0;
	e->name.len = 0;
	buf_put(&e->name, record->first.data, record->first.len);
	if (buf_cstr(&e->name) == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a name");
	return read_accounts(record->second, &e->accounts, f) < 0 ? -1 : 1;
}

static int
each_in(struct map_index *ix, struct map_part *part, map_index_entry_fn *fn,
    void *arg, struct fault *f)
{
	__attribute__((cleanup(entry_free))) struct entry e = {
		BUF(MAP_TEXT_MAX), MAP_ACCOUNTS
	};
	uint64_t at = sizeof(part->head);
	struct map_record record;

	for (uint64_t n = 0; n < part->head.entries; n++) {
		int got;

		if (map_part_record(part, at / MAP_LAYOUT_UNIT, AHEAD, &record,
			f) < 0)
			return -1;
		at = record.next;
		got = take_entry(ix, part, &record, &e, f);
		if (got < 0)
			return -1;
		if (got == 0)
			continue;
		got = fn(arg, (const char *)e.name.data, &e.accounts);
		if (got != 0)
			return got;
	}
	return 0;
}

int
map_index_each(struct map_index *ix, map_index_entry_fn *fn, void *arg,
    struct fault *f)
{
	int said;

	if (askable(ix, f) < 0)
		return -1;
	said = each_in(ix, &ix->base, fn, arg, f);
	if (said == 0 && has_delta(ix))
		said = each_in(ix, &ix->change, fn, arg, f);
	return said;
}

/* Who asked for the names of one account. */
struct asker {
	const char *account;
	mapfile_name_fn *fn;
	void *arg;
};

static int
tell_name(struct map_index *ix, struct map_part *part,
    const struct map_record *record, const struct asker *who, struct entry *e,
    struct fault *f)
{
	int got = take_entry(ix, part, record, e, f);

	if (got <= 0)
		return got;
	if (!map_accounts_has(&e->accounts, who->account))
		return fault_set(f, FAULT_INPUT,
		    "the index is damaged: an account's names");
	return who->fn(who->arg, (const char *)e->name.data,
	    strcmp(map_accounts_at(&e->accounts, 0), who->account) == 0);
}

static int
names_in(struct map_index *ix, struct map_part *part, const struct asker *who,
    struct fault *f)
{
	__attribute__((cleanup(entry_free))) struct entry e = {
		BUF(MAP_TEXT_MAX), MAP_ACCOUNTS
	};
	OWN_BUF(refs, SIZE_MAX / 2);
	struct map_record record = { 0 };
	int said = map_part_account(part, who->account, &record, f);

	if (said <= 0)
		return said;
	if (record.kind == MAP_RECORD_NAME)
		return tell_name(ix, part, &record, who, &e, f);
	buf_put(&refs, record.second.data, record.second.len);
	if (refs.failed)
		return fault_set(f, FAULT_MEMORY, "no memory for names");
	said = 0;
	for (size_t at = 0; said == 0 && refs.len - at >= sizeof(uint32_t);
	     at += sizeof(uint32_t)) {
		uint32_t ref;

		memcpy(&ref, refs.data + at, sizeof(ref));
		if (map_part_record(part, ref, 0, &record, f) < 0)
			return -1;
		said = tell_name(ix, part, &record, who, &e, f);
	}
	return said;
}

int
map_index_each_of(struct map_index *ix, const char *account,
    mapfile_name_fn *fn, void *arg, struct fault *f)
{
	const struct asker who = { account, fn, arg };
	int said;

	if (askable(ix, f) < 0)
		return -1;
	said = names_in(ix, &ix->base, &who, f);
	if (said == 0 && has_delta(ix))
		said = names_in(ix, &ix->change, &who, f);
	return said;
}

static void
tell_head(const struct map_layout_head *from, struct map_index_head *head)
{
	*head = (struct map_index_head){ from->seq, from->base, from->made,
		from->fresh, from->entries };
}

void
map_index_head(const struct map_index *ix, struct map_index_head *head)
{
	tell_head(&ix->base.head, head);
}

bool
map_index_delta_head(const struct map_index *ix, struct map_index_head *head)
{
	if (!has_delta(ix))
		return false;
	tell_head(&ix->change.head, head);
	return true;
}
